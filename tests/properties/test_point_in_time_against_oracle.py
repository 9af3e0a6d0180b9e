"""Every strategy of the point-in-time join against the oracle: random spines and histories with close instants.

One job has many examples. In some the instants are near a clock change of a zone, and the session's zone is drawn, too.
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from pit_join import History, evidence_column, join_with_evidence, lay_out
from pit_join.oracle import HistoryDeclaration, seen_by
from pit_join.strategies import STRATEGIES
from tests.spec.pit_join.plain import in_utc, plain
from tests.spec.pit_join.stacked import session_like
from tests.support.drawn import at_us

Row = dict[str, Any]
INSTANT = pa.timestamp("us", tz="UTC")
FIRST, LAST = -2_208_988_800_000_000, 7_258_118_399_999_999  # the years 1900 and 2199 (S1)
EXAMPLES = 150

# Zones, each with an instant at which its clocks change.
NIGHTS = {
    "UTC": 0,
    "America/New_York": at_us("2017-11-05T06:00Z"),
    "Asia/Kolkata": at_us("1941-09-30T18:30Z"),
    "Australia/Lord_Howe": at_us("2017-04-01T15:00Z"),
    "Pacific/Apia": at_us("2011-12-30T10:00Z"),
}
HALF_HOUR = 1_800_000_000

# One job joins all histories for all examples. Each has the arguments of `History`; all frames have the same columns.
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
VALUES = ("value", "amount", "price", "code", "tags", "nth", "gone", "fact", "never_was", "loaded_at")
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
    "price": pa.decimal128(12, 2),
    "code": pa.binary(),
    "tags": pa.map_(pa.string(), pa.int32()),
    "never_was": pa.bool_(),
    "available_time": INSTANT,
    "superseded_at": INSTANT,
    "loaded_at": INSTANT,
}
SPINE = {"n": pa.int64(), "example": pa.int64(), "who": pa.string(), "part": pa.int32(), "label_time": INSTANT}


def instant(chance: Random, night: int, *, nulls: bool = False) -> int | None:
    """One of five microseconds, at the clock change of the example's night, or half an hour or an hour from it."""
    rare = [FIRST, FIRST + 1, LAST, LAST - 1, *([None] * 2 if nulls else [])]
    if chance.random() < 0.1:
        return chance.choice(rare)
    return chance.randint(0, 4) + (night + chance.choice([-2, -1, 0, 0, 0, 1]) * HALF_HOUR if night else 0)


def keys(chance: Random) -> Row:
    """Mostly one key, which facts share. ("1", 23) and ("12", 3) are two keys; one with a null part matches none."""
    return {"who": chance.choice(["1"] * 6 + ["12", None]), "part": chance.choice([23] * 6 + [3, None])}


def fact(chance: Random, night: int) -> Row:
    return keys(chance) | {
        "fact": chance.choice([1, 2, 3]),
        "value": chance.choice([None, "", "a", "ä", "Z"]),
        "event_time": instant(chance, night, nulls=True),
        "nth": chance.choice([None, 1, 2]),
        "gone": chance.choice([None, False, False, True]),
        "amount": chance.choice([None, 0.0, 1.5, -2.0, float("nan"), float("inf")]),
        "price": chance.choice([None, Decimal("0.00"), Decimal("9.50"), Decimal("10.00")]),
        "code": chance.choice([None, b"", b"\x7f", b"\x80"]),
        "tags": chance.choice([None, {}, {"a": 1}, {"b": 2, "a": 1}, {"a": 2}, {"a": None}]),
        "never_was": chance.choice([None, False, False, True]),
        "available_time": instant(chance, night, nulls=True),
        "superseded_at": instant(chance, night) if chance.random() < 0.4 else None,
        "loaded_at": chance.randint(0, 2),
    }


def facts(chance: Random, night: int) -> list[Row]:
    """Some are repeated unchanged, some differ from another in one column alone."""
    rows = [fact(chance, night) for _ in range(chance.choice([0, 1, 4, 8, 12]))]
    again = [dict(chance.choice(rows)) for _ in range(chance.choice([0, 0, 2])) if rows]
    one_off = [chance.choice(rows) for _ in range(chance.choice([0, 2])) if rows]
    changed = [
        row | {name: fact(chance, night)[name]}
        for row in one_off
        for name in [chance.choice([*VALUES, "superseded_at"])]
    ]
    return rows + again + changed


