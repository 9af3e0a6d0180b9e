"""The versions of rows that look facts up: a new one whenever what the row takes has changed (S13). Integers only.

A row known while known_us <= k < until_us takes, at each such k, the choice that holds in the newest group up to its
own. Where a group's choices have held ever since the row is known, nothing older counts: that is a bisection. For the
others `_Held` sweeps over the key's groups, oldest first, and keeps what holds at each k.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from kernels.as_of.choices import Choices
from kernels.as_of.search import ALWAYS, NEVER, NONE, bisected
from kernels.columns import Ints

_MOST_HELD = 1000  # spans that are kept before those that no later row asks for are dropped


@dataclass(frozen=True, eq=False)
class Versions:
    """Version i is of row[i], known while known_us <= k < until_us, with a choice or NONE."""

    row: Ints
    known_us: Ints
    until_us: Ints
    choice: Ints


def versions(group: Ints, known_us: Ints, until_us: Ints, choices: Choices, first_groups: Ints) -> Versions:
    """group: per row the newest of its key up to its own event time, NONE where there is none.

    first_groups: per group the first one of its key. until_us is NEVER for rows that are never superseded. Of each
    row's versions, the first begins at its known_us, the last ends at its until_us. No two neighbours take the same.
    """
    has_group = group != NONE
    at_once = np.full(len(group), ALWAYS)
    at_once[has_group] = choices.covered_from_us[group[has_group]]
    is_settled = at_once <= known_us
    settled = _in_own_group(np.flatnonzero(is_settled), group, known_us, until_us, choices)
    if is_settled.all():
        return settled
    swept = _swept(np.flatnonzero(~is_settled), group, known_us, until_us, choices, first_groups)
    names = ("row", "known_us", "until_us", "choice")
    return Versions(*(np.concatenate((getattr(settled, name), getattr(swept, name))) for name in names))


def _in_own_group(rows: Ints, group: Ints, known_us: Ints, until_us: Ints, choices: Choices) -> Versions:
    """Rows whose own group holds something from known_us on; and those without a group, which take nothing."""
    known_us, until_us, group = known_us[rows], until_us[rows], group[rows]
    has_group = np.flatnonzero(group != NONE)
    first, last = np.full(len(rows), NONE), np.full(len(rows), NONE)
    low, high = choices.starts[group[has_group]], choices.starts[group[has_group] + 1]
    first[has_group] = bisected(choices.from_us, low, high, known_us[has_group]) - 1
    last[has_group] = bisected(choices.from_us, low, high, until_us[has_group] - 1) - 1
    counts = np.maximum(last - first, 0) + 1
    if len(counts) == counts.sum():
        return Versions(rows, known_us, until_us, first)
    of = np.repeat(np.arange(len(rows)), counts)
    nth = np.arange(len(of)) - np.repeat(np.cumsum(counts) - counts, counts)
    choice = first[of] + nth
    return Versions(
        rows[of],
        np.where(nth == 0, known_us[of], choices.from_us[choice]),
        np.where(nth == counts[of] - 1, until_us[of], choices.to_us[choice]),
        choice,
    )


def _swept(rows: Ints, group: Ints, known_us: Ints, until_us: Ints, choices: Choices, first_groups: Ints) -> Versions:
    """These rows, by key and group; each has a group."""
    rows = rows[np.argsort(group[rows], kind="stable")]
    firsts = first_groups[group[rows]]
    bounds = [*np.flatnonzero(np.diff(firsts, prepend=NONE)).tolist(), len(rows)]
    sweep = _Sweep(choices)
    found: list[tuple[int, int, int, int]] = []
    for start, end in pairwise(bounds):
        of_key = rows[start:end]
        asked_us = np.minimum.accumulate(known_us[of_key][::-1])[::-1]
        columns = (of_key, group[of_key], known_us[of_key], until_us[of_key], asked_us)
        found += sweep.of_key(int(firsts[start]), zip(*(column.tolist() for column in columns), strict=True))
    return Versions(*np.array(found, np.int64).reshape(-1, 4).T)


class _Held:
    """Which choice holds at each k: from starts[i] until the next start, choice[i]."""

    def __init__(self) -> None:
        self.starts, self.choice = [int(ALWAYS)], [NONE]

    def add(self, choice: int, from_us: int, to_us: int) -> None:
        """A newer choice; it counts before all others while from_us <= k < to_us."""
        first = bisect_left(self.starts, from_us)
        end = bisect_left(self.starts, to_us, first)
        follows = to_us != NEVER and (end == len(self.starts) or self.starts[end] != to_us)
        self.choice[first:end] = [choice, self.choice[end - 1]] if follows else [choice]
        self.starts[first:end] = [from_us, to_us] if follows else [from_us]

    def drop(self, before_us: int) -> None:
        """Forget what no longer holds at this instant, if that has become much."""
        if len(self.starts) > _MOST_HELD:
            first = bisect_right(self.starts, before_us) - 1
            del self.starts[:first], self.choice[:first]

    def between(self, from_us: int, to_us: int) -> Iterator[tuple[int, int, int]]:
        """(from, until, choice) of all that holds then."""
        index = bisect_right(self.starts, from_us) - 1
        while True:
            index += 1
            until_us = self.starts[index] if index < len(self.starts) else to_us
            if until_us >= to_us:
                yield from_us, to_us, self.choice[index - 1]
                return
            yield from_us, until_us, self.choice[index - 1]
            from_us = until_us


class _Sweep:
    def __init__(self, choices: Choices) -> None:
        self.starts, self.from_us, self.to_us = (
            part.tolist() for part in (choices.starts, choices.from_us, choices.to_us)
        )
        self.covered_from_us = choices.covered_from_us.tolist()

    def of_key(
        self, next_group: int, rows: Iterator[tuple[int, int, int, int, int]]
    ) -> Iterator[tuple[int, int, int, int]]:
        """Versions of (row, group, known, until, asked) by group. asked: no row from here on asks for an earlier k."""
        held = _Held()
        for row, group, known_us, until_us, asked_us in rows:
            # What always holds from the instant asked for hides all that is older.
            newest = group
            while newest >= next_group and self.covered_from_us[newest] > asked_us:
                newest -= 1
            if newest >= next_group:
                held, next_group = _Held(), newest
            for choice in range(self.starts[next_group], self.starts[group + 1]):
                held.add(choice, self.from_us[choice], self.to_us[choice])
            next_group = group + 1
            held.drop(asked_us)
            for from_us, to_us, choice in held.between(known_us, until_us):
                yield row, from_us, to_us, choice
