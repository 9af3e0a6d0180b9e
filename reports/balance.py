"""How a label is spread over time: one stacked bar per label time, and the positive share beneath, as plain SVG."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports import numbers
from reports.stacked import Part, parts
from reports.training_set import BalancePoint

WIDTH, HEIGHT, LINE_HEIGHT = 1000, 150, 48
WIDEST, OVERLAP = 60, 0.6
"""The width of a bar when there are few; the overlap of neighbours when there are many."""
MOST_APART = 120
"""With more bars than this they touch: gaps would be thinner than a pixel."""


@dataclass(frozen=True)
class Bar:
    """One label time; `paths` are its parts by name, from the ground up."""

    point: BalancePoint
    label_time: str
    negative: int
    positive_share: float | None
    paths: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Tick:
    """A label time on the axis, `at` so many per cent of its width; a narrow page leaves the minor ones out."""

    at: float
    text: str
    is_minor: bool


@dataclass(frozen=True)
class Balance:
    """The picture, and what it shows in figures; a share is of the labels that are known."""

    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    parts: tuple[Part, ...]
    rows: int
    most_rows: int
    positive_share: float | None
    lowest: float | None
    highest: float | None
    line: str


def balance(points: Sequence[BalancePoint]) -> Balance | None:
    """One bar per label time, in order of time; None when there are none."""
    if not points:
        return None
    ordered = sorted(points, key=lambda point: point.label_time)
    rows, positive, unknown = (sum(getattr(p, name) for p in ordered) for name in ("rows", "positive", "unknown"))
    most = max(point.rows for point in ordered)
    bars = tuple(_bar(point, index, len(ordered), most) for index, point in enumerate(ordered))
    shares = [bar.positive_share for bar in bars if bar.positive_share is not None]
    return Balance(
        bars=bars,
        ticks=_ticks(bars),
        parts=parts(rows, {"positive": positive, "negative": rows - positive - unknown, "unknown": unknown}),
        rows=rows,
        most_rows=most,
        positive_share=_share(positive, rows - unknown),
        lowest=min(shares, default=None),
        highest=max(shares, default=None),
        line=_line([bar.positive_share for bar in bars]),
    )


def _bar(point: BalancePoint, index: int, bars: int, most: int) -> Bar:
    negative = point.rows - point.positive - point.unknown
    wide = min(WIDEST, WIDTH / bars * 0.8) if bars <= MOST_APART else WIDTH / bars + OVERLAP
    left, ground, paths = _centre(index, bars) - wide / 2, float(HEIGHT), []
    for name, rows in (("positive", point.positive), ("negative", negative), ("unknown", point.unknown)):
        if rows > 0:
            tall = rows * HEIGHT / most
            paths.append((name, f"M{left:.2f} {ground:.2f}v-{tall:.2f}h{wide:.2f}v{tall:.2f}z"))
            ground -= tall
    share = _share(point.positive, point.rows - point.unknown)
    return Bar(point, numbers.day(point.label_time), negative, share, tuple(paths))


def _share(positive: int, known: int) -> float | None:
    return positive / known if known > 0 else None


def _centre(index: int, bars: int) -> float:
    return WIDTH * (index + 0.5) / bars


def _ticks(bars: Sequence[Bar]) -> tuple[Tick, ...]:
    """The first, the last, and evenly between them: an odd number, so that one stands in the middle."""
    last = len(bars) - 1
    steps = next((steps for steps in (6, 4, 2, 1) if steps <= last), 0)
    major = {0, steps // 2, steps}
    indexes = [round(step * last / steps) if steps else 0 for step in range(steps + 1)]
    return tuple(
        Tick(round(_centre(index, len(bars)) * 100 / WIDTH, 2), bars[index].label_time, is_minor=step not in major)
        for step, index in enumerate(indexes)
    )


def _line(shares: Sequence[float | None]) -> str:
    """From 0 up to the highest share, broken where no label is known; a point alone is drawn as a dot."""
    highest = max((share for share in shares if share is not None), default=0.0) or 1.0
    path, is_open = "", False
    for index, share in enumerate(shares):
        if share is not None:
            x, y = _centre(index, len(shares)), LINE_HEIGHT - 4 - share / highest * (LINE_HEIGHT - 8)
            path += f"{'L' if is_open else 'M'}{x:.1f} {y:.1f}" + ("" if is_open else "h0")
        is_open = share is not None
    return path
