"""Layouts of published views: which there are, and how they are built, kept up and compacted."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pyspark.errors import PySparkException

from features.durations import to_us
from features.errors import UsageError, ZigguratError, did_you_mean
from features.feature_service import Selection, features_of
from features.registry import Registry, key_of
from jobs.context import Place
from jobs.histories import history_of
from jobs.laid_out import dates_since, layout_table, of_dates, says_the_same, spans_of
from jobs.released import Released, newest_release, rows_of
from lakehouse.layouts import LaidOut, LayoutNote, find_layout, size_of, write_run
from lakehouse.leases import Lease, LeaseDesk
from lakehouse.tables import names_in
from pit_join import History
from pit_join.laying_out import buckets_for, declared, laid_rows

MOST_RUNS = 12  # a worker reads one file per run and bucket: beyond, it is cheaper to merge them


@dataclass(frozen=True, kw_only=True)
class LayoutOutcome:
    """What became of one layout. `how`: built, extended (by the dates that changed), compacted or unchanged."""

    layout: str
    how: str
    of_version: int
    rows: int
    runs: int
    seconds: float


def build_layouts(place: Place, selections: Iterable[Selection], *, anew: bool = False) -> list[LayoutOutcome]:
    """Bring each layout to the newest release: extended if it can be, else, or with `anew`, written whole."""
    released = newest_release(place)
    return [_built(place, selection, released, anew=anew) for selection in selections]


def keep_up_layouts(place: Place) -> list[LayoutOutcome]:
    """After a build: those that exist are brought to its release. A failure costs speed alone, so it is only told."""
    selections = existing(place)
    if not selections:
        return []
    released, done = newest_release(place), []
    for selection in selections:
        try:
            done.append(_built(place, selection, released, anew=False))
        except (ZigguratError, PySparkException) as error:
            told = str(error).splitlines()[0]
            place.listener.note(f"{layout_table(place, selection)} was not kept up, joins go without: {told}")
    return [each for each in done if each.how != "unchanged"]


def described(place: Place) -> list[dict[str, object]]:
    """A line per layout, for people: what it is of, and what it costs."""
    released, lines = newest_release(place), []
    for selection in existing(place):
        table = layout_table(place, selection)
        laid = find_layout(table.path)
        if laid is None:
            continue
        behind = released.version(selection.view) - (laid.note.of_version or 0)
        files, size = size_of(place.spark, table.path)
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


def existing(place: Place) -> list[Selection]:
    """What is laid out and still declared, by a listing of folders."""
    root = f"{place.warehouse.root}/layouts"
    there = {(view, entity) for view in names_in(root) for entity in names_in(f"{root}/{view}")}
    return [each for each in declared_selections(place.registry) if (each.view.name, each.entity.name) in there]


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


def _built(place: Place, selection: Selection, released: Released, *, anew: bool) -> LayoutOutcome:
    table, begun = layout_table(place, selection), time.monotonic()
    run_id = place.new_run_id()
    with LeaseDesk.at(place.warehouse.leases, run_id=run_id).acquire(table.key) as lease:
        place.listener.begun(table.key)
        try:
            place.listener.phase(table.key, "laying out")
            how, laid = _Upkeep(place, selection, released, lease).bring_up(anew=anew)
        finally:
            place.listener.idle(table.key)
    return LayoutOutcome(
        layout=table.key,
        how=how,
        of_version=laid.note.of_version or 0,
        rows=laid.note.rows,
        runs=len(laid.note.runs),
        seconds=time.monotonic() - begun,
    )


class _Upkeep:
    def __init__(self, place: Place, selection: Selection, released: Released, lease: Lease) -> None:
        self.place, self.selection, self.released, self.lease = place, selection, released, lease
        self.version = released.version(selection.view)
        self.path = layout_table(place, selection).path
        self.history = history_of(place, selection, released, keys={})

    def bring_up(self, *, anew: bool) -> tuple[str, LaidOut]:
        standing = find_layout(self.path)
        if standing is None or not says_the_same(standing.note, self.selection.view, self.history):
            return "built", self._whole()
        if anew:
            return "compacted", self._whole()
        if standing.note.of_version == self.version:
            return "unchanged", standing
        dates = dates_since(self.place, self.selection.view, self.released, standing.note)
        if dates is None or len(standing.note.runs) >= MOST_RUNS:
            return "compacted", self._whole()
        return "extended", self._extended(standing, dates)

    def _whole(self) -> LaidOut:
        rows = self.history.frame.count()
        note = self._note({}, buckets=buckets_for(rows), rows=rows)
        return self._written(self.history, note, is_first=True)

    def _extended(self, standing: LaidOut, dates: set[str]) -> LaidOut:
        """One more run with all rows of the changed dates; in the older ones these dates count no more."""
        spans = spans_of(self.selection.view, dates)
        runs = {name: _joined((*masked, *spans)) for name, masked in standing.note.runs.items()}
        rows = of_dates(rows_of(self.place, self.selection.view, self.released), dates)
        fresh = history_of(self.place, self.selection, self.released, keys={}, rows=rows)
        rows_in_all = standing.note.rows + fresh.frame.count()
        note = self._note(runs, buckets=standing.note.buckets, rows=rows_in_all)
        return self._written(fresh, note, is_first=False)

    def _note(self, runs: Mapping[str, Sequence[Sequence[int]]], *, buckets: int, rows: int) -> LayoutNote:
        return LayoutNote(
            key_of(self.selection.view),
            self.version,
            buckets,
            declared(self.history),
            runs=runs,
            rows=rows,
            begun_us=self._now(),
        )

    def _written(self, history: History, note: LayoutNote, *, is_first: bool) -> LaidOut:
        rows = laid_rows(history, buckets=note.buckets)
        return write_run(rows, self.path, note, is_first=is_first, clock=self._now, lease=self.lease)

    def _now(self) -> int:
        return to_us(self.place.clock())


def _joined(spans: Iterable[Sequence[int]]) -> list[list[int]]:
    """The same time as spans that don't overlap."""
    joined: list[list[int]] = []
    for start, end in sorted((int(start), int(end)) for start, end in spans):
        if joined and start <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], end)
        else:
            joined.append([start, end])
    return joined
