"""The window kernel against its oracle, on random facts whose instants crowd the boundaries."""

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.windows import aggregate as windows
from kernels.windows import oracle as window_oracle
from kernels.windows.aggregate import Output, WindowPlan

DAY = 86_400_000_000
T0 = 1_490_000_000_000_000
INSTANT = pa.timestamp("us", tz="UTC")
WINDOWS = (DAY, 3 * DAY, None)
OPERATIONS = ("count", "sum", "mean", "min", "max", "count_distinct", "last", "first", "stddev")
CHOICES = ("count", "count_distinct", "min", "max", "last", "first")

grids = st.lists(st.sampled_from([0, 1, DAY - 1, DAY, DAY + 1, 2 * DAY, 4 * DAY, 9 * DAY]), min_size=1, unique=True)
delays = st.sampled_from([0, 5, DAY])
nudges = st.sampled_from([-1, 0, 1])
amounts = st.sampled_from([None, 0, 1, -1, 7, 250, 2**53 + 1, -(2**31), 2**61, -(2**61)]) | st.integers(-999, 999)


@st.composite
def fact_rows(draw: st.DrawFn, grid: list[int], delay: int) -> list[dict[str, Any]]:
    """Facts whose instants lie on and one microsecond beside the edges of windows and cuts."""
    edges = [t - w for t in grid for w in (0, DAY, 3 * DAY)]
    cuts = [t + delay for t in grid]
    ends = st.none() | st.builds(lambda cut, nudge: cut + nudge, st.sampled_from(cuts), nudges)
    row = st.fixed_dictionaries(
        {
            "household_id": st.sampled_from([None, 1, 2, 3]),
            "region": st.sampled_from(["a", "ä", "Z", "aa"]),
            "event_time": st.builds(lambda edge, nudge: edge + nudge, st.sampled_from(edges), nudges),
            "available_time": st.builds(lambda at, nudge: at + nudge, st.sampled_from([*cuts, T0 - 9 * DAY]), nudges),
            "superseded_at": ends,
            "line": st.sampled_from([None, 1, 2]),
            "units": amounts,
            "text": st.sampled_from([None, "", "b", "é", "zz"]),
            "weight": st.sampled_from([None, 0.0, -0.0, 1.5, float("nan"), float("inf"), -3.25]),
            "when": st.sampled_from([None, T0, T0 + 1, 0, -1]),
            "day": st.sampled_from([None, dt.date(2017, 1, 1), dt.date(1969, 12, 31)]),
            "flag": st.sampled_from([None, True, False]),
        }
    )
    rows = draw(st.lists(row, max_size=14))
    again = draw(st.lists(st.integers(0, 13), max_size=3))
    return rows + [rows[index] for index in again if index < len(rows)]


SCHEMA = pa.schema(
    {
        "household_id": pa.int32(),
        "region": pa.string(),
        "event_time": INSTANT,
        "available_time": INSTANT,
        "superseded_at": INSTANT,
        "line": pa.int64(),
        "units": pa.int64(),
        "text": pa.string(),
        "weight": pa.float64(),
        "when": pa.timestamp("us"),
        "day": pa.date32(),
        "flag": pa.bool_(),
    }
)


def table(rows: list[dict[str, Any]]) -> pa.Table:
    instants = {"event_time", "available_time", "superseded_at", "when"}
    columns = {
        column.name: pa.array([row[column.name] for row in rows], pa.int64()).cast(column.type)
        if column.name in instants
        else pa.array([row[column.name] for row in rows], column.type)
        for column in SCHEMA
    }
    return pa.table(columns, schema=SCHEMA)


def outputs(window: int | None, mask: str | None) -> list[Output]:
    inputs = {"text": CHOICES, "weight": CHOICES, "when": CHOICES, "day": CHOICES, "flag": CHOICES}
    end = f"_{window}_{mask}"
    found = [Output(f"{i}_{o}{end}", o, i, mask, window) for i, all_of in inputs.items() for o in all_of]
    for operation in OPERATIONS:
        kind = pa.float64() if operation == "sum" else None
        found.append(Output(f"units_{operation}{end}", operation, "units", mask, window, 1, kind))
        found.append(Output(f"cents_{operation}{end}", operation, "units", mask, window, 100))
    return [*found, Output(f"rows{end}", "count", None, mask, window)]


@dataclass(frozen=True)
class Case:
    rows: list[dict[str, Any]]
    plan: WindowPlan = field(repr=False)
    told: str

    @property
    def facts(self) -> pa.Table:
        return table(self.rows)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    grid = sorted(T0 + step for step in draw(grids))
    delay = draw(delays)
    sides = draw(
        st.lists(
            st.tuples(st.sampled_from(WINDOWS), st.sampled_from([None, "flag"])),
            min_size=1,
            unique=True,
            max_size=3,
        )
    )
    plan = WindowPlan(
        keys=draw(st.sampled_from([("household_id",), ("region",), ("region", "household_id")])),
        grid_us=tuple(grid),
        cut_delay_us=delay,
        history_start_us=draw(st.sampled_from([None, T0 - DAY, T0])),
        tie_break=draw(st.sampled_from([(), ("line",), ("text", "line")])),
        outputs=tuple(output for window, mask in sides for output in outputs(window, mask)),
        view_columns=draw(st.sampled_from([(), ("units", "text", "weight", "when", "day", "flag")])),
    )
    told = f"{plan.keys} {grid} +{delay} from {plan.history_start_us} {plan.tie_break} {sides}"
    return Case(draw(fact_rows(grid, delay)), plan, told)


def bits(answer: pa.Table) -> dict[str, list[Any]]:
    """The columns, doubles in hexadecimal: −0.0 is not 0.0, and the last place counts; times as integers."""
    columns = {}
    for name in answer.column_names:
        column = answer[name]
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.int64())
        columns[name] = [value.hex() if isinstance(value, float) else value for value in column.to_pylist()]
    return columns


@settings(max_examples=150, deadline=None)
@given(cases())
def test_the_kernel_answers_what_the_oracle_answers_bit_for_bit(case: Case) -> None:
    expected = window_oracle.aggregate(case.facts, case.plan)
    found = windows.aggregate(case.facts, case.plan)
    assert found.schema.equals(expected.schema)
    assert bits(found) == bits(expected)


@settings(max_examples=50, deadline=None)
@given(cases(), st.integers(0, 2**32))
def test_many_instants_answer_what_one_at_a_time_does_whatever_the_row_order_and_the_slice_size(
    case: Case, seed: int
) -> None:
    shuffled = np.random.default_rng(seed).permutation(len(case.rows))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows, "CELLS", 1)
        at_once = windows.aggregate(case.facts.take(pa.array(shuffled)), case.plan)
    plans = [replace(case.plan, grid_us=(instant,)) for instant in case.plan.grid_us]
    one_by_one = pa.concat_tables(windows.aggregate(case.facts, plan) for plan in plans)
    by_keys = [(key, "ascending") for key in (*case.plan.keys, "event_time")]
    assert bits(at_once) == bits(one_by_one.sort_by(by_keys))
