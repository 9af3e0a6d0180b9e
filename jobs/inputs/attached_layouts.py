"""The layout that a join of a release can use: whether it holds the same rows, and the changes since it was written."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from definitions.durations import to_us
from definitions.registry import key_of
from definitions.services import Selection
from definitions.tables import PartitionBy
from definitions.views import Definition
from jobs.inputs.releases import Released, rows_of
from jobs.run.context import Context
from lakehouse.layouts import LayoutNote, Span, changed_dates, find_layout
from lakehouse.tables import TableAddress
from pit_join import History
from pit_join.layout_writer import attached, mismatch


def layout_table(context: Context, selection: Selection) -> TableAddress:
    return context.warehouse.layout(selection.view.name, selection.entity.name)


def with_attached_layout(
    context: Context, selection: Selection, released: Released, history_of: Callable[..., History]
) -> History:
    """`history_of()` with its layout, where one matches it; rows that are newer than the layout are its tail.

    history_of: `history_of(rows=…)` gives the same history of some of the view's rows.
    """
    table, history = layout_table(context, selection), history_of()
    version = released.version(selection.view)
    layout = None if history.is_static else find_layout(table.path, up_to=version)
    if layout is None or not matches(layout.note, selection.view, history):
        return history
    if layout.note.of_version == version:
        return attached(history, layout)
    dates = dates_since(context, selection.view, released, layout.note)
    if dates is None:
        return history
    tail = history_of(rows=of_dates(rows_of(context, selection.view, released), dates))
    return attached(history, layout, tail=tail.frame, masked=tuple(spans_of(selection.view, dates)))


def matches(note: LayoutNote, view: Definition, history: History) -> bool:
    return note.of == key_of(view) and not mismatch(history, note)


def dates_since(context: Context, view: Definition, released: Released, note: LayoutNote) -> set[str] | None:
    """The dates whose rows may differ from those in the layout; None where the files do not show them.

    A newer version of a raw fact ends the version before it, on any date: then any row may have changed.
    """
    if view.is_delivered and released.published.newest(key_of(view)).has_versions:
        return None
    path = context.warehouse.address(key_of(view)).path
    versions = note.of_version or 0, released.version(view)
    return changed_dates(context.spark, path, *versions, is_append_only=view.is_delivered)


def of_dates(rows: DataFrame, dates: Iterable[str]) -> DataFrame:
    return rows.where(F.col("event_date").isin([F.lit(day).cast("date") for day in sorted(dates)]))


def spans_of(view: Definition, dates: Iterable[str]) -> list[Span]:
    """The time of each partition, from its first microsecond to that of the next one."""
    return [_span(date.fromisoformat(day), view.partition_by) for day in sorted(dates)]


def _span(first: date, grain: PartitionBy) -> Span:
    ends = {
        PartitionBy.DAY: first + timedelta(days=1),
        PartitionBy.WEEK: first + timedelta(days=7),
        PartitionBy.MONTH: (first.replace(day=1) + timedelta(days=32)).replace(day=1),
        PartitionBy.YEAR: first.replace(year=first.year + 1),
    }
    start, end = (to_us(datetime(day.year, day.month, day.day, tzinfo=UTC)) for day in (first, ends[grain]))
    return start, end
