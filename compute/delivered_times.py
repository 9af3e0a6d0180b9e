"""Delivered times converted to instants and calendar days (S1, S3, S6).

Text is ISO 8601 in its extended form, as databases write it: a day, a time of day after `T` or a space, a fraction
after a point or comma, and for instants `Z`, `UTC` or an offset from UTC (`+01`, `+0530`, `-03:30`, PostgreSQL's
`+00:19:32`). Spark reads more: a time of day as today's, a year as its first day, a local time with another zone.
"""

from pyspark.sql import Column
from pyspark.sql import functions as F

from compute.delivered_numbers import parse_decimal
from compute.parsed import Parsed, no_problem, unless
from definitions.clocks import Ambiguous, Epoch, EventTime, Grain
from definitions.columns import Column as DeclaredColumn
from definitions.durations import END_US, FIRST_US, SECOND_US
from temporal.instants import instant
from temporal.local_time import read_local

_DAY = r"(?!0000)[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
_CLOCK = r"[Tt ][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?"
_OFFSET = r"[+-](?:0[0-9]|1[0-5])(?::[0-5][0-9](?::[0-5][0-9])?|[0-5][0-9](?:[0-5][0-9])?)?"
_INSTANT = rf"\A({_DAY}{_CLOCK}) ?(Z|z|UTC|{_OFFSET})\z"
_LOCAL = rf"\A{_DAY}(?:{_CLOCK})?\z"
_A_DAY = rf"\A({_DAY})(?:[Tt ]0?0:00(?::00(?:[.,]0+)?)?)?\z"
_FINER = r"[.,][0-9]{6}[0-9]*[1-9]"
_TOO_FINE = "a time is finer than a microsecond"


def event_time(clock: EventTime) -> Column:
    """The instant itself, or the end (start, if known then) of the local day or week (S6)."""
    if clock.grain is Grain.INSTANT:
        return F.col(clock.column)
    days = 0 if clock.known_at_start else {Grain.DAY: 1, Grain.WEEK: 7}[clock.grain]
    midnight = F.unix_micros(F.date_add(clock.column, days).cast("timestamp"))
    # A midnight that comes twice is the first of the two, one that is skipped the instant of the change.
    return F.timestamp_micros(read_local(midnight, clock.zone).before)


def is_outside(at: Column) -> Column:
    """Whether a time is before 1900 or after 2199, which no valid time is (S1)."""
    return (at < instant(FIRST_US)) | (at >= instant(END_US))


def parse_date(raw: Column, column: DeclaredColumn, delivered_type: str) -> Parsed:
    """A calendar day; a timestamp or text with a time of day other than midnight is refused."""
    if delivered_type == "string":
        value = F.nullif(F.regexp_extract(raw, _A_DAY, 1), F.lit("")).try_cast("date")
        return Parsed(value, unless(value.isNotNull(), raw, column, "is not a day"))
    value = raw.try_cast("date")
    ok = value.isNotNull()
    if delivered_type.startswith("timestamp"):
        ok = ok & (value.cast(delivered_type) == raw)
    return Parsed(value, unless(ok, raw, column, "is not a day"))


def parse_timestamp(raw: Column, column: DeclaredColumn, delivered_type: str, choice: Ambiguous) -> Parsed:
    """An instant, from instants or, where the column declares its zone, from local times."""
    if delivered_type == "timestamp":
        return _within(Parsed(raw, no_problem()), column)
    if delivered_type == "string":
        return _within(_from_text(raw, column, choice), column)
    return _within(_from_local(F.unix_micros(raw.cast("timestamp")), column, choice), column)


def parse_epoch(raw: Column, column: DeclaredColumn, delivered_type: str, epoch: Epoch) -> Parsed:
    """An instant, from a number of seconds, milliseconds or microseconds since 1970, with or without a fraction."""
    decimals = epoch.decimals
    number = parse_decimal(raw, DeclaredColumn(column.name, f"decimal(38,{decimals})"), delivered_type)
    unit_us = 10**decimals
    is_within = (number.value >= FIRST_US // unit_us) & (number.value < END_US // unit_us)
    value = F.when(is_within, F.timestamp_micros((number.value * unit_us).cast("bigint")))
    outside = F.when(~is_within, F.lit(_outside(column)))
    finer = F.when(number.value.isNotNull() & number.problem.isNotNull(), F.lit(_TOO_FINE))
    return Parsed(value, F.coalesce(finer, number.problem, outside))


def _from_text(raw: Column, column: DeclaredColumn, choice: Ambiguous) -> Parsed:
    clock_us = _clock_us(F.nullif(F.regexp_extract(raw, _INSTANT, 1), F.lit("")))
    zoned = F.timestamp_micros(clock_us - _offset_us(F.regexp_extract(raw, _INSTANT, 2)))
    finer = F.when(raw.rlike(_FINER), F.lit(_TOO_FINE))
    if not column.zone:
        problem = unless(zoned.isNotNull(), raw, column, "is not an instant with a zone (Z or an offset)")
        return Parsed(zoned, F.coalesce(finer, problem))
    local = _from_local(_clock_us(F.when(raw.rlike(_LOCAL), raw)), column, choice)
    value = F.coalesce(zoned, local.value)
    problem = unless(value.isNotNull(), raw, column, "is not a time")
    return Parsed(value, F.coalesce(finer, local.problem, problem))


def _clock_us(text: Column) -> Column:
    """The clock that text shows, as microseconds since 1970 as if it were UTC; null for a day or time that is none."""
    colons = F.length(text) - F.length(F.replace(text, F.lit(":")))
    # Spark wants the seconds; with a zone in the text, the session's has no part in it.
    end = F.when(colons == 2, "Z").when(colons == 1, ":00Z").otherwise(" 00:00:00Z")
    return F.unix_micros(F.concat(F.translate(text, "t,", "T."), end).try_cast("timestamp"))


def _offset_us(text: Column) -> Column:
    """`+0530` in microseconds; Z and UTC are 0."""
    digits = F.replace(text, F.lit(":"))
    hours, minutes, seconds = (F.coalesce(F.substring(digits, at, 2).try_cast("int"), F.lit(0)) for at in (2, 4, 6))
    size = (hours * 3600 + minutes * 60 + seconds).cast("bigint") * SECOND_US
    return F.when(text.startswith("-"), -size).when(text.startswith("+"), size).otherwise(F.lit(0))


def _within(parsed: Parsed, column: DeclaredColumn) -> Parsed:
    outside = F.when(is_outside(parsed.value), F.lit(_outside(column)))
    return Parsed(parsed.value, F.coalesce(parsed.problem, outside))


def _outside(column: DeclaredColumn) -> str:
    return f"{column.name} lies outside the years 1900 to 2200"


def _from_local(clock_us: Column, column: DeclaredColumn, choice: Ambiguous) -> Parsed:
    """The instant of a local time in the column's zone. On DST nights a local time can have none or two (S3).

    With two, EARLIER and LATER choose one. With none, the clock was set forward over it: LATER takes the offset before
    the change, EARLIER the offset after it, so that EARLIER is always the earlier instant.
    """
    reading = read_local(clock_us, column.zone)
    if choice is Ambiguous.QUARANTINE:
        what = F.lit(f"{column.name} is ambiguous or impossible in {column.zone} (a DST night)")
        return Parsed(F.timestamp_micros(reading.before), F.when(reading.is_odd, what))
    chosen = reading.later if choice is Ambiguous.LATER else reading.earlier
    return Parsed(F.timestamp_micros(chosen), no_problem())
