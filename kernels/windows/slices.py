"""Consecutive entities of the facts, and the grid indexes that each of their rows covers."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from kernels.columns import InputColumn, Ints
from kernels.windows.facts import Facts
from kernels.windows.intervals import Coverage, first_instants, last_instants, leaves_window
from kernels.windows.plan import WindowPlan


@dataclass(frozen=True, eq=False)
class Slice:
    """The rows of the entities from `first_entity` up to, not including, `after_entity`."""

    facts: Facts
    plan: WindowPlan
    first_entity: int
    after_entity: int

    @cached_property
    def rows(self) -> slice:
        edges = np.searchsorted(self.facts.entity, [self.first_entity, self.after_entity])
        return slice(int(edges[0]), int(edges[1]))

    @cached_property
    def grid(self) -> Ints:
        return np.array(self.plan.grid_us, np.int64)

    @cached_property
    def entity(self) -> Ints:
        return self.facts.entity[self.rows] - self.first_entity

    @cached_property
    def start(self) -> Ints:
        event, available = self.facts.event[self.rows], self.facts.available[self.rows]
        return first_instants(self.grid, event, available, cut_delay=self.plan.cut_delay_us)

    @cached_property
    def known_end(self) -> Ints:
        return last_instants(self.grid, self.facts.superseded[self.rows], cut_delay=self.plan.cut_delay_us)

    def end(self, window_us: int | None) -> Ints:
        event = self.facts.event[self.rows]
        if window_us is not None:
            return np.minimum(self.known_end, leaves_window(self.grid, event, window=window_us))
        if self.plan.history_start_us is None:
            return self.known_end
        return np.where(event >= self.plan.history_start_us, self.known_end, 0)

    def coverage(self, end: Ints, chosen: Ints) -> Coverage:
        entities = self.after_entity - self.first_entity
        return Coverage(self.entity[chosen], self.start[chosen], end[chosen], entities, len(self.grid))

    def seen(self) -> Ints:
        """The flat (entity, instant) cells whose entity has any known fact before the instant (S22)."""
        rows = np.flatnonzero(self.start < self.known_end)
        return np.flatnonzero(self.coverage(self.known_end, rows).count())

    def keys_of(self, entity: Ints, key: str) -> pa.Array:
        """The key's values for entities counted from the slice's first."""
        return self.facts.keys[key].take(pa.array(entity + self.first_entity))

    def by_value(self, column: InputColumn) -> Ints:
        """The slice's rows by entity, value of the input, first instant."""
        codes = column.codes[self.rows]
        pair = self.entity * (int(codes.max(initial=0)) + 1) + codes
        return np.argsort(pair * (len(self.grid) + 1) + self.start)
