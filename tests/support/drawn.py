"""Small tables drawn in text: to Arrow, to Spark, and beside an answer.

    id:bigint  event_time   amount:decimal(12,2)  item
    1          3d           10.00                 flour
    1          3d12:30+1us  -                     brown sugar

Columns stand at least two spaces apart, so that one space may stand inside a cell; `-` is null, `''` is empty text.
A column without a type is a timestamp if it has the name of a clock, else a string.
A time is an instant with its zone, or days from 2017-01-01, hours and microseconds: `3d`, `3d12:30`, `10d-1us`.
"""

import math
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

ORIGIN = datetime(2017, 1, 1, tzinfo=UTC)
_TIME = re.compile(r"(\d+)d(?:(\d\d):(\d\d))?(?:([+-]\d+)us)?")
_CLOCKS = ("event_time", "available_time", "superseded_at", "loaded_at", "event_at", "told_at")
_TYPES = {
    "bigint": pa.int64(),
    "int": pa.int32(),
    "double": pa.float64(),
    "float": pa.float32(),
    "string": pa.string(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "timestamp_ntz": pa.timestamp("us"),
}


def at(cell: str) -> datetime:
    """The instant that a cell draws."""
    drawn = _TIME.fullmatch(cell)
    if drawn is None:
        return datetime.fromisoformat(cell)
    days, hours, minutes, micros = (int(part or 0) for part in drawn.groups())
    return ORIGIN + timedelta(days=days, hours=hours, minutes=minutes, microseconds=micros)


def at_us(cell: str) -> int:
    return (at(cell) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def table(text: str) -> pa.Table:
    header, *lines = [re.split(r"\s{2,}", line.strip()) for line in text.strip().splitlines()]
    short = [line for line in lines if len(line) != len(header)]
    if short:
        raise ValueError(f"{len(header)} columns are drawn above {short[0]}; keep cells two spaces apart")
    columns = {
        name: pa.array([_value(line[place], kind) for line in lines], _arrow(kind))
        for place, (name, kind) in enumerate(map(_named, header))
    }
    return pa.table(columns)


def frame(spark: Any, text: str) -> Any:
    """The same as a Spark frame, with the types that its header names."""
    header = map(_named, re.split(r"\s{2,}", text.strip().splitlines()[0].strip()))
    return spark.createDataFrame(table(text), ", ".join(f"`{name}` {kind}" for name, kind in header))


def _named(heading: str) -> tuple[str, str]:
    name, _, kind = heading.partition(":")
    return name, kind or ("timestamp" if name in _CLOCKS else "string")


def rows(drawn: pa.Table) -> list[tuple[Any, ...]]:
    """The rows in one order; NaN stands as text, −0.0 is told from 0.0."""
    found = [tuple(_plain(value) for value in row.values()) for row in drawn.to_pylist()]
    return sorted(found, key=repr)


def same(answer: Any, text: str) -> None:
    """The answer (a Spark frame or an Arrow table) has the drawn columns with their types, and exactly these rows."""
    drawn = table(text)
    arrow = answer.select(*drawn.column_names)
    arrow = arrow if isinstance(arrow, pa.Table) else arrow.toArrow()
    found, wanted = rows(arrow), rows(drawn)
    pairs = zip(arrow.schema, drawn.schema, strict=True)
    types = [f"{field.name} is {field.type}, drawn {like.type}" for field, like in pairs if field.type != like.type]
    surplus = [f"not drawn: {row}" for row in found if found.count(row) > wanted.count(row)]
    missing = [f"missing:   {row}" for row in wanted if wanted.count(row) > found.count(row)]
    if types or surplus or missing:
        raise AssertionError("\n".join([str(tuple(drawn.column_names)), *types, *surplus, *missing]))


def _arrow(kind: str) -> pa.DataType:
    if kind.startswith("decimal"):
        return pa.decimal128(*map(int, re.findall(r"\d+", kind)))
    return _TYPES[kind]


def _value(cell: str, kind: str) -> Any:
    if cell == "-":
        return None
    read = {
        "bigint": int,
        "int": int,
        "double": float,
        "float": float,
        "string": lambda text: "" if text == "''" else text,
        "boolean": {"true": True, "false": False}.__getitem__,
        "date": date.fromisoformat,
        "timestamp": at,
        "timestamp_ntz": datetime.fromisoformat,
    }
    return read.get(kind, Decimal)(cell)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and (math.isnan(value) or (value == 0 and math.copysign(1, value) < 0)):
        return f"{value}"
    return value
