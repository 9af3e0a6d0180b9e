"""Cuts CSV text into records, as RFC 4180 has them: nothing is lost, and a broken line costs itself alone.

A record is fields between separators up to a line end. A field is plain, without quotes, or stands between quotes, in
which a quote is doubled and separators and line breaks are text. Lines end with LF, CR LF or CR; empty lines hold no
record. Where no record can be read, the line is broken, and reading goes on at the next one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa

from lakehouse.files.text_stream import Unreadable

LONGEST_RECORD = 64 << 20
BROKEN_QUOTE = "a quote is not closed, or stands where none may stand"
_LF, _CR = 10, 13
_LINE_END = re.compile(rb"\r\n?|\n")


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """separator and quote: one ASCII character; without quote, quotes are text."""

    separator: str = ","
    quote: str = '"'

    @cached_property
    def record(self) -> re.Pattern[bytes]:
        """A whole record (group 1) and its line end."""
        return re.compile(rb"(%(field)s(?:%(sep)s%(field)s)*+)(?:\r\n?|\n)" % self._parts)

    @cached_property
    def unfinished(self) -> re.Pattern[bytes]:
        """What may become a record when more text is read."""
        return re.compile(rb"(?:%(field)s%(sep)s)*+%(open)s\Z" % self._parts)

    def fields(self, record: bytes) -> list[str]:
        """The fields of a record without its line end."""
        found = re.findall(rb"(?:^|%(sep)s)(%(field)s)" % self._parts, record)
        quote = self.quote
        text = [field.decode() for field in found]
        return [f[1:-1].replace(2 * quote, quote) if quote and f.startswith(quote) else f for f in text]

    @property
    def _parts(self) -> dict[bytes, bytes]:
        separator, quote = re.escape(self.separator.encode()), re.escape(self.quote.encode())
        plain = rb"[^%s%s\r\n]*+" % (quote, separator)
        inside = rb"%(q)s(?:[^%(q)s]++|%(q)s%(q)s)*+" % {b"q": quote}
        parts = {b"sep": separator, b"field": plain, b"open": plain}
        if quote:
            parts |= {
                b"field": rb"(?:%s%s|%s)" % (inside, quote, plain),
                b"open": rb"(?:%s%s?|%s)" % (inside, quote, plain),
            }
        return parts


@dataclass(frozen=True)
class BrokenRecord:
    raw: bytes
    line: int
    problem: str


@dataclass(frozen=True)
class Block:
    """Consecutive records. text: those that can be read, with their line ends; raw: each of them without.

    lines: the line that each begins at.
    """

    text: bytes
    raw: pa.Array
    lines: np.ndarray
    broken: list[BrokenRecord] = field(default_factory=list)


def csv_blocks(chunks: Iterator[bytes], dialect: Dialect, *, line: int = 1) -> Iterator[Block]:
    """All records of the text. line: the number of its first line. Raises Unreadable for a line without an end."""
    text, is_last = b"", False
    while not is_last or text:
        more = _at_least(chunks, len(text))
        is_last = not more
        text += more
        if is_last and text and text[-1] != _LF:
            text += b"\n"
        block, used = _regular_block(text, dialect, line) or _careful_block(text, dialect, line, is_last=is_last)
        line += _line_ends(text[:used])
        text = text[used:]
        if len(block.raw) or block.broken:
            yield block


def take_header(chunks: Iterator[bytes], dialect: Dialect) -> tuple[bytes, int, Iterator[bytes]]:
    """The first record, the line after it, and the rest of the text; an empty record for empty text.

    Raises Unreadable for a first line that is no record.
    """
    text = b""
    while True:
        more = _at_least(chunks, len(text))
        text += more if more else b"\n"
        start, line = 0, 1
        while (record := dialect.record.match(text, start)) and not (record.end() == len(text) and more):
            line += max(1, _line_ends(record[0]))
            if record[1]:
                return record[1], line, _with_first(text[record.end() :], chunks)
            start = record.end()
        if not more and start == len(text):
            return b"", line, iter(())
        if not more or not (record or dialect.unfinished.match(text, start)) or len(text) > LONGEST_RECORD:
            raise Unreadable(f"has no header: in its line {line:,} {BROKEN_QUOTE}")


def _with_first(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _at_least(chunks: Iterator[bytes], length: int) -> bytes:
    """As much more as there is already, so that a long record is not looked at again and again; empty at the end."""
    pieces, found = [], 0
    for chunk in chunks:
        pieces.append(chunk)
        found += len(chunk)
        if found and found >= length:
            break
    return b"".join(pieces)


def _line_ends(text: bytes) -> int:
    return text.count(b"\n") or text.count(b"\r")


def _regular_block(text: bytes, dialect: Dialect, line: int) -> tuple[Block, int] | None:
    """The whole records at the beginning, found by counting quotes; None where a quote stands out of place."""
    array = np.frombuffer(text, np.uint8)
    quotes = np.flatnonzero(array == ord(dialect.quote)) if dialect.quote else np.empty(0, np.int64)
    breaks = np.flatnonzero(array == _LF)
    ends = breaks[np.searchsorted(quotes, breaks) % 2 == 0]
    used = int(ends[-1]) + 1 if len(ends) else 0
    quotes = quotes[: np.searchsorted(quotes, used)]
    if not used or not _are_in_place(array[:used], quotes, ord(dialect.separator)):
        return None
    starts = np.concatenate([[0], ends[:-1] + 1])
    lines = line + np.searchsorted(breaks, starts)
    returns = ends[(ends > starts) & (array[np.maximum(ends - 1, 0)] == _CR)] - 1
    is_content = np.ones(used, bool)
    is_content[ends] = is_content[returns] = False
    lengths = ends - starts
    lengths[np.searchsorted(ends, returns)] -= 1
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    content = array[:used][is_content].tobytes()
    raw = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), len(ends), [None, pa.py_buffer(offsets), pa.py_buffer(content)]
    )
    is_record = lengths > 0
    return Block(text[:used], raw.filter(pa.array(is_record)), lines[is_record]), used


def _are_in_place(array: np.ndarray, quotes: np.ndarray, separator: int) -> bool:
    """Whether quotes open after a separator or a line end, close before one, or are doubled; and lines end with LF."""
    opening, closing = quotes[::2], quotes[1::2]
    quote = array[quotes[0]] if len(quotes) else separator
    before, after = array[opening[opening > 0] - 1], array[closing + 1]
    allowed = (separator, _LF, quote)
    if not (np.isin(before, allowed).all() and np.isin(after, (*allowed, _CR)).all()):
        return False
    returns = np.flatnonzero(array == _CR)
    outside = returns[np.searchsorted(quotes, returns) % 2 == 0]
    return bool((array[outside + 1] == _LF).all())


def _careful_block(text: bytes, dialect: Dialect, line: int, *, is_last: bool) -> tuple[Block, int]:
    """The same record by record, whatever stands there."""
    position, good, raw, lines, broken = 0, [], [], [], []
    while position < len(text):
        record = dialect.record.match(text, position)
        if record and (is_last or record.end() < len(text) or text.endswith(b"\n")):
            end = record.end()
            if record[1]:
                good.append(record[0])
                raw.append(record[1])
                lines.append(line)
        elif not is_last and _may_go_on(text, position, dialect, is_whole=record is not None):
            break
        else:
            found = _LINE_END.search(text, position)
            if found is None or (found.end() == len(text) and not (is_last or text.endswith(b"\n"))):
                if len(text) - position > LONGEST_RECORD:
                    raise Unreadable(f"has a line {line:,} of more than {LONGEST_RECORD >> 20} MB")
                break
            end = found.end()
            broken.append(BrokenRecord(text[position : found.start()], line, BROKEN_QUOTE))
        line += _line_ends(text[position:end])
        position = end
    block = Block(b"".join(good), pa.array(raw, pa.large_binary()), np.array(lines, np.int64), broken)
    return block, position


def _may_go_on(text: bytes, position: int, dialect: Dialect, *, is_whole: bool) -> bool:
    return len(text) - position <= LONGEST_RECORD and (is_whole or dialect.unfinished.match(text, position) is not None)
