"""The as-of instants for which a fact counts are one range of the grid, so that all are answered at once.

On an ascending grid T_0 … T_{n-1} a fact version counts for T in a window w if e < T, e >= T − w, it is
available by the cut T + c and not superseded by then. Each test is an upper or a lower bound on T: the fact
covers the grid indexes [start, end).
"""

import numpy as np

from kernels.columns import Ints

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
