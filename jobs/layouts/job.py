"""Layouts of published views: which there are, and how they are built, kept up and compacted."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pyspark.errors import PySparkException

from definitions.errors import UsageError, ZigguratError, did_you_mean
from definitions.registry import Registry, key_of
from definitions.services import Selection, features_of
from jobs.inputs.attached_layouts import layout_table
from jobs.inputs.releases import Released, newest_release
from jobs.layouts.maintenance import LayoutMaintenance
from jobs.run.context import Context
from lakehouse.layouts import find_layout, size_of
from lakehouse.leases.leases import LeaseDesk
from lakehouse.tables import names_in


@dataclass(frozen=True, kw_only=True)
class LayoutOutcome:
    """What became of one layout. `how`: built, extended (by the dates that changed), compacted or unchanged."""

    layout: str
    how: str
    of_version: int
    rows: int
    runs: int
    seconds: float


def build_layouts(context: Context, selections: Iterable[Selection], *, anew: bool = False) -> list[LayoutOutcome]:
    """Bring each layout to the newest release: extended if it can be, else, or with `anew`, written whole."""
    released = newest_release(context)
    return [_built(context, selection, released, anew=anew) for selection in selections]


def keep_up_layouts(context: Context) -> list[LayoutOutcome]:
    """After a build: those that exist are brought to its release. A failure costs speed alone, so it is only told."""
    selections = existing(context)
    if not selections:
        return []
    released, done = newest_release(context), []
    for selection in selections:
        try:
            done.append(_built(context, selection, released, anew=False))
        except (ZigguratError, PySparkException) as error:
            told = str(error).splitlines()[0]
            context.listener.note(f"{layout_table(context, selection)} was not kept up, joins go without: {told}")
    return [each for each in done if each.how != "unchanged"]


def described(context: Context) -> list[dict[str, object]]:
    """A line per layout, for people: what it is of, and what it costs."""
    released, lines = newest_release(context), []
    for selection in existing(context):
        table = layout_table(context, selection)
        laid = find_layout(table.path)
        if laid is None:
            continue
        behind = released.version(selection.view) - (laid.note.of_version or 0)
        files, size = size_of(context.spark, table.path)
        lines.append(
            {
                "layout": table.key,
                "of": f"{laid.note.of} version {laid.note.of_version}",
                "behind": f"{behind} versions" if behind else "no",
                "buckets": laid.note.buckets,
                "runs": len(laid.note.runs),
                "rows": f"{laid.note.rows:,}",
                "files": files,
                "MB": f"{size / 1e6:,.1f}",
                "newest upkeep": f"{laid.upkeep_seconds:.1f} s",
            }
        )
    return lines


def existing(context: Context) -> list[Selection]:
    """What is laid out and still declared, by a listing of folders."""
    root = f"{context.warehouse.root}/layouts"
    there = {(view, entity) for view in names_in(root) for entity in names_in(f"{root}/{view}")}
    return [each for each in declared_selections(context.registry) if (each.view.name, each.entity.name) in there]


def declared_selections(registry: Registry, names: Sequence[str] = ()) -> list[Selection]:
    """Every (view, entity) with a clock that some service joins; only the named views, if any are named.

    Raises UsageError for a name that no service joins.
    """
    found: dict[tuple[str, str], Selection] = {}
    for service in registry.services:
        for each in service.features:
            if not each.is_static:
                found.setdefault((key_of(each.view), each.entity.name), features_of(each.view, entity=each.entity))
    views = {selection.view.name for selection in found.values()}
    if unknown := [name for name in names if name not in views]:
        raise UsageError(
            f"no service joins a view called '{unknown[0]}' by its time, so it needs no layout."
            f"{did_you_mean(unknown[0], views)}"
        )
    return [selection for selection in found.values() if not names or selection.view.name in names]


def _built(context: Context, selection: Selection, released: Released, *, anew: bool) -> LayoutOutcome:
    table, begun = layout_table(context, selection), time.monotonic()
    run_id = context.new_run_id()
    with LeaseDesk.at(context.warehouse.leases, run_id=run_id).acquire(table.key) as lease:
        context.listener.begun(table.key)
        try:
            context.listener.phase(table.key, "laying out")
            how, laid = LayoutMaintenance(context, selection, released, lease).bring_up(anew=anew)
        finally:
            context.listener.idle(table.key)
    return LayoutOutcome(
        layout=table.key,
        how=how,
        of_version=laid.note.of_version or 0,
        rows=laid.note.rows,
        runs=len(laid.note.runs),
        seconds=time.monotonic() - begun,
    )
