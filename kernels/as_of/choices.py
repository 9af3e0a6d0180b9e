"""What a look-up takes of each event time of a key, by what is known: duplicates resolved (S7, S8, S9, S13).

A group is the facts of one key and event time. A choice is what the group holds while no version of it changes: for
the latest that one fact, otherwise the set of all its facts. Integers in and out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kernels.as_of.search import NEVER, NONE, DividedTime
from kernels.columns import Bools, Ints


@dataclass(frozen=True, eq=False)
class SortedGroups:
    """Facts sorted by group, then in S9's order. Group g has the facts starts[g] to starts[g + 1] − 1.

    Fact i is known while from_us[i] <= k < to_us[i], an interval that is not empty. flags: of each boolean column that
    is taken by `or`, 1 for true, 0 for false, NONE for null.
    """

    starts: Ints
    from_us: Ints
    to_us: Ints
    is_gone: Bools
    flags: Sequence[Ints] = ()


@dataclass(frozen=True, eq=False)
class Choices:
    """Group g has the choices starts[g] to starts[g + 1] − 1, by from_us. Choice i holds while from_us <= k < to_us.

    fact: the position of a fact it consists of; of several the last in S9's order, or any. alive: how many of them are
    no tombstones. is_gone: whether the look-up finds a tombstone. flags: the `or` of each flag.
    """

    starts: Ints
    from_us: Ints
    to_us: Ints
    fact: Ints
    is_gone: Bools
    alive: Ints
    flags: Sequence[Ints] = ()

    @cached_property
    def covered_from_us(self) -> Ints:
        """Per group the instant from which on some choice always holds; NEVER where there is none."""
        ends = self.starts[1:] - 1
        following = np.append(self.from_us[1:], NEVER)
        following[ends] = NEVER
        breaks = np.where(self.to_us != following, np.arange(len(self.to_us)), NONE)
        first = np.maximum(np.maximum.accumulate(breaks)[ends] + 1, self.starts[:-1])
        return np.where(first > ends, NEVER, self.from_us[np.minimum(first, ends)])


def choices(groups: SortedGroups, *, takes_latest: bool) -> Choices:
    """takes_latest: of several facts the last in S9's order; otherwise all of them are one choice."""
    sizes = np.diff(groups.starts)
    several = np.flatnonzero(np.repeat(sizes > 1, sizes))
    if not len(several):
        return Choices(
            groups.starts,
            groups.from_us,
            groups.to_us,
            np.arange(len(groups.from_us)),
            groups.is_gone,
            1 - groups.is_gone.astype(np.int64),
            groups.flags,
        )
    group = np.repeat(np.arange(len(sizes)), sizes)
    one = np.flatnonzero(np.repeat(sizes == 1, sizes))
    resolve = _latest if takes_latest else _all_known
    resolved = resolve(groups, several, group[several])
    return _joined(groups, _Resolved.single(groups, one, group[one]), resolved)


@dataclass(frozen=True, eq=False)
class _Resolved:
    """Choices with their groups; `parts` are all other columns, as in Choices."""

    group: Ints
    from_us: Ints
    to_us: Ints
    fact: Ints
    is_gone: Bools
    alive: Ints
    flags: Sequence[Ints]

    @classmethod
    def single(cls, groups: SortedGroups, facts: Ints, group: Ints) -> "_Resolved":
        is_gone = groups.is_gone[facts]
        flags = [flag[facts] for flag in groups.flags]
        alive = 1 - is_gone.astype(np.int64)
        return cls(group, groups.from_us[facts], groups.to_us[facts], facts, is_gone, alive, flags)


def _latest(groups: SortedGroups, facts: Ints, group: Ints) -> _Resolved:
    time = DividedTime.of(group, groups.from_us[facts], groups.to_us[facts])
    latest = time.greatest(facts)
    changes = np.flatnonzero(np.append(True, (np.diff(latest) != 0) | (np.diff(time.owner) != 0)))
    holds = latest[changes] != NONE
    until = np.append(time.from_us[changes[1:]], NEVER)[holds]
    begins = changes[holds]
    chosen = _Resolved.single(groups, latest[begins], time.owner[begins])
    return _Resolved(chosen.group, time.from_us[begins], until, chosen.fact, chosen.is_gone, chosen.alive, chosen.flags)


def _all_known(groups: SortedGroups, facts: Ints, group: Ints) -> _Resolved:
    """One choice from each instant at which a fact of the group becomes known or is superseded."""
    time = DividedTime.of(group, groups.from_us[facts], groups.to_us[facts])
    known = time.sums(np.ones(len(facts), np.int64))
    begins = np.flatnonzero(known)
    gone = time.sums(groups.is_gone[facts].astype(np.int64))[begins]
    flags = []
    for flag in groups.flags:
        held = flag[facts]
        trues, falses = (time.sums((held == value).astype(np.int64))[begins] for value in (1, 0))
        flags.append(np.where(trues > 0, 1, np.where(falses > 0, 0, NONE)))
    return _Resolved(
        time.owner[begins],
        time.from_us[begins],
        time.from_us[begins + 1],
        time.greatest(facts)[begins],
        gone > 0,
        known[begins] - gone,
        flags,
    )


def _joined(groups: SortedGroups, one: _Resolved, other: _Resolved) -> Choices:
    group = np.concatenate((one.group, other.group))
    order = np.argsort(group, kind="stable")

    def both(first: Ints, second: Ints) -> Ints:
        return np.concatenate((first, second))[order]

    return Choices(
        np.searchsorted(group[order], np.arange(len(groups.starts))),
        both(one.from_us, other.from_us),
        both(one.to_us, other.to_us),
        both(one.fact, other.fact),
        np.concatenate((one.is_gone, other.is_gone))[order],
        both(one.alive, other.alive),
        [both(*pair) for pair in zip(one.flags, other.flags, strict=True)],
    )
