"""Instants as Spark columns, the same under any session zone (S1, S2), and the partition that a fact lies in."""

from datetime import timedelta

from pyspark.sql import Column
from pyspark.sql import functions as F

from definitions.durations import to_datetime
from definitions.tables import PartitionBy


def instant(us: int) -> Column:
    """The instant this many microseconds after the epoch, as a literal."""
    return F.timestamp_micros(F.lit(us))


def moved(at: Column, by_us: Column | int) -> Column:
    """The instant this many microseconds later, or earlier where negative (S4: never a wall-clock time)."""
    return F.timestamp_micros(F.unix_micros(at) + by_us)


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
