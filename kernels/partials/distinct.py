"""The distinct values."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa

from kernels.columns import InputColumn, Ints
from kernels.coverage import Coverage
from kernels.partials.partial import Partial
from kernels.partials.rows import Rows


@dataclass(frozen=True, eq=False)
class Distinct:
    """Per cell how many distinct values; `listed` gives the values with the cell of each, and is needed for a merge.

    A window counts values at many instants without listing them.
    """

    count: Ints
    listed: Callable[[], tuple[Ints, pa.Array]]


class _Values(Partial[Distinct]):
    def update(self, rows: Rows) -> Distinct:
        order = rows.by_value()
        order = order[rows.counts[order]]
        codes = rows.input.codes[order + rows.first]
        count = rows.at_cells(rows.spans.take(order).distinct(codes))
        # Not `rows` itself: it keeps this state, and a circle of references would keep both in memory.
        return Distinct(count, partial(_listed, rows.coverage, rows.cells, rows.input.array, rows.numbers))

    def merge(self, one: Distinct, other: Distinct) -> Distinct:
        cells, values = zip(one.listed(), other.listed(), strict=True)
        listed = _once(np.concatenate(cells), pa.concat_arrays(values))
        return Distinct(np.bincount(listed[0], minlength=len(one.count)), lambda: listed)


def _listed(coverage: Coverage, cells: Ints, values: pa.Array, numbers: Ints) -> tuple[Ints, pa.Array]:
    row, cell = coverage.pairs()
    index = np.searchsorted(cells, cell)
    is_answered = np.isin(cell, cells)
    return _once(index[is_answered], values.take(pa.array(numbers[row[is_answered]])))


def _once(cell: Ints, values: pa.Array) -> tuple[Ints, pa.Array]:
    """Each value once per cell."""
    codes = InputColumn("values", values).codes
    first = np.unique(cell * (int(codes.max(initial=0)) + 1) + codes, return_index=True)[1]
    return cell[first], values.take(pa.array(first))


DISTINCT_VALUES = _Values()
