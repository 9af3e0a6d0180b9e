"""A delivered text file as UTF-8: decompressed by its name, decoded by its byte order mark or the declared encoding.

Bytes that are not valid in the encoding don't stop the stream: what they become is no valid UTF-8, so that the record
that holds them can be told apart, and `readable` shows them as `\\xe9`.
"""

import codecs
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from pyarrow import fs

COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd", ".lz4": "lz4"}
UTF8 = "utf-8"
CHUNK = 8 << 20
_UTF8 = (UTF8, "utf-8-sig")
_MARKS = (
    (codecs.BOM_UTF8, UTF8),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BINARY = {
    b"PAR1": "parquet",
    b"\x1f\x8b": "gzip; name it .gz",
    b"PK\x03\x04": "a ZIP archive or a workbook",
    b"BZh": "bzip2; name it .bz2",
    b"\x28\xb5\x2f\xfd": "zstd; name it .zst",
    b"\xfd7zXZ": "xz",
    b"Obj\x01": "Avro",
    b"ORC": "ORC",
}
_INVALID, _FIRST_MARK = "ziggurat-mark", 0xDC00


class Unreadable(Exception):
    """A file can't be read as what it is declared to be; the text says why, after `it`."""


class WrongColumns(Unreadable):
    """The names of its columns are not those that are needed, or can't be told apart."""


def _mark(error: UnicodeError) -> tuple[str, int]:
    """Each invalid byte as half of a surrogate pair, which no encoding decodes to."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    invalid = error.object[error.start : error.end]
    return "".join(chr(_FIRST_MARK + byte) for byte in invalid), error.end


codecs.register_error(_INVALID, _mark)


def file_chunks(system: fs.FileSystem, path: str, *, size: int = CHUNK) -> Iterator[bytes]:
    """The content, decompressed. Raises Unreadable for a file that is compressed and damaged, or cut short."""
    compression = COMPRESSIONS.get(PurePosixPath(path).suffix.lower())
    with system.open_input_stream(path, compression=compression) as stream:
        try:
            while chunk := stream.read(size):
                yield chunk
        except OSError as error:
            if compression is None:
                raise
            raise Unreadable(f"is no whole {compression} file ({str(error).splitlines()[0]})") from error


def utf8_chunks(content: Iterator[bytes], encoding: str = "") -> Iterator[bytes]:
    """The same text in UTF-8, without a byte order mark. encoding: empty for UTF-8, or what the mark says."""
    first, encoding = _opened(content, encoding)
    if encoding == UTF8:
        yield first.removeprefix(codecs.BOM_UTF8)
        yield from content
    else:
        for text in _decoded(first, content, encoding):
            yield text.encode(UTF8, "surrogatepass")


def text_chunks(content: Iterator[bytes], encoding: str = "") -> Iterator[str]:
    """The same text; what is not valid in the encoding can't be encoded."""
    first, encoding = _opened(content, encoding)
    return _decoded(first, content, encoding)


def _opened(content: Iterator[bytes], encoding: str) -> tuple[bytes, str]:
    """The first bytes, and the encoding by its canonical name."""
    first = next(content, b"")
    while 0 < len(first) < len(codecs.BOM_UTF32_LE) and (more := next(content, b"")):
        first += more
    if kind := next((kind for magic, kind in _BINARY.items() if first.startswith(magic)), None):
        raise Unreadable(f"is no text: its first bytes are those of {kind}")
    marked = next((name for mark, name in _MARKS if first.startswith(mark)), UTF8)
    name = codecs.lookup(encoding or marked).name
    return first, UTF8 if name in _UTF8 else name


def _decoded(first: bytes, content: Iterator[bytes], encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)(_INVALID)
    yield decoder.decode(first).removeprefix("\ufeff")
    for chunk in content:
        yield decoder.decode(chunk)
    yield decoder.decode(b"", final=True)


def is_valid(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def not_encoded(encoding: str) -> str:
    """The problem of text that `is_valid` refuses."""
    return f"it is not {encoding or UTF8}: name the encoding of the files (options: encoding:)"


def readable(text: bytes, encoding: str) -> str:
    """Text as it was delivered in an encoding; bytes that are not valid in it as `\\xe9`."""
    if not encoding or codecs.lookup(encoding).name in _UTF8:
        return text.decode(UTF8, "backslashreplace")
    return readable_text(text.decode(UTF8, "surrogatepass"))


def readable_text(text: str) -> str:
    """The same of what `text_chunks` gives."""
    shown = re.sub("[\udc00-\udcff]", lambda mark: f"\\x{ord(mark[0]) - _FIRST_MARK:02x}", text)
    return shown.encode(UTF8, "backslashreplace").decode()
