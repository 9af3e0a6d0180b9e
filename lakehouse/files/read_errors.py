"""Spark's error on a file that it could not read, as one sentence. It is raised when rows are read, not before."""

import re
from urllib.parse import unquote

from definitions.errors import SourceUnreadable
from lakehouse.files.location import Location

_FILE = re.compile(r"(?:FAILED_READ_FILE|CANNOT_READ_FILE)[^\n]*?while reading file (\S+?)\.?\s")
_OTHER = re.compile(r"ParquetDecodingException|is not a Parquet file")


def as_read_error(error: BaseException, source: str, location: Location) -> SourceUnreadable | None:
    """The error in one sentence, when its cause is a delivered file; None when it is another file, or none."""
    words = str(error)
    file = _FILE.search(words)
    file_path = unquote(file[1]) if file else location.path
    if location.path not in file_path or not (file or _OTHER.search(words)):
        return None
    file_path = file_path.removeprefix("file://")
    return SourceUnreadable(
        f"source '{source}': {file_path} can't be read: it is damaged, or no {location.format}. Deliver it "
        "again; nothing was written."
    )
