"""Which cells of a grid each row covers, and sums, extremes and distinct counts of the rows per cell.

A cell is an entity at an instant. A row covers the instants [start, end) of one entity. Sums are differences scattered
at both ends and added up along the instants; extremes are two overlapping blocks of a power-of-two length, pushed down
level by level. The cost depends on rows and cells, not on how many cells a row covers.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kernels.columns import Ints, Values


@dataclass(frozen=True, eq=False)
class Coverage:
    """Rows and the instants [start, end) that each covers; answers are matrices of entities x instants.

    A sum, count, extreme or distinct count needs rows that cover at least one instant.
    """

    entity: Ints
    start: Ints
    end: Ints
    entities: int
    instants: int

    def take(self, rows: Ints) -> "Coverage":
        """Of these rows only, in this order."""
        return Coverage(self.entity[rows], self.start[rows], self.end[rows], self.entities, self.instants)

    def by_value(self, codes: Ints) -> Ints:
        """The rows by entity, code, start: the order that `distinct` needs."""
        pair = self.entity * (int(codes.max(initial=0)) + 1) + codes
        return np.argsort(pair * (self.instants + 1) + self.start)

    def pairs(self) -> tuple[Ints, Ints]:
        """Each row with each flat cell that it covers: for small coverages, the result has all of them."""
        lengths = self.end - self.start
        row = np.repeat(np.arange(len(lengths)), lengths)
        step = np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return row, self.entity[row] * self.instants + self.start[row] + step

    def count(self) -> Ints:
        size = self.entities * (self.instants + 1)
        steps = np.bincount(self._opens, minlength=size) - np.bincount(self._closes, minlength=size)
        return self._added_up(steps)

    def sum(self, values: Ints) -> Ints:
        """Per cell the sum of the rows that cover it, modulo 2**64."""
        steps = np.zeros(self.entities * (self.instants + 1), np.int64)
        np.add.at(steps, self._opens, values)
        np.subtract.at(steps, self._closes, values)
        return self._added_up(steps)

    def extreme(self, values: Values, *, largest: bool) -> Values:
        """Per cell the largest or smallest value of the rows that cover it; meaningless where none does."""
        better = np.maximum if largest else np.minimum
        shape = (self._level.max(initial=0) + 1, self.entities, self.instants)
        blocks = np.full(shape, worst(values, largest=largest))
        flat, row = blocks.reshape(-1), (self._level * self.entities + self.entity) * self.instants
        better.at(flat, row + self.start, values)
        better.at(flat, row + self.end - (1 << self._level), values)
        for level in range(len(blocks) - 1, 0, -1):
            half, above, below = 1 << (level - 1), blocks[level], blocks[level - 1]
            better(below, above, out=below)
            better(below[:, half:], above[:, :-half], out=below[:, half:])
        answer: Values = blocks[0]
        return answer

    def distinct(self, codes: Ints) -> Ints:
        """Per cell the number of distinct codes among the rows that cover it.

        Rows come ordered by entity, code, start. Per code the union of its ranges:
        each row adds only what the rows before it left uncovered.
        """
        width = self.instants + 1
        changes = np.diff(self.entity, prepend=self.entity[:1]) | np.diff(codes, prepend=codes[:1])
        group = np.cumsum(changes != 0)
        reached = np.maximum.accumulate(group * width + self.end)
        covered = np.concatenate((np.zeros(1, np.int64), reached[:-1]))[: len(group)] - group * width
        start = np.maximum(self.start, covered)
        new = start < self.end
        fresh = Coverage(self.entity[new], start[new], self.end[new], self.entities, self.instants)
        return fresh.count()

    def _added_up(self, steps: Ints) -> Ints:
        grid = steps.reshape(self.entities, self.instants + 1)
        return np.asarray(np.cumsum(grid, axis=1)[:, :-1])

    @cached_property
    def _opens(self) -> Ints:
        return self.entity * (self.instants + 1) + self.start

    @cached_property
    def _closes(self) -> Ints:
        return self.entity * (self.instants + 1) + self.end

    @cached_property
    def _level(self) -> Ints:
        return np.frexp((self.end - self.start).astype(np.float64))[1].astype(np.int64) - 1


def worst(values: Values, *, largest: bool) -> Values:
    """The value that never wins: the neutral element of max or min, in the values' own type."""
    if values.dtype.kind == "f":
        return values.dtype.type(-np.inf if largest else np.inf)  # type: ignore[no-any-return]
    limits = np.iinfo(values.dtype)
    return values.dtype.type(limits.min if largest else limits.max)  # type: ignore[no-any-return]
