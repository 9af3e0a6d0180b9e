"""Versions of facts and content hashes against the contract in plain Python (S7, S8, S34), many examples a job."""

from random import Random
from typing import Any

import pyarrow as pa
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from kernels.content_hash import combine, partial_sums
from kernels.profile import profile
from quality.measure import SLICE, measure
from temporal.versions import with_superseded_at
from ziggurat.model import AvailableColumn, Column, EventTime, Kind, Source

# One Spark job answers a whole batch, drawn from a seed: to shrink it would take a job a step, so that a failure names
# the batch's smallest example instead.
seeds = st.integers(0, 2**32)
batches = settings(max_examples=2, deadline=None, phases=[Phase.generate])
INSTANT = pa.timestamp("us", tz="UTC")
LAST = 6

FACTS = Source(
    name="facts",
    kind=Kind.STATE,
    version=1,
    owner="tests",
    columns=(
        Column("example", "bigint"),
        Column("fact", "bigint"),
        Column("value", "string"),
        Column("nth", "bigint"),
        Column("never_was", "boolean"),
        Column("event_at", "timestamp"),
        Column("told_at", "timestamp"),
    ),
    identity=("example", "fact"),
    event_time=EventTime("event_at"),
    available=AvailableColumn("told_at"),
    version_by="nth",
    retraction="never_was",
)


def version(chance: Random) -> dict[str, Any]:
    return {
        "fact": chance.choice([1, 2]),
        "value": chance.choice([None, "", "a", "b", "ä", "Z"]),
        "nth": chance.choice([None, 1, 2, 3]),
        "never_was": chance.choice([None, False, False, True]),
        "available_time": chance.randint(0, LAST),
        "loaded_at": chance.randint(0, LAST),
    }


def order(row: dict[str, Any]) -> tuple[Any, ...]:
    """S7: version_by, then available_time, then its load, then the columns: nulls first, text by its bytes."""
    value = None if row["value"] is None else row["value"].encode()
    parts = (row["nth"], row["available_time"], row["loaded_at"], value, row["never_was"])
    return tuple((part is not None, part) if part is not None else (False,) for part in parts)


def known(versions: list[dict[str, Any]], cut: int) -> set[tuple[Any, ...]]:
    """The facts at a cut: of each, its newest version known by then, unless that says it never was."""
    newest: dict[int, dict[str, Any]] = {}
    for row in sorted((row for row in versions if row["available_time"] <= cut), key=order):
        newest[row["fact"]] = row
    return {(row["fact"], row["value"], row["nth"]) for row in newest.values() if not row["never_was"]}


def arrow(rows: list[dict[str, Any]], types: dict[str, pa.DataType]) -> pa.Table:
    return pa.table({name: pa.array([row[name] for row in rows], kind) for name, kind in types.items()})


@batches
@given(seeds)
def check_versions(spark: Any, seed: int) -> None:
    chance = Random(seed)
    examples = [[version(chance) for _ in range(chance.randint(0, 6))] for _ in range(400)]
    types = {
        "example": pa.int64(),
        "fact": pa.int64(),
        "value": pa.string(),
        "nth": pa.int64(),
        "never_was": pa.bool_(),
        **dict.fromkeys(("event_at", "told_at", "event_time", "available_time", "loaded_at"), INSTANT),
    }
    unused = {"event_at": 0, "told_at": 0, "event_time": 0}
    rows = [{"example": n, **unused, **row} for n, example in enumerate(examples) for row in example]
    answer = with_superseded_at(spark.createDataFrame(arrow(rows, types)), FACTS, has_versions=True)
    micros = [f"unix_micros({name}) as {name}" for name in ("available_time", "superseded_at")]
    found: dict[int, list[dict[str, Any]]] = {}
    for row in answer.selectExpr("example", "fact", "value", "nth", *micros).toArrow().to_pylist():
        found.setdefault(row["example"], []).append(row)
    wrong = []
    for n, example in enumerate(examples):
        for cut in range(-1, LAST + 2):
            seen = [
                (row["fact"], row["value"], row["nth"])
                for row in found.get(n, [])
                if row["available_time"] <= cut and (row["superseded_at"] is None or row["superseded_at"] > cut)
            ]
            if len(seen) != len(set(seen)) or set(seen) != known(example, cut):
                wrong.append((len(example), f"cut {cut}: {example} shows {seen}, wanted {known(example, cut)}"))
    assert not wrong, min(wrong)[1]


def test_s7_s8_at_any_cut_the_newest_version_known_counts(spark) -> None:
    check_versions(spark)


def measured_row(chance: Random) -> dict[str, Any]:
    return {
        SLICE: chance.choice([0, 0, 0, 1_512_000_000_000_000, None]),
        "id": chance.choice([None, 1, 2, 3]),
        "amount": chance.choice([None, 0.0, -0.0, 0.1, -2.5, float("nan"), float("inf"), 1e300]),
        "text": chance.choice([None, "", "a", "ä"]),
        "at": chance.choice([None, 0, -1, 1_512_000_000_000_000]),
        "is_in": chance.choice([None, True, False]),
    }


MEASURED = {
    SLICE: pa.int64(),
    "id": pa.int64(),
    "amount": pa.float64(),
    "text": pa.string(),
    "at": INSTANT,
    "is_in": pa.bool_(),
}
COUNTED = ["slice", "feature", "rows", "nulls", "nans", "minimum", "maximum"]


def keys_counted(rows: list[dict[str, Any]]) -> dict[Any, tuple[int, int]]:
    found = {}
    for index in {row[SLICE] for row in rows}:
        keys = [row["id"] for row in rows if row[SLICE] == index]
        found[index] = (len(keys) - len(set(keys)), keys.count(None))
    return found


@batches
@given(seeds)
def check_measures(spark: Any, seed: int) -> None:
    chance = Random(seed)
    rows = [measured_row(chance) for _ in range(chance.randint(0, 200))]
    whole = arrow(rows, MEASURED)
    columns = [name for name in MEASURED if name != SLICE]
    answer = measure(
        spark.createDataFrame(whole).repartition(chance.randint(1, 5)), keys=["id"], profiled=columns, hashed=columns
    )
    assert answer.hashes == combine(partial_sums(whole, slice_column=SLICE))
    alone = profile(whole, slice_column=SLICE, columns=columns).select(COUNTED)
    assert pa.Table.from_pandas(answer.profile[COUNTED], alone.schema, preserve_index=False).equals(alone)
    counted = {index: (counts.duplicates, counts.nulls) for index, counts in answer.keys.items()}
    assert counted == keys_counted(rows)


def test_s34_hash_profile_and_keys_do_not_depend_on_partitions(spark) -> None:
    check_measures(spark)


def test_s34_nothing_has_an_empty_measure(spark) -> None:
    empty = spark.createDataFrame(arrow([], MEASURED))
    answer = measure(empty, keys=["id"], profiled=["amount"], hashed=["id", "amount"])
    assert (answer.hashes, answer.keys, len(answer.profile)) == ({}, {}, 0)
