"""Finds the objects of a JSON text, however they are arranged: one a line, several on a line, pretty-printed, an array.

Every object is read by itself, so that a broken one costs itself alone: its line, and the lines below it that are
indented more. Numbers stay the text they are. What is no object, and an object with a key twice, is a problem.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lakehouse.files.text_stream import Unreadable

LONGEST_OBJECT = 64 << 20
BROKEN, NO_OBJECT, KEY_TWICE = "it is no whole JSON object", "it is JSON, but no object", "it has a key twice"
DEEPEST = 200
TOO_DEEP = f"it is nested more than {DEEPEST} deep"
_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)
# Also what stands between files that were joined (a byte order mark), and between records (RFC 7464).
_BETWEEN = re.compile("[ \t\r\n,\ufeff\x1e]*")
_LINE_END = re.compile(r"\r\n?|\n")
# The end of a text may cut a literal or an escape in two: an error so close to it may be none.
_LONGEST_TOKEN = 16


class Literal(str):
    """A number as it is written; also true, false, NaN and infinities."""

    __slots__ = ()


class _KeyTwice(Exception):
    pass


@dataclass(frozen=True)
class Found:
    """An object (pairs of key and value), or the problem of what stands there."""

    raw: str
    line: int
    value: dict[str, Any] | None = None
    problem: str = ""


def json_objects(chunks: Iterator[str]) -> Iterator[Found]:
    """Everything that stands in the text, in order. Raises Unreadable for an array that does not end."""
    return _Scanner(chunks).found()


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _KeyTwice
    return found


_STRICT = json.JSONDecoder(object_pairs_hook=_object, parse_float=Literal, parse_int=Literal, parse_constant=Literal)
# Only for where an object with a key twice ends.
_LENIENT = json.JSONDecoder(parse_float=Literal, parse_int=Literal, parse_constant=Literal)


def _is_deep(text: str) -> bool:
    """Whether values are nested deeper than is read, in every process alike: Python itself stops somewhere later."""
    if text.count("[") + text.count("{") <= DEEPEST:
        return False
    depth = deepest = 0
    for found in _BRACKET.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found[0], 0)
        deepest = max(deepest, depth)
    return deepest > DEEPEST


class _Scanner:
    """The text from `position` on is still to be read; `line` and `indent` are those of the line it lies in."""

    def __init__(self, chunks: Iterator[str]) -> None:
        self.chunks, self.text, self.position = chunks, "", 0
        self.line, self.indent, self.is_indenting = 1, 0, True
        self.array_line, self.broken_line = 0, 0

    def found(self) -> Iterator[Found]:
        while self._skip_between():
            bracket = self.text[self.position]
            if bracket == "[" and not self.array_line:
                self.array_line = self.line
                self._advance(self.position + 1)
            elif bracket == "]" and self.array_line:
                self.array_line = 0
                self._advance(self.position + 1)
            elif (found := self._next()) is not None:
                yield found
        if self.array_line:
            where = f", and its line {self.broken_line:,} is broken" if self.broken_line else ""
            raise Unreadable(f"has an array, begun in line {self.array_line:,}, that does not end{where}")

    def _skip_between(self) -> bool:
        """Moves to the next value; False at the end of the text."""
        while True:
            between = _BETWEEN.match(self.text, self.position)
            self._advance(between.end() if between else self.position)
            if self.position < len(self.text):
                return True
            if not self._read_more():
                return False

    def _next(self) -> Found | None:
        """What begins here; None where more text was read first."""
        try:
            value, end, problem = self._decoded()
        except json.JSONDecodeError as error:
            return None if self._may_be_cut(error) else self._take(self._end_of_broken(), problem=BROKEN)
        except RecursionError:
            return self._take(self._end_of_broken(), problem=TOO_DEEP)
        if problem or isinstance(value, dict):
            is_deep = not problem and _is_deep(self.text[self.position : end])
            return self._take(end, value=None if is_deep else value, problem=TOO_DEEP if is_deep else problem)
        return self._no_object(end)

    def _decoded(self) -> tuple[Any, int, str]:
        try:
            return *_STRICT.raw_decode(self.text, self.position), ""
        except _KeyTwice:
            return None, _LENIENT.raw_decode(self.text, self.position)[1], KEY_TWICE

    def _no_object(self, end: int) -> Found | None:
        """A scalar or a list. What stands behind it on its line belongs to it, if it is no value of its own."""
        if _LINE_END.search(self.text, end) is None and not self._is_long() and self._read_more():
            return None
        line_end = _LINE_END.search(self.text, end)
        rest = self.text[end : line_end.start() if line_end else len(self.text)]
        is_alone = rest.lstrip(" \t")[:1] in ("", ",", "]")
        return self._take(end if is_alone else end + len(rest), problem=NO_OBJECT if is_alone else BROKEN)

    def _may_be_cut(self, error: json.JSONDecodeError) -> bool:
        """Whether the error may be that not all was read yet; then more was read."""
        is_cut = error.msg.startswith("Unterminated string") or len(self.text) - error.pos < _LONGEST_TOKEN
        return is_cut and not self._is_long() and self._read_more()

    def _end_of_broken(self) -> int:
        """The end of the line, or of the lines below it that are indented more, with the bracket that closes them."""
        lines = re.compile(rf"[^\r\n]*(?:(?:\r\n?|\n)[ \t]{{{self.indent + 1},}}[^\r\n]*)*")
        while True:
            found = lines.match(self.text, self.position)
            end = found.end() if found else len(self.text)
            is_next_line_there = _LINE_END.search(self.text, end + 2) is not None
            if is_next_line_there or self._is_long() or not self._read_more():
                break
        has_lines = _LINE_END.search(self.text, self.position, end) is not None
        closing = re.compile(rf"(?:\r\n?|\n)[ \t]{{{self.indent}}}}},?").match(self.text, end) if has_lines else None
        return closing.end() if closing else end

    def _is_long(self) -> bool:
        return len(self.text) - self.position > LONGEST_OBJECT

    def _take(self, end: int, *, value: dict[str, Any] | None = None, problem: str = "") -> Found:
        found = Found(self.text[self.position : end].rstrip(), self.line, value, problem)
        if problem and self.array_line and not self.broken_line:
            self.broken_line = self.line
        self._advance(end)
        return found

    def _advance(self, end: int) -> None:
        passed = self.text[self.position : end]
        ends = passed.count("\n") or passed.count("\r")
        if ends:
            self.indent, self.is_indenting = 0, True
        if self.is_indenting:
            of_line = _LINE_END.split(passed)[-1]
            blank = len(of_line) - len(of_line.lstrip(" \t"))
            self.indent += blank
            self.is_indenting = blank == len(of_line)
        self.line += ends
        self.position = end

    def _read_more(self) -> bool:
        """Adds at least as much text as is left; False at the end."""
        left = self.text[self.position :]
        pieces, added = [left], 0
        while added <= len(left) and (chunk := next(self.chunks, None)) is not None:
            pieces.append(chunk)
            added += len(chunk)
        if not added:
            return False
        self.text, self.position = "".join(pieces), 0
        return True
