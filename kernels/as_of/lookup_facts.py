"""The facts of a look-up, as one Arrow table in any order, made ready to be searched once for all rows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa

from definitions.views import Duplicates
from kernels.as_of.choices import Choices, SortedGroups, choices
from kernels.as_of.keys import KeyCodes
from kernels.as_of.search import ALWAYS, NEVER, NONE, bisected
from kernels.columns import Ints, cleaned
from kernels.order import fact_order

GONE = "is_gone"


@dataclass(frozen=True, kw_only=True)
class LookupPlan:
    """keys, event_time, available_time, superseded_at: columns of rows and facts.

    duplicates: what counts of several newest facts of a key; None: no key has several. take: columns of the facts.
    breakers: the columns by which S9 orders facts of one event time, for duplicates=LATEST.
    has_versions: whether what a row takes can change after it is known. Otherwise every fact counts.
    """

    keys: tuple[str, ...]
    event_time: str
    available_time: str
    superseded_at: str
    take: tuple[str, ...]
    breakers: tuple[str, ...] = ()
    duplicates: Duplicates | None = None
    has_versions: bool = True


@dataclass(frozen=True, eq=False)
class LookupFacts:
    """table: columns of the plan, and GONE: whether a fact is a tombstone. At least one fact, if it is searched.

    Every fact has its keys, its event time, and an interval of knowledge that is not empty.
    """

    table: pa.Table
    plan: LookupPlan

    def sorted(self) -> "LookupFacts":
        """The same by key and event time, so that whoever searches them next need not sort again."""
        if not self.table.num_rows:
            return self
        order = fact_order(self.codes.facts, micros(self.table, self.plan.event_time), ())
        return replace(self, table=self.table.combine_chunks().take(pa.array(order)))

    @cached_property
    def codes(self) -> KeyCodes:
        return KeyCodes.of(key_parts(self.table, self.plan))

    @cached_property
    def groups(self) -> "FactGroups":
        """By key, then in S9's order."""
        table, plan, codes = self.table, self.plan, self.codes.facts
        event_us = micros(table, plan.event_time)
        order = fact_order(codes, event_us, (cleaned(table[name]) for name in plan.breakers))
        codes, event_us = codes[order], event_us[order]
        changes = (np.diff(codes) != 0) | (np.diff(event_us) != 0)
        starts = np.concatenate(([0], np.flatnonzero(changes) + 1, [len(codes)]))
        resolved = choices(
            self._sorted_groups(order, starts), takes_latest=plan.duplicates in (None, Duplicates.LATEST)
        )
        return FactGroups.of(order, starts, event_us, codes, resolved)

    def _sorted_groups(self, order: Ints, starts: Ints) -> SortedGroups:
        table, plan = self.table, self.plan
        always, never = np.full(len(order), ALWAYS), np.full(len(order), NEVER)
        flags = plan.take if plan.duplicates is Duplicates.ANY_TRUE else ()
        return SortedGroups(
            starts,
            micros(table, plan.available_time)[order] if plan.has_versions else always,
            until(table, plan)[order] if plan.has_versions else never,
            np.asarray(table[GONE].to_numpy())[order],
            [_flag(table[name].combine_chunks())[order] for name in flags],
        )


@dataclass(frozen=True, eq=False)
class FactGroups:
    """Facts in groups of one key and event time. Group g has the rows order[starts[g]] to the next start.

    Key k has the groups first_groups[k] to first_groups[k + 1] − 1. at_us: each group's event time.
    """

    order: Ints
    starts: Ints
    at_us: Ints
    key_of_group: Ints
    first_groups: Ints
    choices: Choices

    @classmethod
    def of(cls, order: Ints, starts: Ints, event_us: Ints, codes: Ints, resolved: Choices) -> "FactGroups":
        key_of_group = codes[starts[:-1]]
        first_groups = np.searchsorted(key_of_group, np.arange(int(codes[-1]) + 2))
        return cls(order, starts, event_us[starts[:-1]], key_of_group, first_groups, resolved)

    def newest(self, codes: Ints, event_us: Ints) -> Ints:
        """Per row the newest group of its key up to its event time; NONE where there is none."""
        low, high = self.first_groups[codes], self.first_groups[codes + 1]
        low[codes == NONE] = high[codes == NONE] = 0
        index = bisected(self.at_us, low, high, event_us) - 1
        return np.where(index >= low, index, NONE)


def key_parts(table: pa.Table, plan: LookupPlan) -> Sequence[pa.Array]:
    return [table[key].combine_chunks() for key in plan.keys]


def micros(table: pa.Table, name: str) -> Ints:
    """Instants as integers; null comes before all of them."""
    return np.asarray(table[name].combine_chunks().cast(pa.int64()).fill_null(int(ALWAYS)).to_numpy(False))


def until(table: pa.Table, plan: LookupPlan) -> Ints:
    column = table[plan.superseded_at].combine_chunks()
    return np.asarray(column.cast(pa.int64()).fill_null(int(NEVER)).to_numpy(False))


def _flag(column: pa.Array) -> Ints:
    return np.asarray(column.cast(pa.int64()).fill_null(NONE).to_numpy(False))
