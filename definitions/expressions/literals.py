"""Literals and names: read from text, written for definitions and for Spark."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal

from definitions.errors import DefinitionError
from definitions.expressions.terms import Term
from definitions.types import BIGINT, DATE, DOUBLE, INT, MAX_PRECISION, STRING, TIMESTAMP, decimal

_NUMBER = re.compile(r"(\d+)(\.\d+)?([eE][+-]?\d+)?")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")
_ZONELESS = re.compile(r"\d{4}-\d\d-\d\d([T ][\d:.]*)?")
_BARE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_READ_AS_CALLS = {
    "user",
    "session_user",
    "current_user",
    "current_catalog",
    "current_database",
    "current_schema",
}


def number(digits: str, *, negative: bool = False) -> Term:
    """A number by its type in Spark: whole int or bigint, with a point decimal, with an exponent double."""
    match = _NUMBER.fullmatch(digits)
    if not match:
        raise DefinitionError(f"{digits} is no number; write 1, 0.5 or 1e6")
    sign = "-" if negative else ""
    whole = str(int(match[1]))
    if match[3]:
        return _double(float(sign + digits))
    if not match[2]:
        return _whole(int(sign + whole))
    value = Decimal(whole + match[2])
    scale = len(match[2]) - 1
    precision = max(len(value.as_tuple().digits), scale)
    if precision > MAX_PRECISION:
        raise DefinitionError(f"{digits} has {precision} digits, a decimal holds 38; shorten it or write {digits}e0")
    text = sign + whole + match[2]
    return Term(text, text, decimal(precision, scale), literal=text)


def _whole(value: int) -> Term:
    if not -(2**63) <= value < 2**63:
        raise DefinitionError(f"{value} is beyond bigint; write {value}.0 for a decimal or {value}e0 for a double")
    kind = INT if -(2**31) <= value < 2**31 else BIGINT
    return Term(str(value), str(value), kind, literal=str(value))


def _double(value: float) -> Term:
    if value in (float("inf"), float("-inf")):
        raise DefinitionError("the number is beyond double; infinities are no values")
    # Always with an exponent, or it would be read as a decimal; + 0.0 turns −0.0 into 0.0.
    text = f"{Decimal(repr(value + 0.0)).normalize():e}"
    return Term(text, text, DOUBLE, literal=text)


def string(value: str) -> Term:
    """A string literal of printable characters; a quote is doubled in definitions, escaped for Spark."""
    if not value.isprintable():
        raise DefinitionError(f"the string {value!r} has an unprintable character; only printable text is allowed")
    return Term(_quoted(value, "''"), _quoted(value, "\\'"), STRING, literal=value)


def _quoted(value: str, quote: str) -> str:
    return "'" + value.replace("'", quote) + "'"


def day(value: str) -> Term:
    """`date'2017-11-30'`, nothing else: Spark would also read 'today' here, which changes by the day."""
    try:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            raise ValueError
        date.fromisoformat(value)
    except ValueError:
        raise DefinitionError(f"date'{value}' is no day; write it as date'2017-11-30'") from None
    return Term(f"date'{value}'", f"date'{value}'", DATE, literal=value)


def instant(value: str) -> Term:
    """`timestamp'2017-11-30T00:00:00Z'` with a zone or offset, written back in UTC; years 1900 to 2200."""
    if _ZONELESS.fullmatch(value):
        raise DefinitionError(f"timestamp'{value}' names no zone, so it is no instant; add Z or an offset: '{value}…Z'")
    try:
        if not _INSTANT.fullmatch(value):
            raise ValueError
        at = datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        raise DefinitionError(
            f"timestamp'{value}' is no instant; write it as timestamp'2017-11-30T05:00:00Z'"
        ) from None
    if not 1900 <= at.year <= 2200:
        raise DefinitionError(f"timestamp'{value}' is outside the years 1900 to 2200")
    text = f"timestamp'{at.replace(tzinfo=None).isoformat()}Z'"
    return Term(text, text, TIMESTAMP, literal=text)


def name(column: str, *, plain_word: bool) -> str:
    """A column name as it stands in SQL: bare if it is a plain word to every parser, else in backticks."""
    if plain_word and _BARE_NAME.fullmatch(column) and column.lower() not in _READ_AS_CALLS:
        return column
    return "`" + column.replace("`", "``") + "`"
