"""The point-in-time join against its oracle: random spines and histories whose instants crowd, many examples a job."""

from collections import Counter
from datetime import timedelta
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from pit_join import History, evidence_column, join_with_evidence
from pit_join.oracle import Asked, seen_by

Row = dict[str, Any]
INSTANT = pa.timestamp("us", tz="UTC")
FIRST, LAST = -2_208_988_800_000_000, 7_258_118_399_999_999  # the years 1900 and 2199 (S1)
EXAMPLES = 150

# One job answers all histories for all examples. Each says what `History` would; frames share their columns.
KEYS = {"keys": ("example", "who", "part")}
KNOWN = {**KEYS, "available_time": "available_time"}
HISTORIES: dict[str, dict[str, Any]] = {
    "assumed": {**KEYS, "tie_break": ("nth",)},
    "plain": {**KNOWN, "tie_break": ("nth", "amount"), "tombstone": "gone", "max_age": timedelta(microseconds=3)},
    "inclusive": {**KNOWN, "includes_label_instant": True, "max_age": timedelta(microseconds=1)},
    "snapshot": {**KNOWN, "is_snapshot": True, "superseded_at": "superseded_at"},
    "superseded": {**KNOWN, "superseded_at": "superseded_at", "tombstone": "gone", "retraction": "never_was"},
    "versions": {**KNOWN, "identity": ("example", "fact"), "version_by": "nth", "retraction": "never_was"},
    "loads": {**KNOWN, "identity": ("example", "fact"), "tombstone": "gone", "tie_break": ("tags",)},
    "static": {**KEYS, "event_time": None},
}
VALUES = ("value", "amount", "tags", "nth", "gone", "fact", "never_was", "loaded_at")
TYPES = {
    "example": pa.int64(),
    "fact": pa.int64(),
    "value": pa.string(),
    "who": pa.string(),
    "part": pa.int32(),
    "event_time": INSTANT,
    "nth": pa.int64(),
    "gone": pa.bool_(),
    "amount": pa.float64(),
    "tags": pa.map_(pa.string(), pa.int32()),
    "never_was": pa.bool_(),
    "available_time": INSTANT,
    "superseded_at": INSTANT,
    "loaded_at": INSTANT,
}
SPINE = {"n": pa.int64(), "example": pa.int64(), "who": pa.string(), "part": pa.int32(), "label_time": INSTANT}


def instant(chance: Random, *, nulls: bool = False) -> int | None:
    rare = [FIRST, FIRST + 1, LAST, LAST - 1, *([None] * 2 if nulls else [])]
    return chance.choice(rare) if chance.random() < 0.1 else chance.randint(0, 4)


def whose(chance: Random) -> Row:
    """Mostly one key, so that facts meet. ("1", 23) and ("12", 3) are two; a null part makes none."""
    return {"who": chance.choice(["1"] * 6 + ["12", None]), "part": chance.choice([23] * 6 + [3, None])}


def fact(chance: Random) -> Row:
    return whose(chance) | {
        "fact": chance.choice([1, 2, 3]),
        "value": chance.choice([None, "", "a", "ä", "Z"]),
        "event_time": instant(chance, nulls=True),
        "nth": chance.choice([None, 1, 2]),
        "gone": chance.choice([None, False, False, True]),
        "amount": chance.choice([None, 0.0, 1.5, -2.0, float("nan"), float("inf")]),
        "tags": chance.choice([None, {}, {"a": 1}, {"b": 2, "a": 1}, {"a": 2}, {"a": None}]),
        "never_was": chance.choice([None, False, False, True]),
        "available_time": instant(chance, nulls=True),
        "superseded_at": instant(chance) if chance.random() < 0.4 else None,
        "loaded_at": chance.randint(0, 2),
    }


def facts(chance: Random) -> list[Row]:
    """Some come again as they are, some differ from another in one column alone."""
    rows = [fact(chance) for _ in range(chance.choice([0, 1, 4, 8, 12]))]
    again = [dict(chance.choice(rows)) for _ in range(chance.choice([0, 0, 2])) if rows]
    one_off = [chance.choice(rows) for _ in range(chance.choice([0, 2])) if rows]
    changed = [
        row | {name: fact(chance)[name]} for row in one_off for name in [chance.choice([*VALUES, "superseded_at"])]
    ]
    return rows + again + changed


def spine_rows(chance: Random) -> list[Row]:
    rows = [
        whose(chance) | {"label_time": instant(chance, nulls=True), "n": chance.choice([1, 2])}
        for _ in range(chance.choice([0, 3, 6]))
    ]
    return rows + [chance.choice(rows) for _ in range(chance.choice([0, 2])) if rows]


