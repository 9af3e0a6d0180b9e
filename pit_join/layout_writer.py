"""Lay a history out in hash buckets, once, so that joins move the spine alone."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import DataFrame

from definitions.durations import to_us
from definitions.errors import DefinitionError
from lakehouse.layouts import LayoutNote, Span, StoredLayout, find_layout, write_run
from pit_join.buckets import sorted_facts
from pit_join.facts import AT_LABEL, carried, facts_of, places
from pit_join.history import History
from pit_join.layout import Layout

ROWS_A_BUCKET = 750_000  # read whole by a worker: about 110 MB, and 3 times the bucket's Arrow bytes
FEWEST = 8  # so that small histories use several cores, too


def lay_out(history: History, folder: str, *, buckets: int | None = None) -> History:
    """Write the history into `folder` as a Delta table in buckets, and return it with this layout.

    buckets: None counts the rows and takes a power of two with about 750,000 each. Replaces what lies in the folder.
    Cost: one shuffle and sort of the facts. Raises DefinitionError for a static history, which has no use for it.
    """
    rows = history.frame.count()
    wanted = buckets or buckets_for(rows)
    note = LayoutNote(history.name, None, wanted, declared(history), rows=rows, begun_us=_now())
    laid = write_run(laid_rows(history, buckets=wanted), folder, note, is_first=True, clock=_now)
    return attached(history, laid)


def with_layout(history: History, folder: str) -> History:
    """The history with the layout that `lay_out` wrote of these very facts. Raises DefinitionError where none fits."""
    laid = find_layout(folder)
    if laid is None:
        raise DefinitionError(f"{history.where}: no layout lies in {folder}; write it with lay_out(history, folder).")
    return attached(history, laid)


def attached(
    history: History, laid: StoredLayout, *, tail: DataFrame | None = None, masked: Sequence[Span] = ()
) -> History:
    """Raises DefinitionError for a layout of another meaning: other keys, clocks, versions or columns."""
    if found := mismatch(history, laid.note):
        raise DefinitionError(f"{history.where}: its layout in {laid.path} {found}; lay it out anew.")
    return replace(history, layout=Layout(laid, places(laid.note.declared["columns"]), tail, masked))


def mismatch(history: History, note: LayoutNote) -> str:
    """What keeps a layout from answering for the history; empty if nothing does."""
    told, columns = declared(history), note.declared["columns"]
    for name, value in note.declared.items():
        if name != "columns" and told[name] != value:
            return f"was written with {name} {value}, and is asked with {told[name]}"
    if missing := [name for name in history.features if name not in columns]:
        return f"lacks '{missing[0]}'"
    return "orders by other columns" if not history.is_snapshot and columns != told["columns"] else ""


def _now() -> int:
    return to_us(datetime.now(UTC))


def laid_rows(history: History, *, buckets: int) -> DataFrame:
    """The history's facts as they are laid out: bucketed, sorted, everything that S9 compares in its columns."""
    if history.is_static:
        raise DefinitionError(f"{history.where} is static: it has one row per key, and needs no layout.")
    keys = [f"key_{n}" for n in range(len(history.keys))]
    return sorted_facts(facts_of(history, keys=keys, knowledge=AT_LABEL), buckets=buckets, partitions=buckets)


def declared(history: History) -> dict[str, Any]:
    """All that decides which rows a layout has, in which order, and which label sees them."""
    return {
        "keys": list(history.keys),
        "key_types": [history.type_of(key).simpleString() for key in history.keys],
        "clocks": [history.event_time, history.available_time, history.superseded_at],
        "versions": [list(history.identity or ()), history.version_by, history.retraction],
        "order": [list(history.tie_break), history.tombstone],
        "edge": [history.includes_label_instant, history.is_snapshot],
        "columns": carried(history),
    }


def buckets_for(rows: int) -> int:
    """A power of two, so that a table twice as long can be split in two."""
    needed = max(FEWEST, -(-rows // ROWS_A_BUCKET))
    return int(1 << (needed - 1).bit_length())
