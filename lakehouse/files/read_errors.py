"""Spark's words for a file that it could not read, as one sentence. They come when rows are read, after the opening."""

import re
from urllib.parse import unquote

from definitions.errors import SourceUnreadable
from lakehouse.files.deliveries import Location

_FILE = re.compile(r"(?:FAILED_READ_FILE|CANNOT_READ_FILE)[^\n]*?while reading file (\S+?)\.?\s")
_HEADER = re.compile(r"CSV header does not conform.*?Expected: (\S+) but found: (\S+)", re.DOTALL)
_OTHER = re.compile(r"ParquetDecodingException|is not a Parquet file|MALFORMED_RECORD")


def as_read_error(error: BaseException, source: str, location: Location) -> SourceUnreadable | None:
    """The one-sentence error when a delivered file is to blame; None when another file is, or none."""
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
