"""The as-of join of Arrow tables against a loop: whatever pieces the facts come in, and whatever types keys have."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.as_of.tables import key_numbers, latest

INSTANT = pa.timestamp("us", tz="UTC")
FACT = st.tuples(
    st.sampled_from(["a", "b", "ä"]),
    st.sampled_from([None, 1]) | st.integers(1, 2),  # a null part is no key: such facts are left out below
    st.integers(0, 9),  # event_time
    st.integers(0, 3),  # known so much later
    st.none() | st.integers(1, 6),  # superseded so much after that
)
LABEL = st.tuples(st.sampled_from(["a", "b", "ä", "c", None]), st.sampled_from([None, 1, 2, 3]), st.integers(-1, 16))


def table(facts: list[tuple[Any, ...]]) -> pa.Table:
    columns = list(zip(*facts, strict=True)) or [()] * 6
    types = (pa.string(), pa.int32(), INSTANT, pa.int64(), pa.int64(), pa.int64())
    names = ("key_0", "key_1", "event_time", "visible_us", "superseded_us", "nth")
    return pa.table([pa.array(column, kind) for column, kind in zip(columns, types, strict=True)], list(names))


@settings(max_examples=400, deadline=None)
@given(st.lists(FACT, max_size=25), st.lists(LABEL, max_size=12), st.integers(1, 4), st.integers(1, 9), st.randoms())
def test_the_latest_fact_is_found_whatever_pieces_the_facts_come_in(drawn, labels, runs, rows, chance) -> None:
    drawn = sorted((fact for fact in drawn if fact[1] is not None), key=lambda fact: fact[:3])
    facts = []
    for nth, (name, part, event, later, end) in enumerate(drawn):
        facts.append((name, part, event, event + later, None if end is None else event + later + end, nth))
    # A run holds whole event times; inside it a file comes in pieces of some rows.
    run_of = {event: chance.randrange(runs) for event in range(10)}
    rows_of_runs = [[fact for fact in facts if run_of[fact[2]] == run] for run in range(runs)]
    pieces = [table([])] + [table(run[at : at + rows]) for run in rows_of_runs for at in range(0, len(run), rows)]
    keys = [
        pa.array([name for name, _, _ in labels], pa.string()),
        pa.array([part for _, part, _ in labels], pa.int32()),
    ]
    joined = latest(keys, np.array([at for _, _, at in labels], np.int64), pieces, ["nth", "event_time"])
    for (name, part, at), row in zip(labels, joined.to_pylist(), strict=True):
        seen = [f for f in facts if f[:2] == (name, part) and f[3] <= at and (f[4] is None or at < f[4])]
        best = max(seen, key=lambda fact: fact[2:3] + fact[5:6], default=None)
        assert row["nth"] == (best and best[5])
        assert (row["is_found"], row["is_tied"]) == (best is not None, False if best else None)


@pytest.mark.parametrize(
    ("kind", "heads", "keys"),
    [
        (pa.int64(), [-1, 2**62, 0], [0, -1, None, 5, 2**62]),
        (pa.string(), ["", "a", "A", "a "], ["a", "", "a ", None, "b"]),
        (pa.binary(), [b"\x00", b""], [b"", None, b"\x00", b"\x00\x00"]),
        (pa.date32(), [date(1969, 12, 31), date(2017, 1, 1)], [date(2017, 1, 1), None, date(1969, 12, 31)]),
        (pa.decimal128(38, 2), [Decimal("1.00"), Decimal("-0.01")], [Decimal("-0.01"), Decimal("2.00"), None]),
        (pa.bool_(), [True, False], [False, None, True]),
        (pa.timestamp("us", tz="UTC"), [datetime(2017, 1, 1)], [datetime(2017, 1, 1), datetime(2017, 1, 2), None]),
    ],
)
def test_a_key_is_the_head_that_equals_it_whatever_its_type(kind, heads, keys) -> None:
    expected = [heads.index(key) if key in heads else -1 for key in keys]
    assert key_numbers([pa.array(keys, kind)], [pa.array(heads, kind)]).tolist() == expected
    # The same with a second key part that has one value everywhere.
    same = pa.array([7] * len(keys)), pa.array([7] * len(heads))
    assert key_numbers([pa.array(keys, kind), same[0]], [pa.array(heads, kind), same[1]]).tolist() == expected


def test_instants_are_one_key_whatever_zone_their_type_names() -> None:
    instants = pa.array([0, 1], pa.timestamp("us", tz="Asia/Kolkata"))
    assert key_numbers([instants], [pa.array([1], pa.timestamp("us", tz="UTC"))]).tolist() == [-1, 0]


def test_many_key_parts_of_large_numbers_do_not_overflow() -> None:
    parts = [pa.array([2**62, -(2**62), 3, 2**62]) for _ in range(5)]
    assert key_numbers(parts, [part.slice(0, 3) for part in parts]).tolist() == [0, 1, 2, 0]


def test_a_tie_lasts_as_long_as_an_equal_fact_is_seen() -> None:
    columns = {
        "key_0": [1, 1],
        "event_time": pa.array([5, 5], INSTANT),
        "visible_us": [6, 6],
        "tied_until_us": pa.array([None, 9], pa.int64()),
    }
    label_us = np.array([5, 6, 8, 9], np.int64)
    joined = latest([pa.array([1] * 4)], label_us, [pa.table(columns)], [])
    assert joined["is_tied"].to_pylist() == [None, True, True, False]
