"""Window aggregates at many as-of instants in one pass, bit for bit those of one at a time (S21)."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pyarrow as pa

from kernels.columns import Ints
from kernels.operations.operations import Measure, SumOverflow
from kernels.windows.facts import loaded
from kernels.windows.plan import Operation, Output, WindowPlan
from kernels.windows.slices import Slice

__all__ = ["Operation", "Output", "SumOverflow", "WindowPlan", "aggregate"]

# Entities are taken in slices of so many (entity, instant) cells: a matrix is 4 MB and stays near the cache.
# A minimum, maximum, last or first holds one matrix per power of two up to the number of instants.
CELLS = 2**19
INSTANT = pa.timestamp("us", tz="UTC")


def aggregate(facts: pa.Table, plan: WindowPlan) -> pa.Table:
    """The plan's outputs per entity and instant, for the entities seen by then; sorted by keys, then instant.

    Grain: one row per (keys, T) where the entity has a fact, before filters, with event_time < T, known at
    T + delay. `event_time` is T. A version counts in window w if T − w <= event_time < T and available_time
    <= T + delay < superseded_at (null: never superseded); lifetime counts from the plan's history start.
    Null inputs, NaN, infinities and rows whose filter isn't true are skipped; with nothing left, counts and
    sums are 0, all else is null; a deviation needs two values. Rows with a null in a key are left out.
    Raises SourceSchemaError for columns that don't fit the plan, SumOverflow for a sum beyond its type.
    Cost: one sort of the facts, one per distinct-counted input, one pass per (input, filter, window). Memory:
    the facts twice, the result, and slices of `CELLS` cells, or of one entity if its grid is longer.
    """
    ready = loaded(facts, plan)
    step = max(1, CELLS // (len(plan.grid_us) + 1))
    edges = [*range(0, ready.entities, step), ready.entities] if ready.entities else [0, 0]
    return pa.concat_tables(_answered(Slice(ready, plan, *edge)) for edge in pairwise(edges))


def _answered(part: Slice) -> pa.Table:
    cells = part.seen()
    entity, instant = np.divmod(cells, len(part.grid))
    columns = {name: part.keys_of(entity, name) for name in part.plan.keys}
    columns["event_time"] = pa.array(part.grid[instant]).cast(INSTANT)
    answers: dict[str, pa.Array] = {}
    for measure, outputs in _measures(part, cells):
        answers |= {output.name: measure.answer(output) for output in outputs}
    return pa.table(columns | {output.name: answers[output.name] for output in part.plan.outputs})


def _measures(part: Slice, cells: Ints) -> Iterator[tuple[Measure, list[Output]]]:
    """Outputs that read the same rows, together; one group is freed before the next is computed."""
    groups: dict[tuple[str | None, str | None, int | None], list[Output]] = {}
    for output in sorted(part.plan.outputs, key=lambda output: output.input or ""):
        groups.setdefault((output.input, output.mask, output.window_us), []).append(output)
    ends = {window: part.end(window) for window in {output.window_us for output in part.plan.outputs}}
    by_value: dict[str, Ints] = {}
    for outputs in groups.values():
        one = outputs[0]
        column = None if one.input is None else part.facts.inputs[one.input]
        if column is not None and any(output.operation == Operation.COUNT_DISTINCT for output in outputs):
            by_value = by_value if column.name in by_value else {column.name: part.by_value(column)}
        mask = None if one.mask is None else part.facts.masks[one.mask]
        order = None if column is None else by_value.get(column.name)
        yield Measure(part, column, mask, ends[one.window_us], cells, order), outputs
