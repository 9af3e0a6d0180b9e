"""The types of a spine's columns: text of CSV files is read by them, and every other spine has to have them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from compute.delivered_values import parse_value
from compute.parsed import without_blanks
from definitions.columns import Column as DeclaredColumn
from definitions.errors import (
    DefinitionError,
    LabelTimeError,
    SpineColumnsError,
    SpineKeyError,
    SpineMissing,
    UsageError,
    ZigguratError,
    did_you_mean,
)
from definitions.types import check_type
from lakehouse.files.records import FILE, PROBLEM, Records
from lakehouse.files.text_batches import LINE

LABEL_TIME = "label_time"


@dataclass(frozen=True)
class SpineTypes:
    """keys: the types of join keys. others: those of columns that the spine's owner declares (`--type`).

    All other columns are what they are: text in CSV files.
    """

    keys: Mapping[str, str]
    others: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, type_ in self.others.items():
            if name in self.keys or name == LABEL_TIME:
                what = "the label time" if name == LABEL_TIME else "a join key"
                raise UsageError(f"column '{name}' is {what} and has its type already; leave it out of --type.")
            try:
                check_type(type_, f"--type {name}")
            except DefinitionError as error:
                raise UsageError(str(error)) from None

    @property
    def checked(self) -> tuple[str, ...]:
        return (LABEL_TIME, *self.keys, *self.others)

    def of(self, name: str) -> str:
        """The type by which a column of text is read."""
        return "timestamp" if name == LABEL_TIME else self.keys.get(name) or self.others.get(name, "string")

    def refuse_others(self, spine: DataFrame) -> None:
        """Raises SpineColumnsError for a declared column that the spine lacks, or has as another type."""
        found = dict(spine.dtypes)
        for name, type_ in self.others.items():
            if name not in found:
                raise SpineColumnsError(
                    f"the spine has no column '{name}', of which a type is declared.{did_you_mean(name, found)}"
                )
            if found[name] != type_:
                raise SpineColumnsError(
                    f"column '{name}' is {found[name]} in the spine, declared {type_}. Only text of CSV files is read "
                    f"by declared types: cast it, e.g. cast({name} as {type_})."
                )


def parsed_types(words: Sequence[str]) -> dict[str, str]:
    """`price=decimal(8,2)`: the spine's column, then its type. Raises UsageError."""
    types: dict[str, str] = {}
    for word in words:
        column, equals, type_ = word.rpartition("=")
        if not equals or not column:
            raise UsageError(f"--type {word} names no type; write --type price=double.")
        if types.setdefault(column, type_) != type_:
            raise UsageError(f"--type gives '{column}' the types {types[column]} and {type_}; give it one.")
    return types


def typed_text(text: Records, types: SpineTypes) -> DataFrame:
    """The records by the types. Raises what `_invalid` has for a value that is none. Cost: a pass."""
    names = list(text.types)
    # Text is taken byte for byte; only around numbers and times do blanks mean nothing.
    raw = {n: text.column(n) if types.of(n) == "string" else without_blanks(text.column(n)) for n in names}
    values = {name: _value(raw[name], types.of(name)) for name in names}
    checked = [name for name in types.checked if name in values]
    invalid = {PROBLEM: F.col(PROBLEM).isNotNull()}
    invalid |= {name: raw[name].isNotNull() & values[name].isNull() for name in checked}
    shown = {PROBLEM: F.col(PROBLEM)} | {name: raw[name] for name in checked}
    found = [
        F.struct(
            F.count_if(is_invalid).alias("rows"),
            F.min(F.when(is_invalid, F.struct(FILE, LINE, shown[name].alias("shown")))).alias("first"),
        )
        for name, is_invalid in invalid.items()
    ]
    row = text.frame.agg(F.array(*found).alias("found")).first()
    for name, counted in zip(invalid, row["found"] if row else [], strict=False):
        if counted["rows"]:
            first = counted["first"]
            where = f"{first[FILE] or text.path}, line {first[LINE] or 0:,}"
            raise _invalid(name, types, counted["rows"], where=where, shown=first["shown"])
    return text.frame.select(*[value.alias(name) for name, value in values.items()])


def _value(raw: Column, type_: str) -> Column:
    """As a source reads a value of the type; null where it is none."""
    if type_ == "string":
        return raw
    parsed = parse_value(raw, DeclaredColumn("value", type_), "string")
    return F.when(parsed.problem.isNull(), parsed.value)


def _invalid(name: str, types: SpineTypes, rows: int, *, where: str, shown: str) -> ZigguratError:
    if name == PROBLEM:
        return SpineMissing(
            f"the spine can't be read whole: {rows:,} records can't be used, first {where}: {shown}. Correct the file; "
            "a spine keeps all of its rows (S15)."
        )
    if name == LABEL_TIME:
        return LabelTimeError(
            f"{where}: {rows:,} label times name no instant, first '{shown}'; write them with a zone, "
            "e.g. 2017-11-27T12:00:00Z (S3)."
        )
    if name in types.keys:
        return SpineKeyError(f"{where}: {rows:,} values of key '{name}' are no {types.of(name)}, first '{shown}'.")
    return SpineColumnsError(
        f"{where}: {rows:,} values of column '{name}' are no {types.of(name)}, first '{shown}'. Correct them, or leave "
        "out --type: then the column is the text that it is."
    )
