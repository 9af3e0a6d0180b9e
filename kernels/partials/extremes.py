"""The smallest and the largest value: of any type that has an order; null where a cell has no value."""

import numpy as np
import pyarrow as pa

from kernels.columns import Bools, InputColumn
from kernels.partials.partial import Partial
from kernels.partials.rows import Rows
from kernels.partials.sums import COUNT


class _Extreme(Partial[pa.Array]):
    def __init__(self, *, largest: bool) -> None:
        self._largest = largest

    def update(self, rows: Rows) -> pa.Array:
        values = rows.input.comparable[rows.numbers]
        extremes = rows.at_cells(rows.coverage.extreme(values, largest=self._largest))
        return rows.input.restored(extremes, is_null=COUNT.of(rows) == 0)

    def merge(self, one: pa.Array, other: pa.Array) -> pa.Array:
        cells = len(one)
        both = InputColumn("values", pa.concat_arrays([one, other]))
        left, right = both.comparable[:cells], both.comparable[cells:]
        is_better = right > left if self._largest else right < left
        takes_right = _has_value(other) & (is_better | ~_has_value(one))
        return both.array.take(pa.array(np.arange(cells) + np.where(takes_right, cells, 0)))


def _has_value(array: pa.Array) -> Bools:
    return np.asarray(array.is_valid().to_numpy(zero_copy_only=False))


SMALLEST = _Extreme(largest=False)
LARGEST = _Extreme(largest=True)
