"""How types meet inside an expression: what two or more of them can become without loss."""

from collections.abc import Iterable
from functools import reduce

from definitions.errors import DefinitionError
from definitions.types import BIGINT, DOUBLE, MAX_PRECISION, VOID, SqlType, decimal


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
