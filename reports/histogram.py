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
"""The bars of a feature with fewer values, such as yes and no, stay narrow and in the middle."""


@dataclass(frozen=True)
class Histogram:
    """Bars as one path, the ends of the axis as text, and a sentence for screen readers."""

    path: str
    low: str
    high: str
    summary: str


@dataclass(frozen=True)
class Trend:
    """A line over the slices; x, y: its newest point."""

    path: str
    x: float
    y: float
    summary: str


def histogram(values: Sequence[float | None]) -> Histogram | None:
    """The distribution of the values that are not null; None without any.

    With a long tail, all other values would fall into one bar: then the axis ends at the 1st or 99th percentile, values
    beyond it are counted in the outermost bar, and the axis is marked with ≤ or ≥.
    """
    finite = np.array([value for value in values if value is not None], dtype=np.float64)
    finite = finite[np.isfinite(finite)]
    if not finite.size:
        return None
    low, high = _axis(finite)
    heights, _ = np.histogram(np.clip(finite, low, high), bins=_bins(finite, low, high))
    below, above = bool(finite.min() < low), bool(finite.max() > high)
    return Histogram(
        path=_bars(heights),
        low=("≤ " if below else "") + numbers.value(low),
        high=("≥ " if above else "") + numbers.value(high),
        summary=f"{numbers.plural(int(finite.size), 'sampled value')}, "
        f"from {numbers.value(float(finite.min()))} to {numbers.value(float(finite.max()))}, "
        f"half of them up to {numbers.value(float(np.median(finite)))}",
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


def _axis(finite: NDArray[np.float64]) -> tuple[float, float]:
    low, high = float(finite.min()), float(finite.max())
    first, last = (float(edge) for edge in np.percentile(finite, (1, 99), method="nearest"))
    usual = last - first
    if usual <= 0:
        return low, high
    return (first if first - low > usual / 2 else low), (last if high - last > usual / 2 else high)


def _bins(finite: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """One bar for each whole number, or for as many of them in each: else some bars would hold one number more."""
    whole = bool(np.all(finite == np.round(finite)))
    if whole:
        step = max(1.0, np.ceil((high - low + 1) / MOST_BARS))
        return np.arange(low - 0.5, high + 0.5 + step, step)
    if low == high:
        return np.array([low - abs(low), low + abs(low)])
    return np.linspace(low, high, MOST_BARS + 1)


def _bars(heights: NDArray[np.int64]) -> str:
    """A bar with any value in it has a minimum height, so that rare values can be seen."""
    wide = WIDTH / max(len(heights), FEWEST_BARS)
    left = (WIDTH - wide * len(heights)) / 2
    drawn = []
    for index, height in enumerate(heights):
        if height:
            tall = round(max(1.2, (HEIGHT - 2) * float(height) / float(heights.max())), 1)
            drawn.append(f"M{left + index * wide:.1f} {HEIGHT}v-{tall:g}h{wide - 1:.1f}v{tall:g}z")
    return "".join(drawn)