def frame(spark: Any, rows: list[Row], types: dict[str, pa.DataType]) -> Any:
    columns = {
        name: pa.array([None if row[name] is None else list(row[name].items()) for row in rows], kind)
        if pa.types.is_map(kind)
        else pa.array([row[name] for row in rows], kind)
        for name, kind in types.items()
    }
    return spark.createDataFrame(pa.table(columns))


def asked(name: str, knowledge: str) -> Asked:
    how = dict(HISTORIES[name])
    max_age = how.pop("max_age", None)
    max_age_us = max_age // timedelta(microseconds=1) if max_age else None
    return Asked(columns=tuple(TYPES), max_age_us=max_age_us, knowledge=knowledge, **how)


def plain(value: Any) -> Any:
    """NaN equals itself, a map's entries have no order."""
    if isinstance(value, dict):
        return sorted(value.items())
    if isinstance(value, list):
        return sorted(value)
    return "NaN" if value != value else value


def wanted(row: Row, drawn: list[Row], name: str, knowledge: str) -> tuple[Any, ...]:
    how = asked(name, knowledge)
    answer = seen_by(row, drawn, how)
    chosen, brought = answer.fact or {}, answer.values or {}
    clocks = (None, None)
    if how.event_time and chosen:
        clocks = (chosen["event_time"], chosen[how.available_time or how.event_time])
    return (answer.outcome, answer.is_tied, *clocks, *(plain(brought.get(value)) for value in VALUES))


def answered(spark: Any, batch: list[tuple[list[Row], list[Row]]], knowledge: str) -> dict[int, Counter[Any]]:
    """Of each example, its spine rows with what they see of every history, each as often as it came."""
    drawn = [{"example": place, **row} for place, (rows, _) in enumerate(batch) for row in rows]
    spine = frame(spark, [{"example": place, **row} for place, (_, rows) in enumerate(batch) for row in rows], SPINE)
    all_facts = frame(spark, drawn, TYPES)
    histories = [History(name, all_facts, features=VALUES, **how) for name, how in HISTORIES.items()]
    joined = join_with_evidence(spine, histories, knowledge=knowledge)
    told = [value.alias(f"{name}:{place}") for name in HISTORIES for place, value in enumerate(columns_of(name))]
    keys = [F.unix_micros(name).alias(name) if kind == INSTANT else F.col(name) for name, kind in SPINE.items()]
    found: dict[int, Counter[Any]] = {}
    for row in joined.select(*keys, *told).toArrow().to_pylist():
        values = [plain(value) for value in row.values()]
        found.setdefault(row["example"], Counter())[repr(values)] += 1
    return found


def columns_of(name: str) -> list[Any]:
    evidence = F.col(evidence_column(name))
    clocks = [F.unix_micros(evidence[clock]) for clock in ("event_time", "available_time")]
    values = [F.col(f"{name}__{value}") for value in VALUES]
    values[-1] = F.unix_micros(values[-1])
    return [evidence["outcome"], evidence["is_tied"], *clocks, *values]


# One Spark job answers a whole batch, drawn from a seed: to shrink it would take a job a step, so that a failure names
# the batch's smallest example instead.
@settings(max_examples=2, deadline=None, phases=[Phase.generate])
@given(st.integers(0, 2**32))
def check_join(spark: Any, knowledge: str, seed: int) -> None:
    chance = Random(seed)
    batch = [(facts(chance), spine_rows(chance)) for _ in range(EXAMPLES)]
    found = answered(spark, batch, knowledge)
    wrong = []
    for place, (drawn, rows) in enumerate(batch):
        example = [{"example": place, **row} for row in drawn]
        should: Counter[Any] = Counter()
        for row in rows:
            asking = {"example": place, **row}
            answers = [wanted(asking, example, name, knowledge) for name in HISTORIES]
            should[repr([*(asking[name] for name in SPINE), *(value for answer in answers for value in answer)])] += 1
        if found.get(place, Counter()) != should:
            surplus, missing = found.get(place, Counter()) - should, should - found.get(place, Counter())
            wrong.append((len(drawn) + len(rows), f"{drawn}\n found {surplus}\nwanted {missing}"))
    assert not wrong, f"{len(wrong)} of {len(batch)} examples differ; the smallest:\n{min(wrong)[1]}"


@pytest.mark.parametrize("knowledge", ["at_label", "latest"])
def test_every_row_sees_what_the_oracle_sees(spark, knowledge: str) -> None:
    check_join(spark, knowledge)
