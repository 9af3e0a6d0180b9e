"""A delivered value converted to its declared type, with the reason where that is not possible."""

from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql import functions as F

from definitions.columns import Column as DeclaredColumn

_BLANKS = " \t"


@dataclass(frozen=True)
class Parsed:
    """A column's typed value, and why it can't be used (null: it can)."""

    value: Column
    problem: Column


def unless(ok: Column, raw: Column, column: DeclaredColumn, what: str) -> Column:
    """The reason `{column} {what}` where a delivered value is not ok; a null value never has a reason."""
    return F.when(raw.isNotNull() & ~F.coalesce(ok, F.lit(False)), F.lit(f"{column.name} {what}"))


def no_problem() -> Column:
    return F.lit(None).cast("string")


def without_blanks(text: Column) -> Column:
    """Text without the spaces and tabs around it; null where nothing else is in it."""
    return F.nullif(F.btrim(text, F.lit(_BLANKS)), F.lit(""))
