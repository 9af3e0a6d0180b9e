"""The search of the as-of join: of facts sorted by key and S9, the last that each label sees. Integers in and out.

A label at t sees fact i of its key if visible_us[i] <= t < superseded_us[i]; the last row that it sees is the latest
fact. Facts that became known in the order in which they happened need one bisection. Facts known late also need a
running maximum, and superseded facts a sweep over their intervals. No two facts are compared with each other, whatever
the share of such facts is.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kernels.columns import Bools, Ints

ALWAYS, NEVER = np.iinfo(np.int64).min, np.iinfo(np.int64).max
NONE = -1


@dataclass(frozen=True, eq=False)
class SortedFacts:
    """Facts sorted by key, then in S9's order. Key number k has the rows starts[k] to starts[k + 1] − 1.

    superseded_us: None if no fact is superseded; else NEVER for the facts that are not.
    """

    starts: Ints
    visible_us: Ints
    superseded_us: Ints | None = None

    def seen(self, key: Ints, label_us: Ints) -> Ints:
        """Per label the row that it sees, NONE where it sees none. `key` is its key's number, NONE for no such key."""
        rows = np.full(len(key), NONE, np.int64)
        labels = np.flatnonzero(key != NONE)
        if len(labels):
            at_us, key = label_us[labels], key[labels]
            rows[labels] = self._never_superseded.latest(key, at_us)
            if self._superseded is not None:
                rows[labels] = np.maximum(rows[labels], self._superseded.latest(key, at_us))
        return rows

    @cached_property
    def _never_superseded(self) -> "_Steps":
        """From when on which fact is the latest, among those never superseded: the greatest row seen so far."""
        rows, starts, visible_us = np.arange(len(self.visible_us)), self.starts, self.visible_us
        if self.superseded_us is not None:
            rows = np.flatnonzero(self.superseded_us == NEVER)
            starts, visible_us = np.searchsorted(rows, self.starts), self.visible_us[rows]
        order = _order_in_runs(starts, visible_us)
        if order is None:
            return _Steps(starts, visible_us, rows)
        return _Steps(starts, visible_us[order], np.maximum.accumulate(rows[order]))

    @cached_property
    def _superseded(self) -> "_Steps | None":
        """The same among the facts that have an instant from which they are superseded."""
        if self.superseded_us is None or not len(rows := np.flatnonzero(self.superseded_us != NEVER)):
            return None
        keys = np.searchsorted(self.starts, rows, "right") - 1
        return _sweep(rows, keys, self.visible_us[rows], self.superseded_us[rows], keys_in_all=len(self.starts) - 1)


@dataclass(frozen=True, eq=False)
class _Steps:
    """Of key k: from from_us[i] on, for i from starts[k] to starts[k + 1] − 1, the latest is row latest_row[i]."""

    starts: Ints
    from_us: Ints
    latest_row: Ints

    def latest(self, key: Ints, at_us: Ints) -> Ints:
        if not len(self.from_us):
            return np.full(len(key), NONE, np.int64)
        index = bisected(self.from_us, self.starts[key], self.starts[key + 1], at_us) - 1
        return np.where(index >= self.starts[key], self.latest_row[index], NONE)


def runs(changes: Bools) -> Ints:
    """Where each run begins, and after the last its end; `changes[i]`: row i + 1 has another key than row i."""
    return np.concatenate(([0], np.flatnonzero(changes) + 1, [len(changes) + 1]))


def bisected(values: Ints, low: Ints, high: Ints, at_us: Ints) -> Ints:
    """For each label the index after the last of values[low:high], which are sorted, that is <= its instant."""
    index = low.copy()
    for power in reversed(range(int((high - low).max(initial=0)).bit_length())):
        further = index + (1 << power)
        fits = further <= high
        fits &= values.take(further - 1, mode="clip") <= at_us
        index += fits.astype(np.int64) << power
    return index


def _order_in_runs(starts: Ints, visible_us: Ints) -> Ints | None:
    """The order by key, then visible_us, equal ones as they are now; None if the facts are in that order already."""
    falls = visible_us[1:] < visible_us[:-1]
    inner = starts[(starts > 0) & (starts < len(visible_us))]
    falls[inner - 1] = False
    if not falls.any():
        return None
    fallen = np.unique(np.searchsorted(starts, np.flatnonzero(falls), "right") - 1)
    lengths = starts[fallen + 1] - starts[fallen]
    rows = np.repeat(starts[fallen] - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())
    order = np.arange(len(visible_us))
    order[rows] = rows[np.lexsort((visible_us[rows], np.repeat(fallen, lengths)))]
    return order


@dataclass(frozen=True, eq=False)
class DividedTime:
    """Each owner's time, divided at the ends of its intervals: step n of `owner` begins at from_us.

    Interval i covers the steps first[i] to end[i] − 1. An owner's last step begins where its last interval ends.
    """

    owner: Ints
    from_us: Ints
    first: Ints
    end: Ints

    @classmethod
    def of(cls, owners: Ints, from_us: Ints, to_us: Ints) -> "DividedTime":
        """The intervals [from_us, to_us), none of them empty."""
        points, owners = np.concatenate((from_us, to_us)), np.concatenate((owners, owners))
        order = np.lexsort((points, owners))
        is_new = np.ones(len(order), bool)
        is_new[1:] = (np.diff(points[order]) != 0) | (np.diff(owners[order]) != 0)
        index = np.empty(len(order), np.int64)
        index[order] = np.cumsum(is_new) - 1
        steps = order[is_new]
        return cls(owners[steps], points[steps], index[: len(from_us)], index[len(from_us) :])

    def greatest(self, rows: Ints) -> Ints:
        """Per step the greatest of the rows whose intervals cover it, NONE where none does."""
        return greatest_over(self.first, self.end, rows, size=len(self.from_us))

    def sums(self, values: Ints) -> Ints:
        """Per step the sum of the values whose intervals cover it."""
        changes = np.zeros(len(self.from_us), np.int64)
        np.add.at(changes, self.first, values)
        np.subtract.at(changes, self.end, values)
        return np.cumsum(changes)


def _sweep(rows: Ints, keys: Ints, from_us: Ints, to_us: Ints, *, keys_in_all: int) -> _Steps:
    """Steps of the greatest row whose interval [from_us, to_us) holds the instant."""
    time = DividedTime.of(keys, from_us, to_us)
    return _Steps(np.searchsorted(time.owner, np.arange(keys_in_all + 1)), time.from_us, time.greatest(rows))


def greatest_over(first: Ints, end: Ints, rows: Ints, *, size: int) -> Ints:
    """For each step the greatest row whose range [first, end) holds it; NONE where none does.

    A range is covered by two ranges whose length is a power of two. From the longest to the shortest, the row of a
    range is passed on to its two halves. That is n log n for any overlap, also in a key that was corrected thousands of
    times.
    """
    level = np.frexp(end - first)[1] - 1  # the power of two that fits into the range
    best = np.full(size, NONE, np.int64)
    for power in range(int(level.max(initial=0)), -1, -1):
        ranges = np.flatnonzero(level == power)
        np.maximum.at(best, first[ranges], rows[ranges])
        np.maximum.at(best, end[ranges] - (1 << power), rows[ranges])
        if power:
            half = 1 << (power - 1)
            halves = best.copy()
            halves[half:] = np.maximum(halves[half:], best[:-half])
            best = halves
    return best
