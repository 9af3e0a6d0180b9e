"""Spark's error on a file that it could not read, as one sentence. It is raised when rows are read, not before."""

import re
from urllib.parse import unquote

from definitions.errors import SourceUnreadable
from lakehouse.files.location import Location

_FILE = re.compile(r"(?:FAILED_READ_FILE|CANNOT_READ_FILE)[^\n]*?while reading file (\S+?)\.?\s")
_HEADER = re.compile(r"CSV header does not conform.*?Expected: (\S+) but found: (\S+)", re.DOTALL)
_OTHER = re.compile(r"ParquetDecodingException|is not a Parquet file|MALFORMED_RECORD")


def as_read_error(error: BaseException, source: str, location: Location) -> SourceUnreadable | None:
    """The error in one sentence, when its cause is a delivered file; None when it is another file, or none."""
    words = str(error)
    file = _FILE.search(words)
    file_path = unquote(file[1]) if file else location.path
    if location.path not in file_path or not (file or _OTHER.search(words)):
        return None
    header = _HEADER.search(words)
    why = (
        f"its header has '{header[2]}' where that of another file has '{header[1]}'"
        if header
        else f"it is damaged, or no {location.format}"
    )
    file_path = file_path.removeprefix("file://")
    return SourceUnreadable(
        f"source '{source}': {file_path} can't be read: {why}. Deliver it again; nothing was written."
    )
