"""The oldest and the latest row, by the order of facts (S9)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from kernels.columns import Ints, order_of
from kernels.partials.partial import Partial
from kernels.partials.rows import Rows
from kernels.partials.sums import COUNT

NONE = -1


@dataclass(frozen=True, eq=False)
class Chosen:
    """Per cell one row of some facts, NONE where a cell has no row.

    values: the facts' input. position: their columns of S9's order; without them a choice can't be merged.
    """

    row: Ints
    values: pa.Array
    position: tuple[pa.Array, ...]

    @property
    def value(self) -> pa.Array:
        return _taken(self.values, self.row)


class _Choice(Partial[Chosen]):
    def __init__(self, *, latest: bool) -> None:
        self._latest = latest

    def update(self, rows: Rows) -> Chosen:
        # Facts are in their order, so a row's number is its rank.
        ranks = rows.at_cells(rows.coverage.extreme(rows.numbers, largest=self._latest))
        return Chosen(np.where(COUNT.of(rows) == 0, NONE, ranks), rows.input.array, rows.position)

    def merge(self, one: Chosen, other: Chosen) -> Chosen:
        if not one.position or not other.position:
            raise TypeError("choices merge by the order of facts (S9): the rows need the columns of that order")
        cells = len(one.row)
        pairs = zip(one.position, other.position, strict=True)
        position = tuple(_concatenated(left, one.row, right, other.row) for left, right in pairs)
        ranks = _ranks(position)
        is_better = ranks[cells:] > ranks[:cells] if self._latest else ranks[cells:] < ranks[:cells]
        takes_other = (other.row != NONE) & (is_better | (one.row == NONE))
        row = np.arange(cells) + np.where(takes_other, cells, 0)
        has_none = (one.row == NONE) & (other.row == NONE)
        values = _concatenated(one.values, one.row, other.values, other.row)
        return Chosen(np.where(has_none, NONE, row), values, position)


def _taken(column: pa.Array, row: Ints) -> pa.Array:
    """The values of these rows, null for NONE."""
    is_none = row == NONE
    return column.take(pa.array(np.where(is_none, 0, row), mask=is_none))


def _concatenated(left: pa.Array, left_rows: Ints, right: pa.Array, right_rows: Ints) -> pa.Array:
    return pa.concat_arrays([_taken(left, left_rows), _taken(right, right_rows)])


def _ranks(position: Sequence[pa.Array]) -> Ints:
    """The rank of each row in the order; rows that are equal in all columns have the same rank."""
    columns = [order_of(part) for part in position]
    order = np.lexsort(columns[::-1])
    is_new = np.zeros(len(order), np.bool_)
    for column in columns:
        is_new[1:] |= column[order][1:] != column[order][:-1]
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.cumsum(is_new)
    return ranks


OLDEST = _Choice(latest=False)
LATEST = _Choice(latest=True)
