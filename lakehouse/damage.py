"""Damage of stored tables, found while they are read: Spark's error as one sentence that names the file or the log."""

import re
from urllib.parse import unquote

from definitions.errors import ZigguratError
from lakehouse.storage_errors import StorageError, may_not_read, whole_message

_RESTORE = (
    "Restore it from a copy (`ziggurat doctor --content` names all that is damaged); nothing of this was published."
)
_FILE = (
    re.compile(r"(?:FAILED_READ_FILE|CANNOT_READ_FILE)[^\n]*?while reading file (\S+?)\.?(?:\s|$)"),
    re.compile(r"Could not read (?:footer for )?file:? (?:/+)?(file:\S+?|/\S+?)[.,]?(?:\s|$)"),
    re.compile(r"(file:/\S+?) is not a Parquet file"),
    re.compile(r"Checksum error: (\S+)"),
    re.compile(r"File (file:/\S+|s3\S+) does not exist"),
    re.compile(r"FileNotFoundException: (?:File )?(\S+)"),
)
_LOG = re.compile(
    r"DELTA_(?:TRUNCATED_TRANSACTION_LOG|VERSIONS_NOT_CONTIGUOUS|STATE_RECOVER_ERROR|LOG_FILE_NOT_FOUND|MISSING_PART_FILES"
    r"|TXN_LOG_FAILED_INTEGRITY|UNRECOGNIZED_FILE_ACTION|MISSING_COMMIT_INFO)|(?:JsonParse|JsonEOF|MismatchedInput)Exception"
)
_LOG_PATH = re.compile(r"(?:file:)?(/[^\s'\"`,;]*?)/_delta_log")
_GONE = re.compile(r"FILE_NOT_EXIST|FileNotFoundException|does not exist|No such file")
_RIGHTS = re.compile(r"Permission denied|AccessControlException")


def as_damage(error: BaseException) -> StorageError | None:
    """The error in one sentence when its cause is a file of a table, or its log; None for any other, and for ours."""
    if isinstance(error, ZigguratError):
        return None
    message = whole_message(error)
    if path := _file_in(message):
        if _RIGHTS.search(message):
            return may_not_read(path)
        if "/_delta_log" in path:
            return _log_damage(path.partition("/_delta_log")[0])
        what = "it is not there" if _GONE.search(message) else "it is damaged"
        return StorageError(f"{path} can't be read: {what}. {_RESTORE}")
    if _LOG.search(message):
        path_of_log = _LOG_PATH.search(message)
        return _log_damage(unquote(path_of_log[1]) if path_of_log else "")
    return None


def _log_damage(table: str) -> StorageError:
    of = f"{table} can't be read: its log (_delta_log)" if table else "A table can't be read: its log (_delta_log)"
    return StorageError(f"{of} is damaged or incomplete. {_RESTORE}")


def _file_in(message: str) -> str:
    for sign in _FILE:
        if found := sign.search(message):
            return re.sub(r"^file:/+", "/", unquote(found[1]))
    return ""
