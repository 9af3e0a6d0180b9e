"""The grid-interval algebra: a fact counts for one range of as-of instants, so all are answered at once.

On an ascending grid T_0 … T_{n-1} a fact version counts for T in a window w if e < T, e >= T − w, it is
available by the cut T + c and not superseded by then. Each test is an upper or a lower bound on T: the fact
covers the grid indexes [start, end). Sums are differences scattered at both ends and added up along the grid;
extremes are two overlapping blocks of a power-of-two length, pushed down level by level.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kernels.columns import Ints, Values

NEVER = np.iinfo(np.int64).max
LONGEST = 2**60  # µs: 36,000 years, longer than any history, short enough to be added to an instant


def first_instants(grid: Ints, event: Ints, available: Ints, *, cut_delay: int) -> Ints:
    """The first grid index at which each fact is past (e < T) and known (a <= T + c)."""
    past = np.searchsorted(grid, event, side="right")
    known = np.searchsorted(grid, available - cut_delay, side="left")
    return np.maximum(past, known)


def last_instants(grid: Ints, superseded: Ints, *, cut_delay: int) -> Ints:
    """The grid index from which each fact is superseded (s <= T + c), exclusive end of its knowledge."""
    return np.searchsorted(grid, superseded - cut_delay, side="left")


def leaves_window(grid: Ints, event: Ints, *, window: int) -> Ints:
    """The grid index from which each fact is older than the window (e < T − w)."""
    return np.searchsorted(grid, event + min(window, LONGEST), side="right")


@dataclass(frozen=True, eq=False)
class Coverage:
    """Rows and the grid indexes [start, end) they cover, none empty; answers are entities x instants."""

    entity: Ints
    start: Ints
    end: Ints
    entities: int
    instants: int

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
