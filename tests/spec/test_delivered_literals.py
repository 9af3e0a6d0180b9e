"""Text of every declared type, read as a plain Python oracle reads it, or refused for the same reason (S1, S3)."""

from collections.abc import Callable
from datetime import date
from functools import reduce
from itertools import product
from typing import Any

from pyspark.sql import functions as F

from compute.delivery import REASON, typed
from lakehouse.files.records import FILE, ORIGINAL, PROBLEM, Records
from tests.spec.delivered import oracle
from tests.spec.delivered.literals import literals
from ziggurat.model import Ambiguous, Column, EventTime, Kind, LandingDelay, Nan, Source

NEW_YORK = "America/New_York"
EVERY_TYPE: dict[str, tuple[Column, Callable[[str], Any]]] = {
    "int": (Column("x", "int"), oracle.whole(32, "int")),
    "bigint": (Column("x", "bigint"), oracle.whole(64, "bigint")),
    "double": (Column("x", "double"), oracle.double),
    "double or null": (Column("x", "double", nan=Nan.NULL), oracle.double_or_null),
    "decimal(12,2)": (Column("x", "decimal(12,2)"), oracle.decimal(12, 2)),
    "decimal(38,0)": (Column("x", "decimal(38,0)"), oracle.decimal(38, 0)),
    "decimal(38,18)": (Column("x", "decimal(38,18)"), oracle.decimal(38, 18)),
    "boolean": (Column("x", "boolean"), oracle.boolean),
    "date": (Column("x", "date"), oracle.day),
    "instant": (Column("x", "timestamp"), oracle.instant("")),
    "New York": (Column("x", "timestamp", zone=NEW_YORK), oracle.instant(NEW_YORK)),
    "seconds": (Column("x", "timestamp", epoch="s"), oracle.epoch(6)),
    "milliseconds": (Column("x", "timestamp", epoch="ms"), oracle.epoch(3)),
    "microseconds": (Column("x", "timestamp", epoch="us"), oracle.epoch(0)),
}


def declared(column: Column, ambiguous: Ambiguous = Ambiguous.QUARANTINE) -> Source:
    is_clock = column.type == "timestamp"
    return Source(
        name="literals",
        kind=Kind.EVENTS if is_clock else Kind.STATIC,
        version=1,
        owner="tests",
        columns=(column,),
        event_time=EventTime("x", ambiguous=ambiguous) if is_clock else None,
        available=LandingDelay("0s") if is_clock else None,
    )


def as_records(frame: Any, **types: str) -> Records:
    """Delivered rows, whose columns are called so, as records; `_original` is the first of them."""
    nothing = F.lit(None).cast("string")
    columns = [F.col(name).alias(f"column_{index}") for index, name in enumerate(types)]
    first = F.col(next(iter(types))).cast("string").alias(ORIGINAL)
    rows = frame.select(*columns, nothing.alias(PROBLEM), first, nothing.alias(FILE))
    return Records(frame=rows, types=types, path="here", is_text=set(types.values()) == {"string"})


def answers(records: Records, cases: dict[str, Source]) -> dict[tuple[str, str], tuple[Any, str | None]]:
    """Value and reason of every case and original, in one job; times as microseconds, decimals as they print."""
    parts = [
        typed(records, source).select(
            F.lit(case).alias("case"),
            ORIGINAL,
            (F.unix_micros("x") if source.column("x").type == "timestamp" else F.col("x"))
            .cast("string")
            .alias("value"),
            F.col("x").isNull().alias("is_null"),
            (F.hex(F.col("x").cast("binary")) if source.column("x").type == "string" else F.lit(None)).alias("bytes"),
            REASON,
        )
        for case, source in cases.items()
    ]
    rows = reduce(lambda a, b: a.unionByName(b), parts).collect()
    return {(row["case"], row[ORIGINAL]): (row["value"], row[REASON]) for row in rows}


def expected(read: Callable[[str], Any], text: str) -> tuple[str | None, str | None]:
    """What the oracle says: the value as Spark prints it, or the reason."""
    cell = text.strip(" \t")
    if not cell:
        return None, None
    try:
        value = read(cell)
    except ValueError as error:
        return None, str(error)
    return None if value is None else _printed(value), None


def _printed(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:f}" if not isinstance(value, int | float | date) else str(value)


def as_value(case: str, printed: str | None) -> Any:
    """Doubles by their bits, since Java prints some of them longer; the rest as text."""
    return float(printed).hex() if printed is not None and case.startswith("double") else printed


def test_every_literal_is_read_as_the_oracle_reads_it_or_refused_for_its_reason(spark) -> None:
    texts = literals(1_500, 1_200)
    delivered = spark.createDataFrame([(text,) for text in texts], "x string").repartition(2)
    cases = {case: declared(column) for case, (column, _) in EVERY_TYPE.items()}
    found = answers(as_records(delivered, x="string"), cases)
    wrong = []
    for (case, (_, read)), text in product(EVERY_TYPE.items(), texts):
        value, reason = found[case, text]
        wanted = expected(read, text)
        reason = None if reason == "event time is null" else reason
        got = (None if reason else as_value(case, value), reason)
        if got != (as_value(case, wanted[0]), wanted[1]):
            wrong.append(f"{case} {text!r}: {got}, but {wanted}")
    assert not wrong, "\n".join([f"{len(wrong)} of {len(found)}", *wrong[:40]])
