"""Derived rows against S13 read in plain Python: at any cut, one row per fact, with what its look-ups held then."""

from dataclasses import replace
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from compute.lookups import LookedUp, Travel
from compute.rows import derive
from compute.time_spans import TimeSpans
from definitions.views import Duplicates
from temporal.versions import with_superseded_at
from ziggurat.model import ANY_TRUE, AvailableColumn, Column, DerivedView, EventTime, Kind, Source, lookup

Row = dict[str, Any]
INSTANT = pa.timestamp("us", tz="UTC")
LAST = 5  # instants are 0 to 5 µs, so that many are equal
CLOCKS = {"event_time": EventTime("event_at"), "available": AvailableColumn("told_at"), "version_by": "nth"}
TIMES = (Column("nth", "bigint"), Column("event_at", "timestamp"), Column("told_at", "timestamp"))


def source(name: str, *columns: Column, **how: Any) -> Source:
    own = (Column("example", "bigint"), Column("fact", "bigint"), Column("shop", "bigint"))
    return Source(
        name=name,
        kind=Kind.STATE,
        version=1,
        owner="tests",
        columns=(*own, *columns, *TIMES),
        identity=("example", "fact"),
        **CLOCKS,
        **how,
    )


ORDERS = source("orders")
LEVELS = source(
    "levels", Column("level", "string"), Column("closed", "boolean"), tombstone="closed", tie_break=("nth",)
)
DOORS = source("doors", Column("is_open", "boolean"), Column("never_was", "boolean"), retraction="never_was")
VIEW = DerivedView(
    "orders_then",
    source=ORDERS,
    version=1,
    owner="tests",
    lookups=(
        lookup(LEVELS, on=("example", "shop"), take=("level",), duplicates=Duplicates.LATEST),
        lookup(DOORS, on=("example", "shop"), take=("is_open",), duplicates=ANY_TRUE),
    ),
)
FLAG = (None, False, True)


def fact(chance: Random, **columns: tuple[Any, ...]) -> Row:
    own = {name: chance.choice(values) for name, values in columns.items()}
    instants = {name: chance.randint(0, LAST) for name in ("event_time", "available_time")}
    keys = {"fact": chance.randint(1, 3), "shop": chance.choice([None, 1, 1, 2]), "nth": chance.randint(1, 2)}
    return keys | instants | own


def example(chance: Random) -> dict[str, list[Row]]:
    return {
        "orders": [fact(chance) for _ in range(chance.randint(0, 3))],
        "levels": [fact(chance, level=(None, "a", "b"), closed=FLAG) for _ in range(chance.randint(0, 5))],
        "doors": [fact(chance, is_open=FLAG, never_was=FLAG) for _ in range(chance.randint(0, 5))],
    }