def spine_rows(chance: Random, night: int) -> list[Row]:
    rows = [
        keys(chance) | {"label_time": instant(chance, night, nulls=True), "n": chance.choice([1, 2])}
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


def declaration_of(name: str, knowledge: str) -> HistoryDeclaration:
    how = dict(HISTORIES[name])
    max_age = how.pop("max_age", None)
    max_age_us = max_age // timedelta(microseconds=1) if max_age else None
    return HistoryDeclaration(columns=tuple(TYPES), max_age_us=max_age_us, knowledge=knowledge, **how)


def expected(row: Row, drawn: list[Row], name: str, knowledge: str) -> tuple[Any, ...]:
    how = declaration_of(name, knowledge)
    answer = seen_by(row, drawn, how)
    chosen, brought = answer.fact or {}, answer.values or {}
    clocks = (None, None)
    if how.event_time and chosen:
        clocks = (chosen["event_time"], chosen[how.available_time or how.event_time])
    values = (brought.get(value) for value in VALUES)
    pairs = (list(value.items()) if isinstance(value, dict) else value for value in values)
    return (answer.outcome, answer.is_tied, *clocks, *map(plain, pairs))


Batch = list[tuple[list[Row], list[Row]]]


def frames(spark: Any, batch: Batch) -> tuple[Any, list[History]]:
    """The spine and the histories of all examples."""
    drawn = [{"example": index, **row} for index, (rows, _) in enumerate(batch) for row in rows]
    spine = frame(spark, [{"example": index, **row} for index, (_, rows) in enumerate(batch) for row in rows], SPINE)
    all_facts = frame(spark, drawn, TYPES)
    return spine, [History(name, all_facts, features=VALUES, **how) for name, how in HISTORIES.items()]


def laid_out(histories: list[History], folder: Path) -> list[History]:
    """The histories with the layouts that the co-located strategy needs; a static history needs none."""

    def prepared(history: History) -> History:
        return history if history.is_static else lay_out(history, str(folder / history.name), buckets=3)

    with ThreadPoolExecutor(2) as threads:
        return list(threads.map(prepared, histories))


def answered(spine: Any, histories: list[History], knowledge: str, strategy: str) -> dict[int, Counter[Any]]:
    """By example the spine rows with what they see of every history, and how often each occurs."""
    joined = join_with_evidence(spine, histories, knowledge=knowledge, strategy=strategy)
    columns = [value.alias(f"{name}:{index}") for name in HISTORIES for index, value in enumerate(columns_of(name))]
    counts: dict[int, Counter[Any]] = {}
    for row in in_utc(joined.select(*SPINE, *columns).toArrow()).to_pylist():
        values = [plain(value) for value in row.values()]
        counts.setdefault(row["example"], Counter())[repr(values)] += 1
    return counts


def columns_of(name: str) -> list[Any]:
    fields = ("outcome", "is_tied", "event_time", "available_time")
    evidence = [F.col(evidence_column(name))[field] for field in fields]
    return [*evidence, *(F.col(f"{name}__{value}") for value in VALUES)]


def should_be(batch: Batch, knowledge: str) -> list[Counter[Any]]:
    """The same from the oracle."""
    expected_counts = []
    for index, (drawn, rows) in enumerate(batch):
        example = [{"example": index, **row} for row in drawn]
        should: Counter[Any] = Counter()
        for row in rows:
            spine_row = {"example": index, **row}
            answers = [expected(spine_row, example, name, knowledge) for name in HISTORIES]
            should[
                repr([*(spine_row[name] for name in SPINE), *(value for answer in answers for value in answer)])
            ] += 1
        expected_counts.append(should)
    return expected_counts


def differing(batch: Batch, expected: list[Counter[Any]], counts: dict[int, Counter[Any]]) -> Iterator[tuple[int, str]]:
    """The size of each example with another result than expected, and the difference."""
    for index, (drawn, rows) in enumerate(batch):
        should, counted = expected[index], counts.get(index, Counter())
        if counted != should:
            yield len(drawn) + len(rows), f"{drawn}\n found {counted - should}\nwanted {should - counted}"


# One Spark job answers a whole batch, drawn from a seed: to shrink it would take a job a step, so that a failure names
# the batch's smallest example instead.
@settings(max_examples=2, deadline=None, phases=[Phase.generate])
@given(st.integers(0, 2**32))
def check_join(spark: Any, folder: Path, knowledge: str, seed: int) -> None:
    chance = Random(seed)
    nights = [chance.choice([0, *NIGHTS.values()]) for _ in range(EXAMPLES)]
    batch = [(facts(chance, night), spine_rows(chance, night)) for night in nights]
    should = should_be(batch, knowledge)
    with session_like(spark, {"spark.sql.session.timeZone": chance.choice(list(NIGHTS))}):
        spine, histories = frames(spark, batch)
        for strategy in STRATEGIES:
            if strategy == "colocated" and knowledge != "at_label":
                continue  # a layout is written for knowledge at each label time
            prepared = laid_out(histories, folder / str(seed)) if strategy == "colocated" else histories
            wrong = list(differing(batch, should, answered(spine, prepared, knowledge, strategy)))
            assert not wrong, f"{strategy}: {len(wrong)} of {EXAMPLES} examples differ; the smallest:\n{min(wrong)[1]}"


@pytest.mark.parametrize("knowledge", ["at_label", "latest"])
def test_every_row_sees_what_the_oracle_sees(spark, tmp_path: Path, knowledge: str) -> None:
    check_join(spark, tmp_path, knowledge)
