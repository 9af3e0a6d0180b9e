"""Which of several facts is the latest: S9's total order, as columns that Spark's `max` and `order by` take.

The order is `clock_order`, then `column_order`. Both are structs, which Spark compares field by field, nulls first.
"""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from definitions.sources import Source
from temporal.comparable import orderable, quoted
from temporal.versions import is_marked


def clock_order(
    schema: StructType,
    *,
    event_time: Column,
    available_time: Column,
    tie_break: Sequence[str] = (),
    tombstone: str | None = None,
) -> Column:
    """S9 before the view's columns: a struct of event_time, tie_0 …, available_time and is_ended (a tombstone).

    Facts that are equal in it are tied. schema: of the frame that has the tie-break's columns.
    """
    ties = [column.alias(f"tie_{n}") for n, column in enumerate(comparable_columns(schema, tie_break))]
    return F.struct(
        event_time.alias("event_time"),
        *ties,
        available_time.alias("available_time"),
        is_marked(tombstone).alias("is_ended"),
    )


def column_order(schema: StructType, names: Sequence[str]) -> Column:
    """The rest of S9: a struct of these columns, in this order, as c0, c1, …; of no columns a struct of one null."""
    columns = [column.alias(f"c{n}") for n, column in enumerate(comparable_columns(schema, names))]
    return F.struct(*columns) if columns else F.struct(F.lit(None).cast("boolean").alias("nothing"))


def comparable_columns(schema: StructType, names: Sequence[str]) -> list[Column]:
    """These columns with their values in a form that Spark can put in order."""
    return [orderable(quoted(name), schema[name].dataType) for name in names]


def current_rows(rows: DataFrame, source: Source, *, has_versions: bool) -> DataFrame:
    """A static source's one row per identity: of several the greatest by its columns in declared order (S9).

    has_versions=False says that no identity has two rows, and saves the shuffle.
    """
    if not source.identity or not has_versions:
        return rows
    columns = comparable_columns(rows.schema, [column.name for column in source.columns])
    greatest_first = Window.partitionBy(*source.identity).orderBy(*[c.desc_nulls_last() for c in columns])
    return rows.withColumn("_nth", F.row_number().over(greatest_first)).where("_nth = 1").drop("_nth")
