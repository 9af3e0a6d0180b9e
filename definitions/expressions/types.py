"""The types an expression can have, and the rules by which they meet."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

from definitions.errors import DefinitionError

MAX_PRECISION = 38
_NAMES = {"integer": "int", "long": "bigint", "bool": "boolean"}
_DECIMAL = re.compile(r"decimal\s*\(\s*(\d{1,2})\s*,\s*(\d{1,2})\s*\)")


@dataclass(frozen=True)
class SqlType:
    """A Spark SQL type by name; precision and scale are set for decimals alone."""

    name: str
    precision: int = 0
    scale: int = 0

    def __str__(self) -> str:
        return f"decimal({self.precision},{self.scale})" if self.is_decimal else self.name

    @property
    def is_decimal(self) -> bool:
        return self.name == "decimal"

    @property
    def is_whole(self) -> bool:
        return self.name in ("int", "bigint")

    @property
    def is_number(self) -> bool:
        return self.is_whole or self.is_decimal or self.name == "double"


BOOLEAN, INT, BIGINT, DOUBLE = SqlType("boolean"), SqlType("int"), SqlType("bigint"), SqlType("double")
STRING, DATE, TIMESTAMP = SqlType("string"), SqlType("date"), SqlType("timestamp")
VOID = SqlType("void")  # what a bare null literal has until it meets a typed neighbour
_PLAIN = {str(t): t for t in (BOOLEAN, INT, BIGINT, DOUBLE, STRING, DATE, TIMESTAMP)}
KNOWN = "boolean, int, bigint, double, decimal(p,s), string, date, timestamp"


def decimal(precision: int, scale: int) -> SqlType:
    """A decimal type; precision 1 to 38 and scale up to precision, else DefinitionError."""
    if not 1 <= precision <= MAX_PRECISION or scale > precision:
        raise DefinitionError(
            f"decimal({precision},{scale}) is no type: precision goes from 1 to 38 and scale up to precision"
        )
    return SqlType("decimal", precision, scale)


def parse_type(text: str) -> SqlType | None:
    """The type that a Spark type name means, None if expressions can't hold values of it."""
    name = text.strip().lower()
    if found := _DECIMAL.fullmatch(name):
        return decimal(int(found[1]), int(found[2]))
    return _PLAIN.get(_NAMES.get(name, name))


def as_decimal(given: SqlType) -> SqlType:
    """The decimal type that holds every value of a whole or decimal type."""
    return {"int": decimal(10, 0), "bigint": decimal(20, 0)}.get(given.name, given)


def _wider(left: SqlType, right: SqlType) -> SqlType:
    scale = max(left.scale, right.scale)
    precision = max(left.precision - left.scale, right.precision - right.scale) + scale
    if precision > MAX_PRECISION:
        raise DefinitionError(f"{left} and {right} have no common type of at most 38 digits; cast one of them first")
    return decimal(precision, scale)


def common_type(types: Iterable[SqlType]) -> SqlType | None:
    """The one type that all can be widened to without loss (to double: as near as a double is), else None.

    Null literals fit all; only null literals together are void."""
    distinct = set(types) - {VOID}
    if len(distinct) <= 1:
        return next(iter(distinct), VOID)
    if not all(t.is_number for t in distinct):
        return None
    if DOUBLE in distinct:
        return DOUBLE
    if any(t.is_decimal for t in distinct):
        return reduce(_wider, sorted(map(as_decimal, distinct), key=str))
    return BIGINT


def arithmetic_type(operator: str, left: SqlType, right: SqlType) -> SqlType:
    """The type of `+`, `-` or `*` between two numbers: Spark's decimal rule, bigint for whole numbers.

    Raises DefinitionError where Spark would silently drop digits of scale to stay within 38."""
    if DOUBLE in (left, right):
        return DOUBLE
    if left.is_whole and right.is_whole:
        return BIGINT
    a, b = as_decimal(left), as_decimal(right)
    if operator == "*":
        precision, scale = a.precision + b.precision + 1, a.scale + b.scale
    else:
        scale = max(a.scale, b.scale)
        precision = max(a.precision - a.scale, b.precision - b.scale) + scale + 1
    whole_digits = precision - scale
    if precision > MAX_PRECISION and max(MAX_PRECISION - whole_digits, min(scale, 6)) < scale:
        raise DefinitionError(
            f"{left} {operator} {right} needs {precision} digits and would lose decimals at 38; "
            "cast one side to a smaller decimal or to double first"
        )
    return decimal(min(precision, MAX_PRECISION), scale)
