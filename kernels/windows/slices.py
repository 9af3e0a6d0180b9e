"""Consecutive entities of the facts, and the grid indexes that each of their rows covers."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from kernels.columns import InputColumn, Ints
from kernels.coverage import Coverage
from kernels.partials.rows import Rows
from kernels.windows.facts import Facts
from kernels.windows.intervals import first_instants, last_instants, leaves_window
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

    def spans(self, end: Ints) -> Coverage:
        """Per row the instants from its first up to, not including, `end`; none where `end` comes before."""
        return Coverage(self.entity, self.start, end, self.after_entity - self.first_entity, len(self.grid))

    def seen(self) -> Ints:
        """The flat (entity, instant) cells whose entity has any known fact before the instant (S22)."""
        rows = np.flatnonzero(self.start < self.known_end)
        return np.flatnonzero(self.spans(self.known_end).take(rows).count())

    def read(
        self,
        column: InputColumn | None,
        mask: str | None,
        end: Ints,
        *,
        cells: Ints,
        by_value: Callable[[], Ints],
    ) -> Rows:
        """The slice's rows as one input, filter and window reads them."""
        masked = None if mask is None else self.facts.masks[mask]
        return Rows(self.spans(end), cells, column, masked, by_value, first=self.rows.start)

    def keys_of(self, entity: Ints, key: str) -> pa.Array:
        """The key's values for entities counted from the slice's first."""
        return self.facts.keys[key].take(pa.array(entity + self.first_entity))

    def by_value(self, column: InputColumn | None) -> Ints:
        """The slice's rows by entity, value of the input, first instant."""
        if column is None:
            raise TypeError("count(*) reads no values")
        return self.spans(self.known_end).by_value(column.codes[self.rows])
