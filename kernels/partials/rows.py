"""The rows of some facts that count for one input and one filter, and the cells that each row counts for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from kernels.columns import Bools, InputColumn, Ints, Values, order_of
from kernels.coverage import Coverage


@dataclass(frozen=True, eq=False)
class Rows:
    """A slice of facts, oldest first in S9's order inside an entity, read by one input under one filter.

    A cell is what gets a value of its own: an entity at an instant of a window plan, or any group of facts, such as an
    entity's day. spans: per row of the slice the cells that it counts for, perhaps none. cells: those that get an
    answer, ascending, among all that `spans` has. column, mask and position belong to all the facts, of which the slice
    begins at row `first`. position: the columns of S9's order; only rows that have it can be merged by that order.
    by_value: the slice's rows by cell, then value, then first instant. states: what was computed so far.
    """

    spans: Coverage
    cells: Ints
    column: InputColumn | None
    mask: Bools | None
    by_value: Callable[[], Ints]
    first: int = 0
    position: tuple[pa.Array, ...] = ()
    states: dict[Any, Any] = field(default_factory=dict)

    @cached_property
    def counts(self) -> Bools:
        """Which rows of the slice count: they cover a cell, pass the filter and have a value (S23)."""
        counts = self.spans.start < self.spans.end
        here = slice(self.first, self.first + len(counts))
        for condition in (self.mask, None if self.column is None else self.column.valid):
            counts = counts if condition is None else counts & condition[here]
        return counts

    @cached_property
    def numbers(self) -> Ints:
        """The rows that count, numbered among all the facts."""
        return np.flatnonzero(self.counts) + self.first

    @cached_property
    def coverage(self) -> Coverage:
        """The cells that each row that counts covers."""
        return self.spans.take(self.numbers - self.first)

    @cached_property
    def units(self) -> Values:
        """The inputs of the rows that count, in whole quanta."""
        values: Values = self.input.units[self.numbers]
        return values

    @property
    def input(self) -> InputColumn:
        if self.column is None:
            raise TypeError("count(*) reads no input")
        return self.column

    def at_cells(self, matrix: Values) -> Values:
        """Of a value per cell of `spans` those of the cells that get an answer."""
        return matrix.reshape(-1)[self.cells]


def grouped_rows(
    group: Ints,
    groups: int,
    column: InputColumn | None,
    *,
    mask: Bools | None = None,
    position: Sequence[pa.Array] = (),
) -> Rows:
    """Facts of which each counts for one group, numbered from 0; the cells are the groups.

    position: the columns of S9's order, in its order; without them the facts count as ordered.
    """
    if len(position):
        order = np.lexsort([order_of(part) for part in reversed(position)])
        group, mask = group[order], None if mask is None else mask[order]
        position = [part.take(pa.array(order)) for part in position]
        column = None if column is None else InputColumn(column.name, column.array.take(pa.array(order)))
    once = np.ones(len(group), np.int64)
    spans = Coverage(group, once - 1, once, groups, 1)
    return Rows(
        spans,
        cells=np.arange(groups),
        column=column,
        mask=mask,
        by_value=lambda: spans.by_value(column.codes if column is not None else once),
        position=tuple(position),
    )
