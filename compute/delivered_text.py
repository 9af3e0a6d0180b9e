"""Delivered text: strings, bytes that are UTF-8, and the text that several delivered columns make together."""

from collections.abc import Mapping, Sequence

from pyspark.sql import Column
from pyspark.sql import functions as F

from compute.parsed import Parsed, unless, without_blanks
from definitions.columns import Column as DeclaredColumn

_ONE_DIGIT = r"\A[0-9]\z"


def parse_string(raw: Column, column: DeclaredColumn, delivered_type: str) -> Parsed:
    """The text as it is, whose bytes have to be UTF-8: files that say so may hold others."""
    text = raw.cast("string") if delivered_type == "binary" else raw
    is_valid = F.is_valid_utf8(text)
    return Parsed(F.when(is_valid, text), unless(is_valid, raw, column, "is not UTF-8"))


def combined(between: Sequence[str], names: Sequence[str], delivered: Mapping[str, tuple[Column, str]]) -> Column:
    """The text of several columns with what stands between, before and after them; null where one of them is null.

    delivered: value and type by the delivered name. A single digit gets a zero before it: 7:5 is 07:05.
    """
    parts = [_part(*delivered[name]) for name in names]
    ends = [F.lit(text) for text in between]
    return F.concat(ends[0], *[piece for pair in zip(parts, ends[1:], strict=True) for piece in pair])


def _part(value: Column, delivered_type: str) -> Column:
    text = _written(value, delivered_type)
    return F.when(text.rlike(_ONE_DIGIT), F.concat(F.lit("0"), text)).otherwise(text)


def _written(value: Column, delivered_type: str) -> Column:
    """A value as text. Whole numbers may come as fractions, where others of the column are missing; days as times."""
    if delivered_type == "string":
        return without_blanks(value)
    text = value.cast("string")
    if delivered_type in ("float", "double") or delivered_type.startswith("decimal"):
        whole = value.try_cast("bigint")
        return F.when(whole == value, whole.cast("string")).otherwise(text)
    if delivered_type == "timestamp_ntz":
        return F.regexp_replace(text, r" 00:00:00\z", "")
    return text
