"""Delivered times converted to instants: instants, local times and calendar days (S1, S3, S6)."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from compute.parsed import Parsed, unless
from definitions.clocks import Ambiguous, EventTime, Grain
from definitions.columns import Column as DeclaredColumn
from definitions.durations import DAY_US
from temporal.instants import moved

# Spark's own parser accepts more: a time of day as today's, a year as its first day, a local time with another zone.
_DAY = r"\d{4}-\d{1,2}-\d{1,2}"
_CLOCK = r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?"
_WITH_ZONE = rf"^{_DAY}[T ]{_CLOCK} ?(Z|[+-]\d{{2}}:?\d{{2}})$"
_NAIVE = rf"^{_DAY}([T ]{_CLOCK})?$"
_A_DAY = rf"^{_DAY}([T ]00:00(:00(\.0+)?)?)?$"
_FINER = r"\.\d{6}\d*[1-9]"


def event_time(clock: EventTime) -> Column:
    """The instant itself, or the end (start, if known then) of the local day or week (S6)."""
    if clock.grain is Grain.INSTANT:
        return F.col(clock.column)
    days = 0 if clock.known_at_start else {Grain.DAY: 1, Grain.WEEK: 7}[clock.grain]
    return F.to_utc_timestamp(F.date_add(clock.column, days).cast("timestamp"), clock.zone)


def is_outside(at: Column) -> Column:
    """Whether a time is before 1900 or after 2199, which no valid time is (S1)."""
    first, end = (F.lit(f"{year}-01-01T00:00:00Z").cast("timestamp") for year in (1900, 2200))
    return (at < first) | (at >= end)


def parse_date(raw: Column, column: DeclaredColumn, delivered_type: str) -> Parsed:
    """A calendar day; a timestamp or text with a time of day other than midnight is refused."""
    if delivered_type == "string":
        value = F.when(raw.rlike(_A_DAY), F.substring_index(F.substring_index(raw, "T", 1), " ", 1)).try_cast("date")
        return Parsed(value, unless(value.isNotNull(), raw, column, "is not a day"))
    value = raw.try_cast("date")
    ok = value.isNotNull()
    if delivered_type.startswith("timestamp"):
        ok = ok & (value.cast(delivered_type) == raw)
    return Parsed(value, unless(ok, raw, column, "is not a day"))


def parse_timestamp(raw: Column, column: DeclaredColumn, delivered_type: str, choice: Ambiguous) -> Parsed:
    """An instant, from instants or, where the column declares its zone, from local times."""
    if delivered_type == "timestamp":
        return _within(Parsed(raw, F.lit(None).cast("string")), column)
    if delivered_type == "string":
        instant = F.when(raw.rlike(_WITH_ZONE), raw.try_cast("timestamp"))
        naive = F.when(raw.rlike(_NAIVE), raw.try_cast("timestamp_ntz"))
        finer = F.when(raw.rlike(_FINER), F.lit("a time is finer than a microsecond"))
    else:
        instant, naive, finer = F.lit(None).cast("timestamp"), raw, F.lit(None).cast("string")
    if not column.zone:
        problem = unless(instant.isNotNull(), raw, column, "is not an instant with a zone (Z or an offset)")
        return _within(Parsed(instant, F.coalesce(finer, problem)), column)
    local = _from_local(naive, column, choice)
    value = F.coalesce(instant, local.value)
    problem = unless(value.isNotNull(), raw, column, "is not a time")
    return _within(Parsed(value, F.coalesce(finer, local.problem, problem)), column)


def _within(parsed: Parsed, column: DeclaredColumn) -> Parsed:
    outside = F.when(is_outside(parsed.value), F.lit(f"{column.name} lies outside the years 1900 to 2200"))
    return Parsed(parsed.value, F.coalesce(parsed.problem, outside))


def _from_local(naive: Column, column: DeclaredColumn, choice: Ambiguous) -> Parsed:
    """The instant of a local time in the column's zone. On DST nights a local time can have none or two (S3).

    With two, EARLIER and LATER choose one. With none, the clock was set forward over it: LATER takes the offset before
    the change, EARLIER the offset after it, so that EARLIER is always the earlier instant.
    """
    wall = naive.cast("timestamp")
    # Spark reads an ambiguous time as the earlier of the two, and an impossible one with the offset before the change.
    read = F.to_utc_timestamp(wall, column.zone)
    skipped = F.unix_micros(F.from_utc_timestamp(read, column.zone)) - F.unix_micros(wall)
    # With the offset of a day later: the second reading, if it shows the same clock.
    next_day = F.to_utc_timestamp(moved(wall, DAY_US), column.zone)
    second = moved(next_day, -DAY_US)
    twice = (F.from_utc_timestamp(second, column.zone) == wall) & (second > read)
    if choice is Ambiguous.QUARANTINE:
        what = F.lit(f"{column.name} is ambiguous or impossible in {column.zone} (a DST night)")
        return Parsed(read, F.when((skipped != 0) | twice, what))
    chosen = F.when(twice, second).otherwise(read) if choice is Ambiguous.LATER else moved(read, -skipped)
    return Parsed(chosen, F.lit(None).cast("string"))
