"""Converts delivered rows to typed facts: every column as declared, or a reason why the row can't be used (S1, S3, S23,
S31).
"""

from datetime import datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from compute.ahead import ahead
from compute.delivered_times import event_time, is_outside, parse_date, parse_timestamp
from compute.numbers import expressed
from compute.parsed import Parsed, unless
from definitions.clocks import Ambiguous, AvailableColumn
from definitions.columns import Column as DeclaredColumn
from definitions.columns import Nan
from definitions.errors import SourceSchemaError, did_you_mean
from definitions.sources import Source
from definitions.types import type_named
from lakehouse.files.records import FILE, ORIGINAL, PROBLEM, Records

REASON = "_reason"
# How far a double may be from a whole number of quanta: sums of money in double are not exact. Large amounts are
# accepted where they are the nearest double to such a number.
_NOISE = 1e-6


def require_columns(records: Records, source: Source) -> None:
    """S37: a missing, renamed or differently typed column stops the run before anything is written."""
    delivered, path = records.types, records.path
    for column in source.columns:
        if column.computed:
            continue
        name = column.delivered_name
        if name not in delivered:
            raise SourceSchemaError(
                f"source '{source.name}' at {path} has no column '{name}'.{did_you_mean(name, delivered)} "
                f"If the source was renamed or lost it, declare version={source.version + 1} of it."
            )
        delivered_type = delivered[name].split("(")[0]
        # Text formats have text for every type.
        if not records.is_text and delivered_type not in type_named(column.type).delivered_as:
            raise SourceSchemaError(
                f"source '{source.name}' at {path}: column '{name}' is {delivered[name]}, declared {column.type}. "
                f"Declare the type it has, as version={source.version + 1} of the source, or correct the files."
            )
        if delivered_type == "timestamp_ntz" and column.type == "timestamp" and not column.zone:
            raise SourceSchemaError(
                f"source '{source.name}': column '{name}' has local times; declare their zone: "
                f"Column('{column.name}', 'timestamp', zone='…') (S3)."
            )


def typed(records: Records, source: Source, *, loaded_at: datetime | None = None) -> DataFrame:
    """Delivered records as declared columns and `event_time`, with `_original` and `_file` as they are.

    `_reason` says why a row can't be used (null: it can). loaded_at: when the load began, if it is known: a fact of
    later than that is not usable, unless declared (S5).
    """
    parsed = {c.name: _parse(c, records, source) for c in source.columns if not c.computed}
    problems = [F.col(PROBLEM), *(p.problem for p in parsed.values())]
    rows = records.frame.select(
        *[p.value.alias(name) for name, p in parsed.items()],
        F.col(ORIGINAL),
        F.coalesce(*problems).alias(REASON),
        F.col(FILE),
    )
    # Only for usable rows: on other values an expression may fail.
    usable = F.col(REASON).isNull()
    computed = [F.when(usable, expressed(expression)).alias(name) for name, expression in source.computed.items()]
    rows = rows.select("*", *computed)
    missing = [_missing(F.col(c.name), c, source) for c in source.columns if c.computed]
    return _with_clocks(rows.withColumn(REASON, F.coalesce(REASON, *missing)), source, loaded_at)


def _with_clocks(rows: DataFrame, source: Source, loaded_at: datetime | None) -> DataFrame:
    """The rows with `event_time`, and with the reason where a clock can't be used."""
    if source.event_time is None:
        return rows
    at = event_time(source.event_time)
    problems = [
        F.when(at.isNull(), F.lit("event time is null")),
        F.when(is_outside(at), F.lit("event time lies outside the years 1900 to 2200")),
    ]
    if isinstance(source.available, AvailableColumn):
        problems.append(F.when(F.col(source.available.column).isNull(), F.lit("available time is null")))
    problems += ahead(source, loaded_at)
    return rows.withColumn("event_time", at).withColumn(REASON, F.coalesce(REASON, *problems))


def _parse(column: DeclaredColumn, records: Records, source: Source) -> Parsed:
    raw, delivered_type = records.column(column.delivered_name), records.types[column.delivered_name]
    if delivered_type == "string":
        raw = F.when(F.trim(raw) != "", F.trim(raw)) if column.type != "string" else raw
    family = type_named(column.type).name
    parse = {"timestamp": _timestamp, "date": _date, "decimal": _decimal, "double": _double}.get(family, _plain)
    parsed = parse(raw, column, delivered_type, source)
    return Parsed(parsed.value, F.coalesce(_missing(raw, column, source), parsed.problem))


def _missing(value: Column, column: DeclaredColumn, source: Source) -> Column:
    required = column.required or column.name in source.identity
    return F.when(value.isNull(), F.lit(f"{column.name} is null")) if required else F.lit(None).cast("string")


def _plain(raw: Column, column: DeclaredColumn, delivered_type: str, source: Source) -> Parsed:
    value = raw.try_cast(column.type)
    return Parsed(value, unless(value.isNotNull(), raw, column, f"is not {column.type}"))


def _double(raw: Column, column: DeclaredColumn, delivered_type: str, source: Source) -> Parsed:
    value = raw.try_cast("double")
    finite = ~F.isnan(value) & (F.abs(value) != F.lit(float("inf")))
    if column.nan is Nan.NULL:
        finite = F.isnan(value) | finite
        problem = unless(value.isNotNull() & finite, raw, column, "is infinite or not a number")
        return Parsed(F.when(~F.isnan(value), value + F.lit(0.0)), problem)
    # Adding 0.0 turns -0.0 into 0.0 and leaves every other number alone.
    return Parsed(
        value + F.lit(0.0),
        unless(value.isNotNull() & finite, raw, column, "is NaN, infinite or not a number"),
    )


def _decimal(raw: Column, column: DeclaredColumn, delivered_type: str, source: Source) -> Parsed:
    value = raw.try_cast(column.type)
    scale = type_named(column.type).scale
    if delivered_type in ("double", "float"):
        quanta = raw * F.lit(float(10**scale))
        whole = (F.abs(quanta - F.rint(quanta)) < F.lit(_NOISE)) | (value.cast(delivered_type) == raw)
    else:
        whole = raw.try_cast("decimal(38,18)") == value
    problem = F.coalesce(
        unless(value.isNotNull(), raw, column, f"does not fit {column.type}"),
        unless(whole, raw, column, f"is not a whole number of {10**-scale:.{scale}f}"),
    )
    return Parsed(value, problem)


def _date(raw: Column, column: DeclaredColumn, delivered_type: str, source: Source) -> Parsed:
    return parse_date(raw, column, delivered_type)


def _timestamp(raw: Column, column: DeclaredColumn, delivered_type: str, source: Source) -> Parsed:
    clock = source.event_time
    is_clock = clock is not None and clock.column == column.name
    return parse_timestamp(raw, column, delivered_type, clock.ambiguous if clock and is_clock else Ambiguous.QUARANTINE)
