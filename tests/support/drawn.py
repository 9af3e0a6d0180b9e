"""Small tables drawn in text: to Arrow, to Spark, and beside an answer.

    id:bigint  event_time   amount:decimal(12,2)  item
    1          3d           10.00                 flour
    1          3d12:30+1us  -                     brown sugar

Columns stand at least two spaces apart, so that one space may stand inside a cell; `-` is null, `''` is empty text, and
so is what stands between other quotes taken as it is. Binary is hexadecimal; arrays, maps and structs are JSON.
A column without a type is a timestamp if it has the name of a clock, else a string.
A time is an instant with its zone, or days from 2017-01-01, hours and microseconds: `3d`, `3d12:30`, `10d-1us`.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

ORIGIN = datetime(2017, 1, 1, tzinfo=UTC)
_TIME = re.compile(r"(\d+)d(?:(\d\d):(\d\d))?(?:([+-]\d+)us)?")
_CLOCKS = ("event_time", "available_time", "superseded_at", "loaded_at", "event_at", "told_at")
_NESTED = re.compile(r"(array|map|struct)<(.*)>")
_TYPES = {
    "bigint": pa.int64(),
    "int": pa.int32(),
    "smallint": pa.int16(),
    "tinyint": pa.int8(),
    "binary": pa.binary(),
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
        name: pa.array([_value(line[index], kind) for line in lines], _arrow(kind))
        for index, (name, kind) in enumerate(map(_named, header))
    }
    return pa.table(columns)


def frame(spark: Any, text: str) -> Any:
    """The same as a Spark frame, with the types that its header names."""
    return spark.createDataFrame(table(text), ddl(kinds(text)))


def kinds(text: str) -> dict[str, str]:
    """The type of each column, as Spark names it."""
    return dict(map(_named, re.split(r"\s{2,}", text.strip().splitlines()[0].strip())))


def ddl(kinds: Mapping[str, str]) -> str:
    return ", ".join(f"`{name}` {kind}" for name, kind in kinds.items())


def _named(heading: str) -> tuple[str, str]:
    name, _, kind = heading.partition(":")
    return name, kind or ("timestamp" if name in _CLOCKS else "string")


def rows(drawn: pa.Table) -> list[tuple[Any, ...]]:
    """The rows in one order; NaN as text, −0.0 different from 0.0."""
    actual = [tuple(_plain(value) for value in row.values()) for row in drawn.to_pylist()]
    return sorted(actual, key=repr)


def same(answer: Any, text: str) -> None:
    """The answer (a Spark frame or an Arrow table) has the drawn columns with their types, and exactly these rows."""
    drawn = table(text)
    arrow = answer.select(*drawn.column_names)
    arrow = arrow if isinstance(arrow, pa.Table) else arrow.toArrow()
    actual, expected = rows(arrow), rows(drawn)
    pairs = zip(arrow.schema, drawn.schema, strict=True)
    types = [f"{field.name} is {field.type}, drawn {like.type}" for field, like in pairs if field.type != like.type]
    surplus = [f"not drawn: {row}" for row in actual if actual.count(row) > expected.count(row)]
    missing = [f"missing:   {row}" for row in expected if expected.count(row) > actual.count(row)]
    if types or surplus or missing:
        raise AssertionError("\n".join([str(tuple(drawn.column_names)), *types, *surplus, *missing]))


def _arrow(kind: str) -> pa.DataType:
    if kind.startswith("decimal"):
        return pa.decimal128(*map(int, re.findall(r"\d+", kind)))
    if nested := _NESTED.fullmatch(kind):
        parts = _parts(nested[2])
        match nested[1]:
            case "array":
                return pa.list_(_arrow(parts[0]))
            case "map":
                return pa.map_(_arrow(parts[0]), _arrow(parts[1]))
        return pa.struct([(name, _arrow(inner)) for name, _, inner in (part.partition(":") for part in parts)])
    return _TYPES[kind]


def _parts(inside: str) -> list[str]:
    """What commas separate, but for those inside of brackets."""
    parts, depth = [""], 0
    for mark in inside:
        depth += (mark in "<(") - (mark in ">)")
        if mark == "," and not depth:
            parts.append("")
        else:
            parts[-1] += mark
    return [part.strip() for part in parts]


def _value(cell: str, kind: str) -> Any:
    if cell == "-":
        return None
    if _NESTED.fullmatch(kind):
        return _nested(json.loads(cell), kind)
    read: dict[str, Callable[[str], Any]] = {
        "bigint": int,
        "int": int,
        "smallint": int,
        "tinyint": int,
        "double": float,
        "float": float,
        "string": _text,
        "binary": bytes.fromhex,
        "boolean": {"true": True, "false": False}.__getitem__,
        "date": date.fromisoformat,
        "timestamp": at,
        "timestamp_ntz": datetime.fromisoformat,
    }
    return read.get(kind, Decimal)(cell.strip("'") if kind == "binary" else cell)


def _text(cell: str) -> str:
    is_quoted = len(cell) > 1 and cell[0] == cell[-1] == "'"
    return cell[1:-1] if is_quoted else cell


def _nested(content: Any, kind: str) -> Any:
    """A value from JSON in the form that Arrow takes: a map as pairs, in the order in which it is drawn."""
    nested = _NESTED.fullmatch(kind)
    if content is None or kind == "string":
        return content
    if nested is None:
        return _value(str(content).lower() if isinstance(content, bool) else str(content), kind)
    parts = _parts(nested[2])
    match nested[1]:
        case "array":
            return [_nested(element, parts[0]) for element in content]
        case "map":
            return [(_nested(key, parts[0]), _nested(value, parts[1])) for key, value in content.items()]
    named = dict(part.split(":", 1) for part in parts)
    return {name: _nested(content[name], inner) for name, inner in named.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, float) and (math.isnan(value) or (value == 0 and math.copysign(1, value) < 0)):
        return f"{value}"
    return value
