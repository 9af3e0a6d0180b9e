"""Write a history's facts in hash buckets, once, so that joins shuffle the spine alone."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import DataFrame

from definitions.durations import to_us
from definitions.errors import DefinitionError
from lakehouse.layouts import LayoutNote, Span, StoredLayout, find_layout, write_run
from pit_join.buckets import sorted_facts
from pit_join.facts import AT_LABEL, carried_columns, carried_names, searchable_facts
from pit_join.history import History
from pit_join.layout import Layout

ROWS_A_BUCKET = 750_000  # read whole by a worker: about 110 MB, and 3 times the bucket's Arrow bytes
FEWEST = 8  # so that small histories use several cores, too


def lay_out(history: History, folder: str, *, buckets: int | None = None) -> History:
    """Write the history into `folder` as a Delta table in buckets, and return it with this layout.

    buckets: None counts the rows and takes a power of two with about 750,000 rows in each. A layout that is in the
    folder already is replaced. Cost: one shuffle and sort of the facts. Raises DefinitionError for a static history,
    which needs no layout.
    """
    rows = history.frame.count()
    buckets = buckets or buckets_for(rows)
    note = LayoutNote(history.name, None, buckets, declared(history), rows=rows, begun_us=_now())
    laid = write_run(laid_rows(history, buckets=buckets), folder, note, is_first=True, clock=_now)
    return attached(history, laid)


def with_layout(history: History, folder: str) -> History:
    """The history with the layout that `lay_out` wrote of the same facts. Raises DefinitionError where none fits."""
    laid = find_layout(folder)
    if laid is None:
        raise DefinitionError(f"{history.where}: no layout is in {folder}; write one with lay_out(history, folder).")
    return attached(history, laid)


def attached(
    history: History, laid: StoredLayout, *, tail: DataFrame | None = None, masked: Sequence[Span] = ()
) -> History:
    """The history with this layout. Raises DefinitionError where it was written with other declarations or columns."""
    if difference := mismatch(history, laid.note):
        raise DefinitionError(f"{history.where}: its layout in {laid.path} {difference}; lay it out again.")
    return replace(history, layout=Layout(laid, carried_names(laid.note.declared["columns"]), tail, masked))


def mismatch(history: History, note: LayoutNote) -> str:
    """Why the layout can't be used for the history, as the end of a sentence; empty if it can."""
    current, columns = declared(history), note.declared["columns"]
    for name, value in note.declared.items():
        if name != "columns" and current[name] != value:
            return f"was written with {name} {value}, but the history has {current[name]}"
    if missing := [name for name in history.features if name not in columns]:
        return f"lacks '{missing[0]}'"
    return "orders by other columns" if not history.is_snapshot and columns != current["columns"] else ""


def _now() -> int:
    return to_us(datetime.now(UTC))


def laid_rows(history: History, *, buckets: int) -> DataFrame:
    """The rows of the history's layout: in buckets, sorted, with all columns that S9 compares."""
    if history.is_static:
        raise DefinitionError(f"{history.where} is static: it has one row per key, and needs no layout.")
    keys = [f"key_{n}" for n in range(len(history.keys))]
    return sorted_facts(searchable_facts(history, keys=keys, knowledge=AT_LABEL), buckets=buckets, partitions=buckets)


def declared(history: History) -> dict[str, Any]:
    """The declarations that decide a layout's rows, their order, and which label sees them; stored in its note."""
    return {
        "keys": list(history.keys),
        "key_types": [history.type_of(key).simpleString() for key in history.keys],
        "clocks": [history.event_time, history.available_time, history.superseded_at],
        "versions": [list(history.identity or ()), history.version_by, history.retraction],
        "order": [list(history.tie_break), history.tombstone],
        "edge": [history.includes_label_instant, history.is_snapshot],
        "columns": carried_columns(history),
    }


def buckets_for(rows: int) -> int:
    """A power of two, so that a table twice as long can be split in two."""
    needed = max(FEWEST, -(-rows // ROWS_A_BUCKET))
    return int(1 << (needed - 1).bit_length())
