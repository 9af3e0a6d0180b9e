"""Window aggregates at many as-of instants in one pass, bit for bit those of one at a time (S21)."""

from collections.abc import Iterator
from functools import cache, partial
from itertools import groupby, pairwise

import numpy as np
import pyarrow as pa

from kernels.columns import Ints
from kernels.operations.table import kernel
from kernels.partials.rows import Rows
from kernels.windows.facts import loaded
from kernels.windows.plan import Output, WindowPlan
from kernels.windows.slices import Slice

__all__ = ["Output", "WindowPlan", "aggregate"]

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
    return pa.concat_tables(_aggregated(Slice(ready, plan, *edge)) for edge in pairwise(edges))


def _aggregated(part: Slice) -> pa.Table:
    cells = part.seen()
    entity, instant = np.divmod(cells, len(part.grid))
    columns = {name: part.keys_of(entity, name) for name in part.plan.keys}
    columns["event_time"] = pa.array(part.grid[instant]).cast(INSTANT)
    results: dict[str, pa.Array] = {}
    for rows, outputs in _read_together(part, cells):
        for output in outputs:
            operation = kernel(output.operation)
            input_type = None if rows.column is None else rows.column.array.type
            results[output.name] = operation.result(operation.update(rows), output.result(input_type))
    return pa.table(columns | {output.name: results[output.name] for output in part.plan.outputs})


def _read_together(part: Slice, cells: Ints) -> Iterator[tuple[Rows, list[Output]]]:
    """Outputs that read the same rows, together; one group is freed before the next is computed."""
    ends = {window: part.end(window) for window in {output.window_us for output in part.plan.outputs}}
    for name, outputs in groupby(sorted(part.plan.outputs, key=_input), key=_input):
        column = part.facts.inputs[name] if name else None
        by_value = cache(partial(part.by_value, column))  # one sort for all filters and windows of the input
        groups: dict[tuple[str | None, int | None], list[Output]] = {}
        for output in outputs:
            groups.setdefault((output.mask, output.window_us), []).append(output)
        for (mask, window_us), together in groups.items():
            yield part.read(column, mask, ends[window_us], cells=cells, by_value=by_value), together


def _input(output: Output) -> str:
    return output.input or ""
