"""From delivered rows to typed facts.

Every column as declared, or a reason why the row can't be used (S1, S3, S23, S31).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from features import sources as s
from features.durations import SECOND_US
from features.errors import SourceSchemaError, did_you_mean

CORRUPT = "_corrupt"
REASON = "_reason"
ORIGINAL = "_original"
FILE = "_file"
# Half a quantum is 0.5; representation noise of money held as double is below 1e-9 of a cent up to a billion.
_NOISE = 1e-6

# What may stand in the files for a declared type; text formats deliver text for everything.
_ACCEPTED = {
    "boolean": {"boolean"},
    "int": {"tinyint", "smallint", "int"},
    "bigint": {"tinyint", "smallint", "int", "bigint"},
    "double": {"float", "double", "tinyint", "smallint", "int", "bigint", "decimal"},
    "string": {"string"},
    "decimal": {"float", "double", "decimal", "tinyint", "smallint", "int", "bigint"},
    "date": {"date", "timestamp", "timestamp_ntz"},
    "timestamp": {"timestamp", "timestamp_ntz"},
}


@dataclass(frozen=True)
class Parsed:
    """A column's value, and what is wrong with it (null: nothing)."""

    value: Column
    problem: Column


def require_columns(delivered: Mapping[str, str], source: s.Source, *, is_text: bool, place: str) -> None:
    """S37: a missing, renamed or differently typed column stops the run before anything is written."""
    for column in source.columns:
        if column.computed:
            continue
        name = column.delivered_name
        if name not in delivered:
            raise SourceSchemaError(
                f"source '{source.name}' at {place} has no column '{name}'.{did_you_mean(name, delivered)} "
                f"If the source was renamed or lost it, declare version={source.version + 1} of it."
            )
        found = delivered[name].split("(")[0]
        if not is_text and found not in _ACCEPTED[column.type.split("(")[0]]:
            raise SourceSchemaError(
                f"source '{source.name}' at {place}: column '{name}' is {delivered[name]}, declared {column.type}. "
                f"Declare the type it has, as version={source.version + 1} of the source, or mend the files."
            )
        if found == "timestamp_ntz" and column.type == "timestamp" and not column.zone:
            raise SourceSchemaError(
                f"source '{source.name}': column '{name}' holds local times; say where they were read off the clock: "
                f"Column('{column.name}', 'timestamp', zone='…') (S3)."
            )


def typed(delivered: DataFrame, source: s.Source) -> DataFrame:
    """Delivered rows as declared columns and `event_time`, with `_reason` (null.

    Usable) and `_original` (the row as JSON).
    """
    types = dict(delivered.dtypes)
    parsed = {c.name: _parse(c, types[c.delivered_name], source) for c in source.columns if not c.computed}
    problems = [p.problem for p in parsed.values()]
    if CORRUPT in types:
        problems.insert(0, F.when(F.col(CORRUPT).isNotNull(), F.lit("the row does not parse")))
    extra = [F.col(name) for name in (FILE,) if name in types]
    original = F.to_json(
        F.struct(*[F.col(f"`{name}`") for name in types if name not in (FILE, "_nanos_lost")]),
        {"ignoreNullFields": "false"},
    )
    if "_nanos_lost" in types:
        problems.append(F.when(F.col("_nanos_lost"), F.lit("a time is finer than a microsecond")))
    rows = delivered.select(
        *[p.value.alias(name) for name, p in parsed.items()],
        original.alias(ORIGINAL),
        F.coalesce(*problems).alias(REASON),
        *extra,
    )
    rows = rows.select("*", *[F.expr(expression.sql).alias(name) for name, expression in source.computed.items()])
    if source.event_time is None:
        return rows
    at = event_time(source.event_time)
    outside = (at < F.lit("1900-01-01T00:00:00Z").cast("timestamp")) | (
        at >= F.lit("2200-01-01T00:00:00Z").cast("timestamp")
    )
    reason = F.coalesce(
        REASON,
        F.when(at.isNull(), F.lit("event time is null")),
        F.when(outside, F.lit("event time lies outside the years 1900 to 2200")),
    )
    return rows.withColumn("event_time", at).withColumn(REASON, reason)


def event_time(clock: s.EventTime) -> Column:
    """The instant itself, or the end (start, if known then) of the local day or week (S6)."""
    if clock.grain is s.Grain.INSTANT:
        return F.col(clock.column)
    days = 0 if clock.known_at_start else {s.Grain.DAY: 1, s.Grain.WEEK: 7}[clock.grain]
    return F.to_utc_timestamp(F.date_add(clock.column, days).cast("timestamp"), clock.zone)


