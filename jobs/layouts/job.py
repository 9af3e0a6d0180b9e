"""Layouts of published views: list, build, keep up and compact them."""

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
from jobs.run.outcome import Status, StepOutcome
from jobs.run.short_runs import ShortRun, recorded
from lakehouse.layouts import find_layout, size_of
from lakehouse.leases.leases import LeaseDesk
from lakehouse.tables import names_in


@dataclass(frozen=True, kw_only=True)
class LayoutOutcome:
    """The result for one layout. `how`: built, extended (by the dates that changed), compacted or unchanged."""

    layout: str
    how: str
    of_version: int
    rows: int
    runs: int
    seconds: float


def build_layouts(context: Context, selections: Iterable[Selection], *, anew: bool = False) -> list[LayoutOutcome]:
    """Bring each layout to the newest release: extended if it can be, else, or with `anew`, written whole."""
    released, chosen = newest_release(context), list(selections)
    names = " ".join(dict.fromkeys(selection.view.name for selection in chosen))
    with recorded(context, f"layout {'compact' if anew else 'build'} {names}".strip()) as run:
        return [_built(run, selection, released, anew=anew) for selection in chosen]


def keep_up_layouts(context: Context) -> list[LayoutOutcome]:
    """After a build: bring those that exist to its release. A failure is a note: joins work without, and slower."""
    selections = existing(context)
    if not selections:
        return []
    released, done = newest_release(context), []
    with recorded(context, "layout upkeep") as run:
        for selection in selections:
            try:
                done.append(_built(run, selection, released, anew=False))
            except (ZigguratError, PySparkException) as error:
                reason = str(error).splitlines()[0]
                table = layout_table(context, selection)
                run.context.listener.note(f"{table} was not kept up, joins go without: {reason}")
    return [outcome for outcome in done if outcome.how != "unchanged"]


def described(context: Context) -> list[dict[str, object]]:
    """A line per layout: of which version, how many versions behind, and its size and cost."""
    released, lines = newest_release(context), []
    for selection in existing(context):
        table = layout_table(context, selection)
        layout = find_layout(table.path)
        if layout is None:
            continue
        behind = released.version(selection.view) - (layout.note.of_version or 0)
        files, size = size_of(context.spark, table.path)
        lines.append(
            {
                "layout": table.key,
                "of": f"{layout.note.of} version {layout.note.of_version}",
                "behind": f"{behind} versions" if behind else "no",
                "buckets": layout.note.buckets,
                "runs": len(layout.note.runs),
                "rows": f"{layout.note.rows:,}",
                "files": files,
                "MB": f"{size / 1e6:,.1f}",
                "newest upkeep": f"{layout.upkeep_seconds:.1f} s",
            }
        )
    return lines


def existing(context: Context) -> list[Selection]:
    """The layouts that exist and whose view is still declared, by a listing of folders."""
    root = f"{context.warehouse.root}/layouts"
    there = {(view, entity) for view in names_in(root) for entity in names_in(f"{root}/{view}")}
    declared = declared_selections(context.registry)
    return [selection for selection in declared if (selection.view.name, selection.entity.name) in there]


def declared_selections(registry: Registry, names: Sequence[str] = ()) -> list[Selection]:
    """Every (view, entity) with a clock that some service joins; only the named views, if any are named.

    Raises UsageError for a name that no service joins.
    """
    joined: dict[tuple[str, str], Selection] = {}
    for service in registry.services:
        for selection in service.features:
            if not selection.is_static:
                view, entity = selection.view, selection.entity
                joined.setdefault((key_of(view), entity.name), features_of(view, entity=entity))
    views = {selection.view.name for selection in joined.values()}
    if unknown := [name for name in names if name not in views]:
        raise UsageError(
            f"no service joins a view called '{unknown[0]}' by its time, so it needs no layout."
            f"{did_you_mean(unknown[0], views)}"
        )
    return [selection for selection in joined.values() if not names or selection.view.name in names]


def _built(run: ShortRun, selection: Selection, released: Released, *, anew: bool) -> LayoutOutcome:
    context, begun = run.context, time.monotonic()
    table = layout_table(context, selection)
    with LeaseDesk.at(context.warehouse.leases, run_id=run.run_id).acquire(table.key) as lease, run.step(table.key):
        context.listener.phase(table.key, "laying out")
        how, layout = LayoutMaintenance(context, selection, released, lease).bring_up(anew=anew)
    outcome = LayoutOutcome(
        layout=table.key,
        how=how,
        of_version=layout.note.of_version or 0,
        rows=layout.note.rows,
        runs=len(layout.note.runs),
        seconds=time.monotonic() - begun,
    )
    run.ended(_step(outcome))
    return outcome


def _step(outcome: LayoutOutcome) -> StepOutcome:
    return StepOutcome(
        table=outcome.layout,
        status=Status.UNCHANGED if outcome.how == "unchanged" else Status.PUBLISHED,
        rows_out=outcome.rows,
        seconds=outcome.seconds,
        message=f"{outcome.how}, of version {outcome.of_version}",
    )
