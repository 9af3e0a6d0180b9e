"""Random facts and window plans: instants lie on the edges of windows and cuts, values on the edges of their types."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from definitions.operations.declared import Reads, Result
from definitions.operations.table import window_operation
from kernels.windows.plan import Output, WindowPlan

DAY = 86_400_000_000
T0 = 1_490_000_000_000_000
INSTANT = pa.timestamp("us", tz="UTC")
WINDOWS = (DAY, 3 * DAY, None)
INPUTS = {
    "text": "string",
    "weight": "double",
    "when": "timestamp",
    "day": "date",
    "flag": "boolean",
    "units": "bigint",
}

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


def outputs(operations: Sequence[str], window: int | None, mask: str | None) -> list[Output]:
    """Each operation over each input that it accepts; whole numbers also as hundredths."""
    end = f"_{window}_{mask}"
    outputs = [Output(f"rows{end}", "count", None, mask, window)]
    for operation in operations:
        declared = window_operation(operation)
        for name, type_ in INPUTS.items():
            if not declared.accepts.fits(type_) or (declared.reads is Reads.QUANTA and name != "units"):
                continue
            # As double: the largest units would leave the range of a whole sum.
            kind = pa.float64() if declared.result is Result.SUM else None
            outputs.append(Output(f"{name}_{operation}{end}", operation, name, mask, window, 1, kind))
            if name == "units":
                outputs.append(Output(f"cents_{operation}{end}", operation, name, mask, window, 100))
    return outputs


@dataclass(frozen=True)
class Case:
    rows: list[dict[str, Any]]
    plan: WindowPlan = field(repr=False)
    label: str

    @property
    def facts(self) -> pa.Table:
        return table(self.rows)


@st.composite
def cases(draw: st.DrawFn, operations: Sequence[str]) -> Case:
    """Facts, and a plan with these operations."""
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
        outputs=tuple(output for window, mask in sides for output in outputs(operations, window, mask)),
        view_columns=draw(st.sampled_from([(), ("units", "text", "weight", "when", "day", "flag")])),
    )
    label = f"{plan.keys} {grid} +{delay} from {plan.history_start_us} {plan.tie_break} {sides}"
    return Case(draw(fact_rows(grid, delay)), plan, label)


def bits(answer: pa.Table) -> dict[str, list[Any]]:
    """The columns, doubles in hexadecimal: −0.0 is not 0.0, and the last place counts; times as integers."""
    columns = {}
    for name in answer.column_names:
        column = answer[name]
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.int64())
        columns[name] = [value.hex() if isinstance(value, float) else value for value in column.to_pylist()]
    return columns