def position(row: Row, names: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple((False,) if row[name] is None else (True, row[name]) for name in names)


def known(rows: list[Row], of: Source, cut: int) -> list[Row]:
    """The newest version known of each fact, unless it says that the fact never was (S7, S8)."""
    names = ("nth", "available_time", *(c.name for c in of.columns if c.name in rows[0])) if rows else ()
    newest = {}
    for row in sorted((row for row in rows if row["available_time"] <= cut), key=lambda row: position(row, names)):
        newest[row["fact"]] = row
    return [row for row in newest.values() if not row.get("never_was")]


def level_then(order: Row, facts: list[Row]) -> Any:
    """S9's last: event time, tie-break, available time, tombstone, columns; no value if that is a tombstone."""
    reached = [row | {"gone": bool(row["closed"])} for row in facts if is_reached(order, row)]
    names = ("event_time", "nth", "available_time", "gone", "fact", "shop", "level", "closed", "nth")
    newest = max(reached, key=lambda row: position(row, names), default=None)
    return None if newest is None or newest["gone"] else newest["level"]


def door_then(order: Row, facts: list[Row]) -> Any:
    reached = [row for row in facts if is_reached(order, row)]
    newest = max((row["event_time"] for row in reached), default=None)
    values = {row["is_open"] for row in reached if row["event_time"] == newest} - {None}
    return None if not values else True in values


def is_reached(order: Row, fact: Row) -> bool:
    return order["shop"] is not None and fact["shop"] == order["shop"] and fact["event_time"] <= order["event_time"]


def wanted(drawn: dict[str, list[Row]], cut: int) -> list[tuple[Any, ...]]:
    held_levels, held_doors = known(drawn["levels"], LEVELS, cut), known(drawn["doors"], DOORS, cut)
    return [
        (
            order["fact"],
            order["shop"],
            order["event_time"],
            level_then(order, held_levels),
            door_then(order, held_doors),
        )
        for order in known(drawn["orders"], ORDERS, cut)
    ]


def frame(spark: Any, batch: list[dict[str, list[Row]]], name: str, of: Source) -> Any:
    """All examples' rows of a source, as raw holds them, with `superseded_at`."""
    arrow = {"bigint": pa.int64(), "string": pa.string(), "boolean": pa.bool_(), "timestamp": INSTANT}
    rows = [{"example": n, "event_at": 0, "told_at": 0, **row} for n, each in enumerate(batch) for row in each[name]]
    table = {c: pa.array([row[c] for row in rows], arrow[kind]) for c, kind in of.schema.items()}
    return with_superseded_at(spark.createDataFrame(pa.table(table)), of, has_versions=True)


# One Spark job answers a whole batch, drawn from a seed: to shrink it would take a job a step, so that a failure names
# the batch's smallest example instead.
@settings(max_examples=2, deadline=None, phases=[Phase.generate])
@given(st.integers(0, 2**32))
def check_rows(spark: Any, partitions: int, seed: int) -> None:
    chance = Random(seed)
    batch = [example(chance) for _ in range(500)]
    looked_up = [
        LookedUp(VIEW.lookups[0], frame(spark, batch, "levels", LEVELS), is_regular=False),
        LookedUp(VIEW.lookups[1], frame(spark, batch, "doors", DOORS), is_regular=False),
    ]
    answer = derive(frame(spark, batch, "orders", ORDERS), looked_up, VIEW, partitions=partitions)
    micros = [f"unix_micros({name}) as {name}" for name in ("event_time", "available_time", "superseded_at")]
    found: dict[int, list[Row]] = {}
    for row in answer.selectExpr("example", "fact", "shop", "level", "is_open", *micros).toArrow().to_pylist():
        found.setdefault(row["example"], []).append(row)
    wrong = []
    for n, drawn in enumerate(batch):
        for cut in range(-1, LAST + 2):
            seen = [
                (row["fact"], row["shop"], row["event_time"], row["level"], row["is_open"])
                for row in found.get(n, [])
                if row["available_time"] <= cut and (row["superseded_at"] is None or row["superseded_at"] > cut)
            ]
            if sorted(seen, key=repr) != sorted(wanted(drawn, cut), key=repr):
                size = sum(map(len, drawn.values()))
                wrong.append((size, f"cut {cut}: {drawn}\n shows {seen}\nwanted {wanted(drawn, cut)}"))
    assert not wrong, min(wrong)[1]


@pytest.mark.parametrize("partitions", [0, 3])
def test_s13_at_any_cut_a_row_holds_what_its_look_ups_held_then(spark, partitions: int) -> None:
    check_rows(spark, partitions)


def crowded(chance: Random, rows: int, **own: tuple[Any, ...]) -> list[Row]:
    """Rows of two keys that have most of them, and of many others; some corrected, some known very late."""
    drawn = []
    for number in range(rows):
        at = chance.randint(0, rows)
        late = chance.choice([0, 0, 1, 3, 40, rows])
        keys = {"fact": chance.choice([number, number, number // 2]), "shop": chance.choice([1] * 9 + [2] * 4 + [None])}
        if chance.random() < 0.2:
            keys["shop"] = chance.randint(3, 60)
        drawn.append(
            keys
            | {"nth": chance.randint(1, 2), "event_time": at, "available_time": at + late}
            | {name: chance.choice(values) for name, values in own.items()}
        )
    return drawn


def test_s13_keys_with_very_many_rows_are_cut_by_time_and_take_the_same(spark) -> None:
    chance = Random(17)
    drawn = {
        "orders": crowded(chance, 1500),
        "levels": crowded(chance, 2500, level=(None, "a", "b"), closed=FLAG),
        "doors": crowded(chance, 800, is_open=FLAG, never_was=FLAG),
    }
    orders, levels, doors = (frame(spark, [drawn], of.name, of).localCheckpoint() for of in (ORDERS, LEVELS, DOORS))
    for is_regular in (False, True):
        looked_up = [LookedUp(VIEW.lookups[0], levels, is_regular), LookedUp(VIEW.lookups[1], doors, is_regular)]
        cut, whole = (derive(orders, looked_up, VIEW, partitions=partitions) for partitions in (24, 0))
        copied = derive(orders, [replace(each, are_few=True) for each in looked_up], VIEW, partitions=24)
        asking = 1_500 if is_regular else 10**6  # few keys are sent to every task
        asked = derive(orders, [replace(each, asking=asking) for each in looked_up], VIEW, partitions=24)
        columns = sorted(whole.columns)
        for answer in (cut, copied, asked):
            rows = [sorted(each.select(columns).toArrow().to_pylist(), key=repr) for each in (answer, whole)]
            assert rows[0] == rows[1]
    travel = Travel.of(orders, looked_up[0])
    both = travel.rows(orders).unionByName(travel.facts(looked_up[0]), allowMissingColumns=True)
    spans = TimeSpans.of(both, travel.plan, tasks=24)
    assert sum(map(len, spans.cuts.values())) > 10  # there was something to carry
