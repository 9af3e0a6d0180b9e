"""Small pictures of one feature: its distribution now, and its mean over the slices.

Each is one short SVG path drawn by hand: hundreds fit on a page, and the same values give the same bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reports import numbers

WIDTH, HEIGHT = 168, 48
MOST_BARS = 28
FEWEST_BARS = 7
"""Yes and no are two posts in the middle, not two walls."""


@dataclass(frozen=True)
class Histogram:
    """Bars as one path, the ends of the axis as text, and a sentence for those who can't see it."""

    path: str
    low: str
    high: str
    summary: str


@dataclass(frozen=True)
class Trend:
    """A line over the slices, with the place of its newest point."""

    path: str
    x: float
    y: float
    summary: str


def histogram(values: Sequence[float | None]) -> Histogram | None:
    """The distribution of the values that are there; None when there are none.

    A long tail would press everything else into one bar: then the axis ends at the 1st or 99th
    percentile, what lies beyond is counted in the outermost bar, and the axis says so.
    """
    found = np.array([value for value in values if value is not None], dtype=np.float64)
    found = found[np.isfinite(found)]
    if not found.size:
        return None
    low, high = _axis(found)
    heights, _ = np.histogram(np.clip(found, low, high), bins=_bins(found, low, high))
    below, above = bool(found.min() < low), bool(found.max() > high)
    return Histogram(
        path=_bars(heights),
        low=("≤ " if below else "") + numbers.value(low),
        high=("≥ " if above else "") + numbers.value(high),
        summary=f"{numbers.plural(int(found.size), 'sampled value')}, "
        f"from {numbers.value(float(found.min()))} to {numbers.value(float(found.max()))}, "
        f"half of them up to {numbers.value(float(np.median(found)))}",
    )


def trend(means: Sequence[float | None]) -> Trend | None:
    """The line through the slices' means, broken where one is missing; None below three points."""
    known = [(index, mean) for index, mean in enumerate(means) if mean is not None and np.isfinite(mean)]
    if len(known) < 3:
        return None
    low, high = min(mean for _, mean in known), max(mean for _, mean in known)
    across, up = 92 / (len(means) - 1), 16 / (high - low) if high > low else 0.0
    points = {
        index: (round(2 + index * across, 1), round(18 - (mean - low) * up if up else 10.0, 1)) for index, mean in known
    }
    path = "".join(f"{'L' if index - 1 in points else 'M'}{x:g} {y:g}" for index, (x, y) in points.items())
    x, y = points[known[-1][0]]
    return Trend(path, x, y, f"mean between {numbers.value(low)} and {numbers.value(high)}")


def _axis(found: NDArray[np.float64]) -> tuple[float, float]:
    low, high = float(found.min()), float(found.max())
    first, last = (float(edge) for edge in np.percentile(found, (1, 99), method="nearest"))
    usual = last - first
    if usual <= 0:
        return low, high
    return (first if first - low > usual / 2 else low), (last if high - last > usual / 2 else high)


def _bins(found: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """One bar for each whole number where they fit, so that counts don't beat against the bins."""
    whole = bool(np.all(found == np.round(found)))
    if whole:
        step = max(1.0, np.ceil((high - low + 1) / MOST_BARS))
        return np.arange(low - 0.5, high + 0.5 + step, step)
    if low == high:
        return np.array([low - abs(low), low + abs(low)])
    return np.linspace(low, high, MOST_BARS + 1)


def _bars(heights: NDArray[np.int64]) -> str:
    """A bar with anything in it is at least a hair high, so that rare values can be seen."""
    wide = WIDTH / max(len(heights), FEWEST_BARS)
    left = (WIDTH - wide * len(heights)) / 2
    drawn = []
    for index, height in enumerate(heights):
        if height:
            tall = round(max(1.2, (HEIGHT - 2) * float(height) / float(heights.max())), 1)
            drawn.append(f"M{left + index * wide:.1f} {HEIGHT}v-{tall:g}h{wide - 1:.1f}v{tall:g}z")
    return "".join(drawn)
