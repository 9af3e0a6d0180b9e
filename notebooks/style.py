"""How the notebooks look: one palette that the colour-blind can read, labels beside what they name, tables as text.

`import style` sets matplotlib; nothing here computes anything.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from cycler import cycler
from IPython.display import Markdown
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap, to_rgb
from matplotlib.dates import MO, DateFormatter, MonthLocator, WeekdayLocator
from matplotlib.patches import Rectangle
from matplotlib_inline.backend_inline import set_matplotlib_formats

INK, QUIET, EDGE, GROUND = "#2b2925", "#6d675e", "#e5dfd4", "#ffffff"
# Okabe and Ito's colours, which stay apart in every kind of colour blindness, in the order in which we use them.
BLUE, ORANGE, GREEN, PINK, SKY, RED = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
)
PALETTE = (BLUE, ORANGE, GREEN, PINK, SKY, RED)
GREY, DARK_ORANGE = "#a69f93", "#9a6a00"  # orange as text needs more contrast
LESS_MORE = LinearSegmentedColormap.from_list(
    "less_more", [RED, "#f3c9a5", GROUND, "#a9cfe6", BLUE]
)
SOME_MANY = LinearSegmentedColormap.from_list(
    "some_many", ["#eaf3f9", "#7fb8dc", BLUE, "#00456d"]
)

plt.rcParams.update(
    {
        "figure.figsize": (8, 3.6),
        "figure.dpi": 150,
        "figure.facecolor": GROUND,
        "figure.constrained_layout.use": True,
        "figure.constrained_layout.h_pad": 0.07,
        "savefig.facecolor": GROUND,
        "font.family": "DejaVu Sans",  # comes with matplotlib: the same letters on every machine
        "font.size": 9,
        "text.color": INK,
        "axes.facecolor": GROUND,
        "axes.edgecolor": QUIET,
        "axes.labelcolor": QUIET,
        "axes.labelsize": 9,
        "axes.titlesize": 10.5,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.titlepad": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.8,
        "axes.axisbelow": True,
        "axes.prop_cycle": cycler(color=PALETTE),
        "grid.color": EDGE,
        "grid.linewidth": 0.8,
        "xtick.color": QUIET,
        "ytick.color": QUIET,
        "lines.linewidth": 2,
        "lines.solid_capstyle": "round",
    }
)
set_matplotlib_formats(
    "png", bbox_inches=None
)  # as wide as the figure says, not as wide as its ink


def say(text: str) -> Markdown:
    """A sentence whose numbers the cell has just computed."""
    return Markdown(" ".join(text.split()))


def table(
    frame: pd.DataFrame, formats: Mapping[str, str] = {}, *, null: str = "null"
) -> Markdown:
    """A small frame, row labels first; `formats` by column, as in `"{:,.0f}"`; a null shows as `null`."""
    named = frame.reset_index() if frame.index.name else frame
    columns = [str(name) for name in named.columns]
    right = [pd.api.types.is_numeric_dtype(kind) for kind in named.dtypes]
    lines = [columns, ["---:" if is_right else "---" for is_right in right]]
    for row in named.itertuples(index=False):
        lines.append(
            [
                _shown(value, formats.get(name, "{}"), null)
                for name, value in zip(columns, row, strict=True)
            ]
        )
    return Markdown("\n".join(f"| {' | '.join(cells)} |" for cells in lines))


def dollars(ax: Axes, axis: str = "y") -> None:
    """Ticks of one axis as whole dollars."""
    getattr(ax, f"{axis}axis").set_major_formatter("${x:,.0f}")


def percents(ax: Axes, axis: str = "y") -> None:
    """Ticks of one axis as percent of a share."""
    getattr(ax, f"{axis}axis").set_major_formatter(lambda share, _: f"{share:.0%}")


def weeks(ax: Axes) -> None:
    """Ticks of the time axis at every second Monday."""
    ax.xaxis.set_major_locator(WeekdayLocator(byweekday=MO, interval=2))
    ax.xaxis.set_major_formatter(DateFormatter("%d %b"))


def months(ax: Axes) -> None:
    """Ticks of the time axis at the first of each month, without the year."""
    ax.xaxis.set_major_locator(MonthLocator())
    ax.xaxis.set_major_formatter(DateFormatter("%b"))


def ends(
    ax: Axes, x: object, labels: Mapping[str, tuple[float, str]], *, apart: float = 12
) -> None:
    """Name lines at their right end instead of in a legend: text → (height, colour). Close ones are moved apart."""
    ax.figure.canvas.draw()
    lowest = -np.inf
    for text, (y, colour) in sorted(labels.items(), key=lambda label: label[1][0]):
        at = ax.transData.transform((0, y))[1] * 72 / ax.figure.dpi
        lowest = max(at, lowest + apart)
        ax.annotate(
            text,
            (x, y),
            xytext=(7, lowest - at),
            textcoords="offset points",
            color=colour,
            va="center",
            weight="bold",
            annotation_clip=False,
        )


def mark(ax: Axes, x: float, text: str) -> None:
    """A value marked across a histogram, named above its bars."""
    ax.axvline(x, color=ORANGE, lw=1.5)
    ax.set_ylim(0, ax.get_ylim()[1] * 1.15)
    ax.annotate(
        text,
        (x, 1),
        xycoords=("data", "axes fraction"),
        xytext=(4, -1),
        textcoords="offset points",
        va="top",
        color=DARK_ORANGE,
        weight="bold",
    )


def note(ax: Axes, point: tuple[float, float], text: str, *, up: bool = False) -> None:
    """What a marked point says, to its lower right, or its upper right."""
    ax.annotate(
        text,
        point,
        xytext=(9, 6 if up else -6),
        textcoords="offset points",
        va="bottom" if up else "top",
        color=DARK_ORANGE,
        weight="bold",
    )


def named_point(ax: Axes, x: float, y: float, name: str, colour: str) -> None:
    """A large dot with its name on it, readable above a cloud of small ones."""
    ax.plot(x, y, "o", ms=11, color=colour, mec=GROUND, mew=1.5)
    halo = [patheffects.withStroke(linewidth=3, foreground=GROUND)]
    ax.annotate(
        name,
        (x, y),
        xytext=(9, 0),
        textcoords="offset points",
        va="center",
        weight="bold",
        path_effects=halo,
    )


def beside(
    ax: Axes, point: tuple[float, float], text: str, side: int, *, quiet: bool = False
) -> None:
    """A value right (1) or left (-1) of its point."""
    ax.annotate(
        text,
        point,
        xytext=(9 * side, 0),
        textcoords="offset points",
        va="center",
        ha="left" if side > 0 else "right",
        color=QUIET if quiet else INK,
        weight="normal" if quiet else "bold",
    )


def rows_of(ax: Axes, names: Sequence[str]) -> None:
    """Rows with names on the left, and no frame."""
    ax.set_yticks(range(len(names)), names)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)


def cell(
    ax: Axes,
    x: int,
    y: int,
    depth: float | None,
    colours: Colormap,
    value: str = "",
    note: str = "",
) -> None:
    """One cell of a table of colours, with its value written in; `depth` from 0 to 1, None for an empty cell."""
    shade = colours(depth) if depth is not None else EDGE
    ax.add_patch(
        Rectangle(
            (x - 0.48, y - 0.46),
            0.96,
            0.92,
            facecolor=shade,
            alpha=1 if depth is not None else 0.4,
            lw=0,
        )
    )
    ink = _on(shade) if depth is not None else INK
    ax.annotate(
        value,
        (x, y),
        ha="center",
        va="center" if not note else "bottom",
        color=ink,
        weight="bold",
        fontsize=9,
    )
    ax.annotate(
        note,
        (x, y),
        xytext=(0, -2),
        textcoords="offset points",
        ha="center",
        va="top",
        color=ink,
        fontsize=7,
    )


def grid_of(ax: Axes, columns: Sequence[str], rows: Sequence[str]) -> None:
    """Axes of a table of colours: first row on top, names on the left and below, no frame."""
    ax.set_xticks(range(len(columns)), columns)
    ax.set_yticks(range(len(rows)), rows)
    ax.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5))
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)


def _on(colour: object) -> str:
    """The ink that reads on a colour."""
    red, green, blue = to_rgb(colour)
    return GROUND if 0.3 * red + 0.59 * green + 0.11 * blue < 0.55 else INK


def _shown(value: object, form: str, null: str) -> str:
    missing = value is None or (not isinstance(value, str) and bool(pd.isna(value)))
    return null if missing else form.format(value)
