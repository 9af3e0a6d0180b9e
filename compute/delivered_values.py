"""A delivered value of any type converted to its declared one: sources and spines read values alike."""

from collections.abc import Callable, Mapping

from pyspark.sql import Column

from compute.delivered_numbers import parse_boolean, parse_decimal, parse_double, parse_whole
from compute.delivered_text import parse_string
from compute.delivered_times import parse_date, parse_timestamp
from compute.parsed import Parsed
from definitions.clocks import Ambiguous
from definitions.columns import Column as DeclaredColumn
from definitions.types import type_named


def parse_value(
    raw: Column, column: DeclaredColumn, delivered_type: str, choice: Ambiguous = Ambiguous.QUARANTINE
) -> Parsed:
    """The value, or the reason why it is none. choice: what a local time means on a DST night (S3)."""
    if column.type == "timestamp":
        return parse_timestamp(raw, column, delivered_type, choice)
    return _PARSERS[type_named(column.type).name](raw, column, delivered_type)


_PARSERS: Mapping[str, Callable[[Column, DeclaredColumn, str], Parsed]] = {
    "boolean": parse_boolean,
    "int": parse_whole,
    "bigint": parse_whole,
    "double": parse_double,
    "decimal": parse_decimal,
    "string": parse_string,
    "date": parse_date,
}
