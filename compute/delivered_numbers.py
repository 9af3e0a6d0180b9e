"""Delivered numbers and truth values converted to their declared types (S23).

Text is a number in plain notation: a sign or none, digits, for fractions a point and an exponent of up to three digits.
Java and Spark read more, and not all of it as it was meant: `12d`, `1F`, `0x1p3`, `Infinity`.
"""

from pyspark.sql import Column
from pyspark.sql import functions as F

from compute.parsed import Parsed, no_problem, unless
from definitions.columns import Column as DeclaredColumn
from definitions.columns import Nan
from definitions.types import type_named

_WHOLE = r"\A[+-]?[0-9]+\z"
_NUMBER = r"\A[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?\z"
_NAN = r"(?i)\A[+-]?nan\z"
_TRUE, _FALSE = (rf"(?i)\A({words})\z" for words in ("true|t|yes|y|1", "false|f|no|n|0"))
# How far a double may be from a whole number of quanta: sums of money in double are not exact. Large amounts are
# accepted where they are the nearest double to such a number.
_NOISE = 1e-6


def parse_boolean(raw: Column, column: DeclaredColumn, delivered_type: str) -> Parsed:
    """True and false by one of their words in text, in any case."""
    if delivered_type != "string":
        return Parsed(raw, no_problem())
    value = F.when(raw.rlike(_TRUE), F.lit(True)).when(raw.rlike(_FALSE), F.lit(False))
    return Parsed(value, unless(value.isNotNull(), raw, column, "is not boolean"))


def parse_whole(raw: Column, column: DeclaredColumn, delivered_type: str) -> Parsed:
    """A whole number that fits the type."""
    whole = raw
    if delivered_type == "string":
        whole = F.when(raw.rlike(_WHOLE), raw)
    elif delivered_type.startswith("decimal"):
        whole = F.when(_has_decimals(raw.cast("string"), 0), raw)
    value = whole.try_cast(column.type)
    return Parsed(value, unless(value.isNotNull(), raw, column, f"is not {column.type}"))


def parse_double(raw: Column, column: DeclaredColumn, delivered_type: str) -> Parsed:
    """A finite number; NaN is null where the column says so."""
    is_text = delivered_type == "string"
    value = (F.when(raw.rlike(_NUMBER), raw) if is_text else raw).try_cast("double")
    # Spark orders NaN above every number, so one comparison finds both.
    finite = F.abs(value) < F.lit(float("inf"))
    # Adding 0.0 turns -0.0 into 0.0 and leaves every other number alone.
    number = F.when(finite, value + F.lit(0.0))
    if column.nan is Nan.REFUSE:
        return Parsed(number, unless(finite, raw, column, "is NaN, infinite or not a number"))
    is_nan = raw.rlike(_NAN) if is_text else F.isnan(value)
    return Parsed(number, unless(finite | is_nan, raw, column, "is infinite or not a number"))


def parse_decimal(raw: Column, column: DeclaredColumn, delivered_type: str) -> Parsed:
    """A number that fits, and has no more decimals than the type; a floating one up to representation noise."""
    scale = type_named(column.type).scale
    is_text = delivered_type == "string"
    number = F.when(raw.rlike(_NUMBER), raw) if is_text else raw
    value = number.try_cast(column.type)
    problem = F.coalesce(
        unless(number.isNotNull(), raw, column, "is not a number"),
        unless(value.isNotNull(), raw, column, f"does not fit {column.type}"),
        unless(_is_whole(raw, value, delivered_type, scale), raw, column, f"is not a whole number of {quantum(scale)}"),
    )
    return Parsed(value, problem)


def quantum(scale: int) -> str:
    """The last digit of a scale: `0.01` for 2."""
    return f"0.{1:0{scale}d}" if scale else "1"


def _is_whole(raw: Column, value: Column, delivered_type: str, scale: int) -> Column:
    """Whether nothing was rounded away. Never by a cast to another decimal, which has too few digits for some."""
    if delivered_type in ("double", "float"):
        quanta = raw * F.lit(float(10**scale))
        return (F.abs(quanta - F.rint(quanta)) < F.lit(_NOISE)) | (value.cast(delivered_type) == raw)
    if delivered_type == "string":
        return _has_decimals(raw, scale)
    delivered = type_named(delivered_type) if delivered_type.startswith("decimal") else None
    if delivered is None or delivered.scale <= scale:
        return F.lit(True)
    return _has_decimals(raw.cast("string"), scale)


def _has_decimals(number: Column, scale: int) -> Column:
    """Whether a number in plain notation has at most so many decimals that are not zeros at its end."""
    plain = rf"\A[+-]?[0-9]*(\.[0-9]{{0,{scale}}}0*)?\z"
    mantissa = F.regexp_extract(number, r"\A[+-]?([0-9.]*)", 1)
    exponent = F.coalesce(F.regexp_extract(number, r"[eE](.*)\z", 1).try_cast("int"), F.lit(0))
    digits = F.replace(mantissa, F.lit("."))
    kept = F.rtrim(digits, F.lit("0"))
    decimals = F.length(F.regexp_extract(mantissa, r"\.(.*)\z", 1)) - (F.length(digits) - F.length(kept)) - exponent
    return F.when(number.rlike(plain), F.lit(True)).otherwise((kept == "") | (decimals <= scale))
