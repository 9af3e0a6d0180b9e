"""Fact versions and their visibility.

A version counts at a cut K while available_time <= K < superseded_at (S5, S7, S8).
"""

from datetime import timedelta

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from definitions.durations import to_datetime
from definitions.sources import PartitionBy, Source


def instant(us: int) -> Column:
    """An instant as a literal, the same under any session zone."""
    return F.timestamp_micros(F.lit(us))


def with_superseded_at(rows: DataFrame, source: Source, *, has_versions: bool) -> DataFrame:
    """Raw rows of a source, plus `superseded_at`: when a newer version of the same fact was known; null: never.

    has_versions=False says that no identity has two rows, and saves the shuffle. Retractions supersede and vanish (S8).
    """
    if not source.identity or not has_versions:
        versions = rows.withColumn("superseded_at", F.lit(None).cast("timestamp"))
    else:
        newer = (
            Window.partitionBy(*source.identity)
            .orderBy(*_version_order(source, rows.columns))
            .rowsBetween(1, Window.unboundedFollowing)
        )
        versions = rows.withColumn("superseded_at", F.min("available_time").over(newer))
    if source.retraction:
        versions = versions.where(~F.coalesce(F.col(source.retraction), F.lit(False)))
    # A version that was overtaken before it could be seen never counts.
    return versions.where("superseded_at is null or superseded_at > available_time")


def _version_order(source: Source, columns: list[str]) -> list[Column]:
    """S7: version_by, then available_time; then, so that the order is total, every column in declared order (S9).

    A correction may be loaded before its fact's landing delay is over: then both were known at one instant, and the
    load that brought them says which is newer.
    """
    named = [source.version_by] if source.version_by else []
    loaded = ["loaded_at"] if "loaded_at" in columns else []
    order = [*named, "available_time", *loaded, *(c.name for c in source.columns)]
    return [F.col(name).asc_nulls_first() for name in order]


def known_before(facts: DataFrame, *, as_of_us: int, cut_us: int) -> DataFrame:
    """The slice of T and K: facts with event_time < T that were known at K (S11)."""
    return facts.where((F.col("event_time") < instant(as_of_us)) & (F.col("available_time") <= instant(cut_us)))


def current_rows(rows: DataFrame, source: Source, *, has_versions: bool) -> DataFrame:
    """A static source's one row per identity; conflicting rows of one delivery resolve by the total order of S9."""
    if not source.identity or not has_versions:
        return rows
    order = [F.col(c.name).desc_nulls_last() for c in source.columns]
    newest = Window.partitionBy(*source.identity).orderBy(*order)
    return rows.withColumn("_nth", F.row_number().over(newest)).where("_nth = 1").drop("_nth")


def event_date(grain: PartitionBy) -> Column:
    """The partition of a fact: the UTC day of its event_time, or the first day of its week, month or year."""
    day = F.to_date("event_time")
    return day if grain is PartitionBy.DAY else F.trunc(day, grain.value)


def partition_of(us: int, grain: PartitionBy) -> str:
    """The same for one instant, as text."""
    day = to_datetime(us).date()
    first = {
        PartitionBy.DAY: day,
        PartitionBy.WEEK: day - timedelta(days=day.weekday()),
        PartitionBy.MONTH: day.replace(day=1),
        PartitionBy.YEAR: day.replace(month=1, day=1),
    }
    return first[grain].isoformat()
