"""The errors of storage, and the translation of the messages of Spark and the file system into them.

StorageError          42   disk full, folder not writable, a table that does not count
└── TableMissing      42   nothing has been published there yet
LeaseHeld             40   another run writes this table
Fenced                41   a newer run took this table over
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from definitions.errors import ZigguratError


class StorageError(ZigguratError):
    exit_code = 42


class TableMissing(StorageError):
    """Nothing was written at this address, or not at this version."""


class LeaseHeld(ZigguratError):
    exit_code = 40


class Fenced(ZigguratError):
    exit_code = 41


# The most specific first: a full disk also fails to create folders.
_SIGNS: tuple[tuple[str, str, str], ...] = (
    (r"No space left on device|ENOSPC|errno 28\b", "the disk is full", "Free space there and run again"),
    (r"Disk quota exceeded|EDQUOT", "the disk quota is used up", "Free space there and run again"),
    (r"File too large|EFBIG", "a file grew beyond what this process may write", "Raise `ulimit -f` and run again"),
    (
        r"Read-only file system",
        "the file system is read-only",
        "Mount it writable, or choose another warehouse",
    ),
    (
        r"AccessControlException|Permission denied|Operation not permitted|Access ?Denied|status code: 403|Forbidden",
        "this user may not write there",
        "Give the user that runs the job the right to write, or choose another warehouse",
    ),
    (
        r"DELTA_CANNOT_CREATE_LOG_PATH|ParentNotDirectory|Not a directory|Mkdirs failed",
        "the folder can't be created",
        "Check that every folder above it exists and is writable, or choose another warehouse",
    ),
    (
        r"NoSuchBucket",
        "the bucket does not exist",
        "Create it, or correct the warehouse in the configuration",
    ),
)


@contextmanager
def translated_storage_errors(path: str) -> Iterator[None]:
    """Turns a full disk, a missing right or a folder that can't be made into one `StorageError`.

    Whatever else fails inside passes through unchanged, with its traceback.
    """
    try:
        yield
    except ZigguratError:
        raise
    except Exception as error:  # recognised by its message: classes differ between Connect, py4j and boto3
        translated = as_storage_error(error, path)
        if translated is None:
            raise
        raise translated from error


@contextmanager
def translated_read_errors(path: str) -> Iterator[None]:
    """Turns a file or folder that is there and can't be read into one `StorageError`."""
    try:
        yield
    except FileNotFoundError:
        raise
    except PermissionError as error:
        raise may_not_read(path) from error
    except OSError as error:
        reason = " ".join((str(error).splitlines() or [type(error).__name__])[0].split())
        raise StorageError(f"{path} can't be read: {reason}. Check the disk and the path, and run again.") from error


def may_not_read(path: str) -> StorageError:
    return StorageError(
        f"This user may not read {path}. Give the user that runs the job the right to read it, and all folders "
        "above it."
    )


def as_storage_error(error: BaseException, path: str) -> StorageError | None:
    """The error in one sentence for a write that storage refused, or None when the cause is another."""
    message = whole_message(error)
    for sign, what, remedy in _SIGNS:
        if re.search(sign, message, re.IGNORECASE):
            return StorageError(
                f"Could not write {path}: {what}. {remedy}; nothing of this write is visible to readers."
            )
    return None


def whole_message(error: BaseException) -> str:
    """The message with those of its causes: the file system's own may be several causes deep in Spark's."""
    messages, seen = [], set[int]()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        messages += [str(cause), str(getattr(cause, "_stackTrace", "") or "")]
        cause = cause.__cause__ or cause.__context__
    return "\n".join(messages)