def _parse(column: s.Column, found: str, source: s.Source) -> Parsed:
    raw = F.col(f"`{column.delivered_name}`")
    if found == "string":
        raw = F.when(F.trim(raw) != "", F.trim(raw)) if column.type != "string" else raw
    family = column.type.split("(")[0]
    parse = {"timestamp": _timestamp, "date": _date, "decimal": _decimal, "double": _double}.get(family, _plain)
    parsed = parse(raw, column, found, source)
    required = column.required or column.name in source.identity
    missing = F.when(raw.isNull(), F.lit(f"{column.name} is null")) if required else F.lit(None).cast("string")
    return Parsed(parsed.value, F.coalesce(missing, parsed.problem))


def _unless(ok: Column, raw: Column, column: s.Column, what: str) -> Column:
    return F.when(raw.isNotNull() & ~F.coalesce(ok, F.lit(False)), F.lit(f"{column.name} {what}"))


def _plain(raw: Column, column: s.Column, found: str, source: s.Source) -> Parsed:
    value = raw.try_cast(column.type)
    return Parsed(value, _unless(value.isNotNull(), raw, column, f"is not {column.type}"))


def _double(raw: Column, column: s.Column, found: str, source: s.Source) -> Parsed:
    value = raw.try_cast("double")
    finite = ~F.isnan(value) & (F.abs(value) != F.lit(float("inf")))
    if column.nan is s.Nan.NULL:
        finite = F.isnan(value) | finite
        problem = _unless(value.isNotNull() & finite, raw, column, "is infinite or not a number")
        return Parsed(F.when(~F.isnan(value), value + F.lit(0.0)), problem)
    # Adding 0.0 turns -0.0 into 0.0 and leaves every other number alone.
    return Parsed(
        value + F.lit(0.0),
        _unless(value.isNotNull() & finite, raw, column, "is NaN, infinite or not a number"),
    )


def _decimal(raw: Column, column: s.Column, found: str, source: s.Source) -> Parsed:
    value = raw.try_cast(column.type)
    scale = int(column.type.rstrip(")").split(",")[1])
    if found in ("double", "float"):
        quanta = raw * F.lit(float(10**scale))
        whole = F.abs(quanta - F.rint(quanta)) < F.lit(_NOISE)
    else:
        whole = raw.try_cast("decimal(38,18)") == value
    problem = F.coalesce(
        _unless(value.isNotNull(), raw, column, f"does not fit {column.type}"),
        _unless(whole, raw, column, f"is not a whole number of {10**-scale:.{scale}f}"),
    )
    return Parsed(value, problem)


def _date(raw: Column, column: s.Column, found: str, source: s.Source) -> Parsed:
    value = raw.try_cast("date")
    ok = value.isNotNull()
    if found.startswith("timestamp"):
        ok = ok & (value.cast(found) == raw)
    return Parsed(value, _unless(ok, raw, column, "is not a day"))


def _timestamp(raw: Column, column: s.Column, found: str, source: s.Source) -> Parsed:
    if found == "timestamp":
        return Parsed(raw, F.lit(None).cast("string"))
    if found == "string":
        has_zone = raw.rlike(r"(Z|[+-]\d{2}:?\d{2})$")
        instant, naive = (
            F.when(has_zone, raw.try_cast("timestamp")),
            F.when(~has_zone, raw.try_cast("timestamp_ntz")),
        )
    else:
        instant, naive = F.lit(None).cast("timestamp"), raw
    if not column.zone:
        return Parsed(
            instant,
            _unless(instant.isNotNull(), raw, column, "is not an instant with a zone (Z or an offset)"),
        )
    clock = source.event_time
    choice = clock.ambiguous if clock is not None and clock.column == column.name else s.Ambiguous.QUARANTINE
    local = _from_local(naive, column, choice)
    value = F.coalesce(instant, local.value)
    return Parsed(value, F.coalesce(local.problem, _unless(value.isNotNull(), raw, column, "is not a time")))


def _from_local(naive: Column, column: s.Column, choice: s.Ambiguous) -> Parsed:
    """A wall-clock time to the instant it names in the column's zone; DST nights name none or two (S3)."""
    wall = naive.cast("timestamp")
    earlier = F.to_utc_timestamp(wall, column.zone)

    def shifted(seconds: int) -> Column:
        return F.timestamp_micros(F.unix_micros(earlier) + F.lit(seconds * SECOND_US))

    # An hour everywhere but on Lord Howe Island, where summer time is half an hour.
    twins = [F.from_utc_timestamp(shifted(step), column.zone) == wall for step in (1800, 3600)]
    later = F.when(twins[0], shifted(1800)).when(twins[1], shifted(3600))
    impossible = F.from_utc_timestamp(earlier, column.zone) != wall
    if choice is s.Ambiguous.QUARANTINE:
        problem = F.when(
            impossible | later.isNotNull(),
            F.lit(f"{column.name} is ambiguous or impossible in {column.zone} (a DST night)"),
        )
        return Parsed(earlier, problem)
    chosen = F.coalesce(later, earlier) if choice is s.Ambiguous.LATER else earlier
    return Parsed(chosen, F.lit(None).cast("string"))
