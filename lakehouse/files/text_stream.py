"""A delivered text file as UTF-8: decompressed by its name, decoded by its byte order mark or the declared encoding.

Bytes that are not valid in the encoding don't stop the stream: what they become is no valid UTF-8, so that the record
that holds them can be told apart, and `readable` shows them as `\\xe9`.
"""

import codecs
import re
from collections.abc import Iterator
from itertools import chain
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
# As long as it takes to be no text: a header may begin with ORCID or BZh.
_BINARY = {
    rb"PAR[1E].{0,3}[\x00-\x08\x0e-\x1f]": "parquet",
    rb"\x1f\x8b\x08": "gzip; name it .gz",
    rb"PK\x03\x04": "a ZIP archive or a workbook",
    rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)": "bzip2; name it .bz2",
    rb"\x28\xb5\x2f\xfd": "zstd; name it .zst",
    rb"\x04\x22\x4d\x18": "lz4; name it .lz4",
    rb"\xfd7zXZ\x00": "xz",
    rb"7z\xbc\xaf": "a 7z archive",
    rb"Obj\x01": "Avro",
    rb"ORC.{0,512}\x00": "ORC",
    rb"ARROW1\x00\x00": "Arrow",
    rb"SQLite format 3\x00": "SQLite",
    rb"\xd0\xcf\x11\xe0\xa1\xb1": "a workbook of an old version",
    rb"%PDF-[0-9]": "PDF",
}
_LONGEST_MAGIC = 600
# Text of two bytes a character, without the mark that says so.
_MARKED = ("utf-16", "utf-32")
_WIDE = {rb"(?:[\t\n\r -~]\x00){4}": "utf-16-le", rb"(?:\x00[\t\n\r -~]){4}": "utf-16-be"}
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


def with_encoding(content: Iterator[bytes], encoding: str) -> tuple[Iterator[bytes], str]:
    """The same content, and the encoding: the declared one, or what its mark says; empty for UTF-8."""
    first, found = _opened(content, encoding)
    return chain([first], content), "" if found == UTF8 else found


def _opened(content: Iterator[bytes], encoding: str) -> tuple[bytes, str]:
    """The first bytes, and the encoding by its canonical name."""
    first = next(content, b"")
    while 0 < len(first) < _LONGEST_MAGIC and (more := next(content, b"")):
        first += more
    if kind := next((kind for magic, kind in _BINARY.items() if re.match(magic, first, re.DOTALL)), None):
        raise Unreadable(f"is no text: its first bytes are those of {kind}")
    if wide := next((name for form, name in _WIDE.items() if not encoding and re.match(form, first)), None):
        raise Unreadable(
            f"has no byte order mark and looks like {wide}; name the encoding: options: {{encoding: {wide}}}"
        )
    marked = next((name for mark, name in _MARKS if first.startswith(mark)), UTF8)
    name = codecs.lookup(encoding or marked).name
    if first and name in _MARKED and marked == UTF8:
        raise Unreadable(f"has no byte order mark, which {name} needs; name {name}-le or {name}-be")
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
