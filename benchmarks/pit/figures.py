"""The page's two figures, drawn from the results file."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.pit.results import differing, median, of_case
from benchmarks.pit.table import status_of, title_of
from benchmarks.pit.targets import figure

OURS, THEIRS, LIMIT = "#1b6ca8", "#b9b9b9", "#e4e4e4"
_LINES = {
    "colocated": ("Ziggurat, co-located", OURS, "-"),
    "duckdb": ("DuckDB", "#d98e04", "--"),
    "polars": ("polars", "#7a4fa3", "--"),
}
_GROWTH = {"spine_250k": 0.25, "spine_500k": 0.5, "m": 1.0, "spine_2000k": 2.0}
_PANELS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("by number of histories, 0.5 M × 2.5 M each", {"histories_1": 1.0, "histories_4": 4.0, "histories_10": 10.0}),
    ("by million spine rows, 10 M facts", _GROWTH),
    ("by skew, 1 M × 10 M", {"m_uniform": "uniform", "m": "Zipf", "m_hot": "one hot key"}),
    ("by irregular facts, 1 M × 10 M", {"irregular_0": "0 %", "irregular_1": "1 %", "irregular_10": "10 %"}),
)


def draw(results: dict[str, Any], folder: Path) -> list[str]:
    """Write them as SVG, the same bytes for the same results, and return their names."""
    mpl.rcParams.update({"svg.hashsalt": "bench-pit", "font.size": 9, "svg.fonttype": "none"})
    drawn = {"performance-engines.svg": _engines(results), "performance-cases.svg": _cases(results)}
    for name, picture in drawn.items():
        picture.savefig(folder / name, metadata={"Date": None}, bbox_inches="tight")
    return list(drawn)


def _engines(results: dict[str, Any]) -> Figure:
    """Wall seconds per engine on one history; an engine that was ended is drawn as far as the limit, with an arrow."""
    wrong = differing(results, "m")
    entries = list(of_case(results, "m").items())[::-1]
    drawn = Figure(figsize=(7, 0.34 * len(entries) + 1.1))
    axes = drawn.subplots()
    for index, (name, entry) in enumerate(entries):
        wall = median(entry, "wall")
        length = wall if wall is not None else entry.get("limit", 0)
        axes.barh(index, length, color=_color(name))
        text = f"{wall:.1f}" if wall is not None else status_of(entry)
        axes.text(length, index, f" {text}{' (another answer)' if name in wrong else ''}", va="center")
    axes.set_yticks(range(len(entries)), [title_of(name) for name, _ in entries])
    axes.set_xscale("log")
    axes.set_xlabel("seconds, whole job: read, join, write (log scale)")
    axes.set_title("1 M spine rows × 10 M facts, one history", loc="left")
    axes.margins(x=0.15)
    _plain(axes)
    return drawn


def _cases(results: dict[str, Any]) -> Figure:
    drawn = Figure(figsize=(9, 6.4))
    for axes, (title, steps) in zip(drawn.subplots(2, 2).flat, _PANELS, strict=True):
        _panel(axes, results, title, steps)
    lines = {label: line for axes in drawn.axes for line, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    if lines:
        drawn.legend(lines.values(), lines.keys(), loc="upper center", ncols=len(lines), frameon=False)
    drawn.tight_layout(rect=(0, 0, 1, 0.95))
    return drawn


def _panel(axes: Axes, results: dict[str, Any], title: str, steps: dict[str, Any]) -> None:
    is_named = any(isinstance(at, str) for at in steps.values())
    for engine, (label, color, line) in _LINES.items():
        values = [
            (index if is_named else at, figure(results, case, engine)) for index, (case, at) in enumerate(steps.items())
        ]
        points = [(at, wall) for at, wall in values if wall is not None]
        if points:
            axes.plot(*zip(*points, strict=True), color=color, linestyle=line, marker="o", markersize=4, label=label)
    if not axes.lines:
        axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, ha="center", color="#777777")
    if is_named:
        axes.set_xticks(range(len(steps)), [str(at) for at in steps.values()])
    axes.set_ylim(bottom=0)
    axes.set_title(title, loc="left", fontsize=9)
    axes.set_ylabel("seconds")
    _plain(axes)


def _color(name: str) -> str:
    return LIMIT if name == "limit" else OURS if title_of(name).startswith("Ziggurat") else THEIRS


def _plain(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
