"""Converts delivered rows to typed facts: every column as declared, or a reason why the row can't be used (S1, S3, S23,
S31).
"""

from datetime import datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from compute.ahead import ahead
from compute.delivered_text import combined
from compute.delivered_times import event_time, is_outside, parse_epoch
from compute.delivered_values import parse_value
from compute.numbers import expressed
from compute.once import once
from compute.parsed import Parsed, no_problem, without_blanks
from definitions.clocks import Ambiguous, AvailableColumn, Epoch
from definitions.columns import Column as DeclaredColumn
from definitions.sources import Source
from lakehouse.files.records import FILE, FOLDER_TEXT, ORIGINAL, PROBLEM, Records

REASON = "_reason"


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
        once(F.coalesce(*problems)).alias(REASON),
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
    rows, at = rows.withColumn("event_time", once(event_time(source.event_time))), F.col("event_time")
    problems = [
        F.when(at.isNull(), F.lit("event time is null")),
        F.when(is_outside(at), F.lit("event time lies outside the years 1900 to 2200")),
    ]
    if isinstance(source.available, AvailableColumn):
        problems.append(F.when(F.col(source.available.column).isNull(), F.lit("available time is null")))
    problems += ahead(source, loaded_at)
    return rows.withColumn(REASON, once(F.coalesce(REASON, *problems)))


def _parse(column: DeclaredColumn, records: Records, source: Source) -> Parsed:
    delivered_type = "string" if column.combined else _type(records, column.delivered_name)
    raw = _combined(column, records) if column.combined else records.column(column.delivered_name)
    if delivered_type == "string" and (column.type != "string" or column.trim):
        raw = without_blanks(raw)
    parsed = _parsed(raw, column, delivered_type, source)
    return Parsed(parsed.value, F.coalesce(_missing(raw, column, source), parsed.problem))


def _combined(column: DeclaredColumn, records: Records) -> Column:
    delivered = {name: (records.column(name), _type(records, name)) for name in column.parts}
    return combined(column.between_parts, column.parts, delivered)


def _type(records: Records, name: str) -> str:
    return "string" if records.types[name] == FOLDER_TEXT else records.types[name]


def _missing(value: Column, column: DeclaredColumn, source: Source) -> Column:
    required = column.required or column.name in source.identity
    return F.when(value.isNull(), F.lit(f"{column.name} is null")) if required else no_problem()


def _parsed(raw: Column, column: DeclaredColumn, delivered_type: str, source: Source) -> Parsed:
    if delivered_type == "void":  # nulls only, whatever was meant
        return Parsed(raw.cast(column.type), no_problem())
    if column.type == "timestamp":
        if epoch := source.epoch_of(column):
            return parse_epoch(raw, column, delivered_type, Epoch(epoch))
        clock = source.event_time
        is_clock = clock is not None and clock.column == column.name
        choice = clock.ambiguous if clock and is_clock else Ambiguous.QUARANTINE
        return parse_value(raw, column, delivered_type, choice)
    return parse_value(raw, column, delivered_type)
