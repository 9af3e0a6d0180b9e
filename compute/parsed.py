"""A delivered value on its way to a typed one: what it is, and what is wrong with it."""

from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql import functions as F

from definitions import sources as s


@dataclass(frozen=True)
class Parsed:
    """A column's value, and what is wrong with it (null: nothing)."""

    value: Column
    problem: Column


def unless(ok: Column, raw: Column, column: s.Column, what: str) -> Column:
    """`{column} {what}` for a delivered value that is not ok; null is no value, and nothing is wrong with it."""
    return F.when(raw.isNotNull() & ~F.coalesce(ok, F.lit(False)), F.lit(f"{column.name} {what}"))
