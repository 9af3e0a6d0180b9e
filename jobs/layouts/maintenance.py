"""How one layout follows its view: a run with the dates that changed, or all of it anew."""

from collections.abc import Iterable, Mapping, Sequence

from definitions.durations import to_us
from definitions.registry import key_of
from definitions.services import Selection
from jobs.inputs.attached_layouts import dates_since, layout_table, matches, of_dates, spans_of
from jobs.inputs.histories import history_of
from jobs.inputs.releases import Released, rows_of
from jobs.run.context import Context
from lakehouse.layouts import LayoutNote, StoredLayout, find_layout, write_run
from lakehouse.leases.leases import Lease
from pit_join import History
from pit_join.layout_writer import buckets_for, declared, laid_rows

MOST_RUNS = 12  # a worker reads one file per run and bucket: beyond, it is cheaper to merge them


class LayoutMaintenance:
    """One layout under its lease, brought to the release: left, extended by a run, or written whole."""

    def __init__(self, context: Context, selection: Selection, released: Released, lease: Lease) -> None:
        self.context, self.selection, self.released, self.lease = context, selection, released, lease
        self.version = released.version(selection.view)
        self.path = layout_table(context, selection).path
        self.history = history_of(context, selection, released, keys={})

    def bring_up(self, *, anew: bool) -> tuple[str, StoredLayout]:
        standing = find_layout(self.path)
        if standing is None or not matches(standing.note, self.selection.view, self.history):
            return "built", self._whole()
        if anew:
            return "compacted", self._whole()
        if standing.note.of_version == self.version:
            return "unchanged", standing
        dates = dates_since(self.context, self.selection.view, self.released, standing.note)
        if dates is None or len(standing.note.runs) >= MOST_RUNS:
            return "compacted", self._whole()
        return "extended", self._extended(standing, dates)

    def _whole(self) -> StoredLayout:
        rows = self.history.frame.count()
        note = self._note({}, buckets=buckets_for(rows), rows=rows)
        return self._written(self.history, note, is_first=True)

    def _extended(self, standing: StoredLayout, dates: set[str]) -> StoredLayout:
        """One more run with all rows of the changed dates; in the older ones these dates count no more."""
        spans = spans_of(self.selection.view, dates)
        runs = {name: _joined((*masked, *spans)) for name, masked in standing.note.runs.items()}
        rows = of_dates(rows_of(self.context, self.selection.view, self.released), dates)
        fresh = history_of(self.context, self.selection, self.released, keys={}, rows=rows)
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

    def _written(self, history: History, note: LayoutNote, *, is_first: bool) -> StoredLayout:
        rows = laid_rows(history, buckets=note.buckets)
        return write_run(rows, self.path, note, is_first=is_first, clock=self._now, lease=self.lease)

    def _now(self) -> int:
        return to_us(self.context.clock())


def _joined(spans: Iterable[Sequence[int]]) -> list[list[int]]:
    """The same time as spans that don't overlap."""
    joined: list[list[int]] = []
    for start, end in sorted((int(start), int(end)) for start, end in spans):
        if joined and start <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], end)
        else:
            joined.append([start, end])
    return joined
