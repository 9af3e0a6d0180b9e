"""A training set at a glance, as one page: its verdict, its label over time, its nulls, and every column."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reports import histogram
from reports.balance import balance
from reports.histogram import Histogram
from reports.page import environment, write_page
from reports.training_set import CardColumn, CardPage

CERTIFICATE = "certificate.html"
"""The page that the card's verdict links to, in the same folder."""


@dataclass(frozen=True)
class ColumnLine:
    """One column in the table of its view; short_name: without the name of the view, which is the table's title."""

    column: CardColumn
    short_name: str
    histogram: Histogram | None


@dataclass(frozen=True)
class ViewColumns:
    """The columns of one view, in the training set's order."""

    view: str
    lines: tuple[ColumnLine, ...]


@dataclass(frozen=True)
class Nulls:
    """The columns with nulls, the emptiest first; those without; and those whose nulls were not counted."""

    some: tuple[CardColumn, ...]
    none: tuple[CardColumn, ...]
    uncounted: tuple[CardColumn, ...]


def write_card(page: CardPage, path: Path) -> Path:
    """Write the page, whole or not at all, and return its path; raises ReportNotWritten."""
    return write_page(render_card(page), path, page="card", unaffected="the training set itself")


def render_card(page: CardPage) -> str:
    """The page as text: the same card gives the same bytes."""
    return (
        environment()
        .get_template("card.html.j2")
        .render(
            page=page,
            certificate=CERTIFICATE,
            balance=balance(page.balance),
            nulls=_nulls(page.columns),
            views=_by_view(page.columns),
        )
    )


def _by_view(columns: Sequence[CardColumn]) -> list[ViewColumns]:
    views: dict[str, list[ColumnLine]] = defaultdict(list)
    for column in columns:
        views[column.view].append(_line(column))
    return [ViewColumns(view, tuple(lines)) for view, lines in views.items()]


def _line(column: CardColumn) -> ColumnLine:
    return ColumnLine(column, column.name.split("__", 1)[-1] or column.name, histogram.histogram(column.sample))


def _nulls(columns: Sequence[CardColumn]) -> Nulls:
    return Nulls(
        some=tuple(sorted((c for c in columns if c.null_share), key=lambda c: -(c.null_share or 0.0))),
        none=tuple(c for c in columns if c.null_share == 0),
        uncounted=tuple(c for c in columns if c.null_share is None),
    )
