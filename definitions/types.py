"""The types of columns, in one table: the Arrow type of each, what may be delivered for it, and how it is written.

A type is written as Spark SQL writes it: `bigint`, `decimal(8,2)`. Nothing is loaded here but the standard library;
`arrow_type` loads pyarrow when it is called.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from definitions.errors import DefinitionError

MAX_PRECISION = 38
_DECIMAL = re.compile(r"decimal\((\d{1,2}),(\d{1,2})\)")
_DECIMAL_SPACED = re.compile(r"decimal\s*\(\s*(\d{1,2})\s*,\s*(\d{1,2})\s*\)")
_SYNONYMS = {"integer": "int", "long": "bigint", "bool": "boolean"}


@dataclass(frozen=True)
class SqlType:
    """A type by its name in Spark SQL; precision and scale are set for decimals alone."""

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

    @property
    def is_fraction(self) -> bool:
        return self.is_number and not self.is_whole

    @property
    def is_time(self) -> bool:
        return self.name in ("date", "timestamp")

    @property
    def may_be_key(self) -> bool:
        """Whether a join key may have this type: two doubles that print alike need not be equal (S17)."""
        return self.name != "double"

    @property
    def delivered_as(self) -> frozenset[str]:
        """The types that a typed file may hold for it, by their Spark names without precision."""
        return _TABLE[self.name].delivered_as

    @property
    def text_form(self) -> str:
        """How a value of it is written as text, with an example, e.g. `a date, e.g. 2017-11-30`."""
        return _TABLE[self.name].text_form or f"a {self}, e.g. 12.50"


@dataclass(frozen=True, kw_only=True)
class _Row:
    """One line of the table. `arrow` makes the Arrow type from pyarrow and the type."""

    arrow: Callable[[Any, SqlType], Any]
    delivered_as: frozenset[str] = frozenset()
    text_form: str = ""
    is_declared: bool = True


_WHOLE = frozenset({"tinyint", "smallint", "int"})
_NUMBERS = _WHOLE | {"bigint", "float", "double", "decimal"}
_TIMES = frozenset({"timestamp", "timestamp_ntz"})

_TABLE: Mapping[str, _Row] = {
    "boolean": _Row(
        arrow=lambda pa, _: pa.bool_(),
        delivered_as=frozenset({"boolean"}),
        text_form="true or false",
    ),
    "int": _Row(
        arrow=lambda pa, _: pa.int32(),
        delivered_as=_WHOLE,
        text_form="a whole number up to 2,147,483,647, e.g. 1234",
    ),
    "bigint": _Row(
        arrow=lambda pa, _: pa.int64(),
        delivered_as=_WHOLE | {"bigint", "decimal"},
        text_form="a whole number of 64 bits, e.g. 1234",
    ),
    "double": _Row(arrow=lambda pa, _: pa.float64(), delivered_as=_NUMBERS),
    "decimal": _Row(arrow=lambda pa, type_: pa.decimal128(type_.precision, type_.scale), delivered_as=_NUMBERS),
    "string": _Row(
        arrow=lambda pa, _: pa.string(),
        delivered_as=frozenset({"string", "binary"}),
        text_form="text",
    ),
    "date": _Row(
        arrow=lambda pa, _: pa.date32(),
        delivered_as=_TIMES | {"date"},
        text_form="a date, e.g. 2017-11-30",
    ),
    "timestamp": _Row(
        arrow=lambda pa, _: pa.timestamp("us", tz="UTC"),
        delivered_as=_TIMES,
        text_form="an instant with a zone, e.g. 2017-11-30T06:00:00Z",
    ),
    # No source can declare it; the format of the online store can hold it.
    "binary": _Row(arrow=lambda pa, _: pa.binary(), text_form="base64", is_declared=False),
}

BOOLEAN, INT, BIGINT, DOUBLE = SqlType("boolean"), SqlType("int"), SqlType("bigint"), SqlType("double")
STRING, DATE, TIMESTAMP = SqlType("string"), SqlType("date"), SqlType("timestamp")
VOID = SqlType("void")  # what a bare null literal has until it meets a typed neighbour
KNOWN = ", ".join("decimal(p,s)" if name == "decimal" else name for name, row in _TABLE.items() if row.is_declared)


def decimal(precision: int, scale: int) -> SqlType:
    """A decimal type; precision 1 to 38 and scale up to precision, else DefinitionError."""
    if not _fits(precision, scale):
        raise DefinitionError(
            f"decimal({precision},{scale}) is no type: precision goes from 1 to 38 and scale up to precision"
        )
    return SqlType("decimal", precision, scale)


def _fits(precision: int, scale: int) -> bool:
    return 1 <= precision <= MAX_PRECISION and scale <= precision


def parse_type(text: str) -> SqlType | None:
    """The type that an expression means by a name in any case, also `long` or `decimal( 8, 2 )`.

    None if expressions can't hold values of it.
    """
    name = text.strip().lower()
    if digits := _DECIMAL_SPACED.fullmatch(name):
        return decimal(int(digits[1]), int(digits[2]))
    name = _SYNONYMS.get(name, name)
    return SqlType(name) if name in _TABLE and name != "decimal" and _TABLE[name].is_declared else None


def find_type(text: str) -> SqlType | None:
    """The type of a column, exactly as it is declared or stored; None for any other text."""
    if (digits := _DECIMAL.fullmatch(text)) is not None:
        precision, scale = int(digits[1]), int(digits[2])
        return SqlType("decimal", precision, scale) if _fits(precision, scale) else None
    return SqlType(text) if text in _TABLE and text != "decimal" else None


def type_named(text: str) -> SqlType:
    """`find_type`, for a column that was checked when it was declared. Raises DefinitionError for any other text."""
    type_ = find_type(text)
    if type_ is None:
        raise DefinitionError(f"'{text}' is not a type; use {KNOWN}.")
    return type_


def check_type(text: str, where: str) -> None:
    """Raises DefinitionError for a type that a column can't be declared with."""
    type_ = find_type(text)
    if type_ is None and _DECIMAL.fullmatch(text):
        raise DefinitionError(f"{where}: '{text}' needs 1 to 38 digits and no more decimals than digits.")
    if type_ is None or not _TABLE[type_.name].is_declared:
        raise DefinitionError(f"{where}: type '{text}' is unknown; use {KNOWN}.")


def arrow_type(text: str) -> Any:
    """The Arrow type of a column's values, e.g. `timestamp[us, tz=UTC]` for timestamp. Loads pyarrow."""
    import pyarrow as pa

    type_ = type_named(text)
    return _TABLE[type_.name].arrow(pa, type_)
