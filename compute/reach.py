"""How far the data of a source reach: what its loads can have brought, whatever single facts are dated (S5, S27)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from compute.delivered_times import event_time
from definitions.clocks import EventTime, Grain
from definitions.durations import DAY_US
from definitions.sources import Source
from temporal.versions import LOADED

# A fact stands alone when the gap before it is this long, and this many times the longest gap among all facts before.
_LONG_GAP_US = 30 * DAY_US
_TIMES_LONGER = 10
_FEWEST = 10  # of fewer facts nothing says which gap is usual
_ONE_OF = 10_000


@dataclass(frozen=True)
class EventDay:
    """The facts of one UTC day: the first and the last event time, in µs, and their number."""

    first_us: int
    last_us: int
    rows: int


def began(clock: EventTime) -> Column:
    """When a fact can have been known first: its event time, of a coarse one the start of its day or week (S6)."""
    return F.col("event_time") if clock.grain is Grain.INSTANT else event_time(replace(clock, known_at_start=True))


def not_ahead(facts: DataFrame, source: Source) -> DataFrame:
    """The raw facts that had begun when they were loaded; all of a source whose facts may lie ahead.

    A load quarantines the others; tables that an earlier version wrote may hold some.
    """
    clock = source.event_time
    if clock is None or clock.may_lie_ahead or LOADED not in facts.columns:
        return facts
    return facts.where(began(clock) <= F.col(LOADED))


def event_days(facts: DataFrame) -> list[EventDay]:
    """The days that have facts. Cost: one aggregate pass over the event times; as many rows as there are days."""
    at = F.unix_micros("event_time")
    per_day = facts.groupBy(F.to_date("event_time")).agg(
        F.min(at).alias("first_us"), F.max(at).alias("last_us"), F.count(F.lit(1)).alias("rows")
    )
    return [EventDay(row["first_us"], row["last_us"], row["rows"]) for row in per_day.collect()]


def reach_us(days: Iterable[EventDay], *, loaded_at_us: int | None = None) -> int | None:
    """The newest event time, at most that of the newest load; None without facts.

    Facts at the end that stand alone are not counted: at most one, or one of 10,000, after a gap of more than 30 days
    that is also more than ten times as long as any gap before it. Of fewer than ten facts all are counted.
    """
    ordered = sorted(days, key=lambda day: day.first_us)
    if not ordered:
        return None
    newest = _end(ordered)
    return newest if loaded_at_us is None else min(newest, loaded_at_us)


def _end(days: list[EventDay]) -> int:
    total = sum(day.rows for day in days)
    few = max(1, total // _ONE_OF) if total >= _FEWEST else 0
    gaps = [0, *(later.first_us - day.last_us for day, later in pairwise(days))]
    longest = list(accumulate(gaps, max))
    end, after = days[-1].last_us, 0
    for index in range(len(days) - 1, 0, -1):
        after += days[index].rows
        if after > few:
            break
        if gaps[index] > max(_LONG_GAP_US, _TIMES_LONGER * longest[index - 1]):
            end = days[index - 1].last_us
    return end
