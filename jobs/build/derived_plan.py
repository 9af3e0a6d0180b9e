"""What a derived view's step has to do: the partitions that new knowledge can change, derived once for both plans.

A derived table holds the facts with event_time < built_to that were known at known_to, as raw held them after certain
loads. Where the next build goes further in any of the three, some rows of raw are new to it. A new row can change:

- its own partition;
- where its source has versions, the partition of any other version of its fact: all partitions are derived again;
- where it is looked up, every row from its event_time on; with versions, from those of its other versions: all.

Where others wrote to a source's table since, or to the view's own, all partitions are derived again. A slice that is
derived again and comes out as it is published is not written (S28).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from definitions.durations import day_or_instant, instant_us
from definitions.registry import key_of
from definitions.sources import Source
from definitions.versions import fingerprints
from definitions.views import DerivedView
from jobs.build.plan import Action, PlannedStep, PlanState
from jobs.build.preconditions import beyond_data
from jobs.build.staleness import cut_delay_us, loads, roots
from jobs.build.statistics.questions import FactsWanted, Knowledge
from jobs.build.steps import nothing, refused, total, view_state, work
from jobs.run.request import Request
from lakehouse.table_state import TableState
from temporal.instants import partition_of


@dataclass(frozen=True, kw_only=True)
class _Derivation:
    """One build of a derived view: up to an as-of, known at a cut, after these loads; and the state it starts from.

    is_rewritten: others wrote to the table of a source below it since.
    """

    view: DerivedView
    before: TableState
    as_of_us: int
    cut_us: int
    loads: Mapping[str, int]
    is_rewritten: bool

    @property
    def is_published(self) -> bool:
        """Whether the table holds just this."""
        held = (self.before.built_to_us, self.before.known_to_us, self.before.loads)
        return held == (self.as_of_us, self.cut_us, self.loads) and self.has_columns

    @property
    def has_columns(self) -> bool:
        return self.before.columns == fingerprints(self.view)

    def known_of(self, key: str) -> Knowledge | None:
        """What the table was made of, of one source; None where that is not recorded, or is more than is wanted."""
        known_to_us, is_built = self.before.known_to_us, self.before.built_to_us is not None
        if not is_built or not self.has_columns or self.is_rewritten:
            return None
        if known_to_us is None or known_to_us > self.cut_us:
            return None
        return Knowledge(cut_us=known_to_us, loaded_at_us=self.before.loads.get(key, 0))


def plan_derived(state: PlanState, view: DerivedView, request: Request, _failed: frozenset[int]) -> PlannedStep:
    """Derive the partitions that new knowledge can change, up to the latest as-of."""
    made = _derivation(state, view, request)
    if made.is_published:
        return nothing(key_of(view), "nothing new in its sources")
    if error := beyond_data(state, view, request):
        return refused(key_of(view), error)
    rows = _slices(state, made)
    if not rows:
        return nothing(key_of(view), "no new rows before the as-of")
    dates = tuple(day_or_instant(us) for us in sorted(rows))
    return replace(
        work(state, view, Action.DERIVE, _reason(made, max(request.as_ofs_us))),
        slices=dates,
        partitions=dates,
        rows=sum(rows.values()),
        bytes=total(
            state.statistics.bytes(key_of(view.source), dates),
            *(state.statistics.bytes(key_of(lookup.source)) for lookup in view.lookups),
        ),
        slice_rows=rows,
        state=view_state(view, made.loads, built_to_us=made.as_of_us, known_to_us=made.cut_us),
        # When a partition failed, the next run must look at all that this one did.
        state_if_partial=view_state(
            view,
            made.before.loads,
            built_to_us=made.before.built_to_us,
            known_to_us=known.cut_us if (known := made.known_of(key_of(view.root))) else None,
        ),
    )


def _derivation(state: PlanState, view: DerivedView, request: Request) -> _Derivation:
    before = state.published.newest(key_of(view))
    held = [] if before.built_to_us is None else [before.built_to_us]
    as_of_us = max([*request.as_ofs_us, *held, *_as_ofs_above(state, view)])
    return _Derivation(
        view=view,
        before=before,
        as_of_us=as_of_us,
        cut_us=as_of_us + cut_delay_us(state.registry, view),
        loads=loads(state.published, view),
        is_rewritten=any(before.loads.get(key, 0) < state.published.newest(key).rewritten_at_us for key in roots(view)),
    )


def _as_ofs_above(state: PlanState, view: DerivedView) -> list[int]:
    """The published as-ofs of snapshots on the view: one without new rows before it has not moved the view's own."""
    above = [key for key in state.registry.built_on(key_of(view)) if state.registry.by_key[key].is_snapshot]
    return [instant_us(name) for key in above for name in state.published.slices(key)]


def _slices(state: PlanState, made: _Derivation) -> dict[int, int]:
    """The partitions to derive, by their first day in µs, with the rows of raw that are available in each."""
    root, table = made.view.root, key_of(made.view)
    known, from_us = made.known_of(key_of(root)), _changed_from(state, made)
    wanted = FactsWanted(as_of_us=made.as_of_us, cut_us=made.cut_us, before=known, from_us=from_us)
    if known is not None and from_us > _BEFORE_ALL:
        return state.statistics.partitions(root, wanted)
    rows = _held(state, table) | state.statistics.partitions(root, replace(wanted, before=None))
    # A table without rows, so that what reads it finds it, and no rows in it.
    first = {instant_us(partition_of(made.as_of_us - 1, root.partition_by)): 0}
    return rows or (first if state.published.version(table) is None else {})


def _held(state: PlanState, table: str) -> dict[int, int]:
    """The partitions that a table has, without rows: each is replaced, if only by nothing."""
    is_recorded = state.published.newest(table).is_known
    names = state.published.slices(table) if is_recorded else state.statistics.dates(table)
    return {instant_us(name): 0 for name in names}


_BEFORE_ALL = -(2**63)


def _changed_from(state: PlanState, made: _Derivation) -> int:
    """From which event_time on rows of the view may differ, in µs: later as-ofs add rows, look-ups change them."""
    first_us = made.as_of_us if made.before.built_to_us is None else made.before.built_to_us
    for key, source in roots(made.view).items():
        known = made.known_of(key)
        if source.is_static or known is None:
            continue
        new_us = state.statistics.first_new_event(source, known, cut_us=made.cut_us)
        if new_us is not None and state.published.newest(key).has_versions and source.identity:
            return _BEFORE_ALL
        if new_us is not None and _is_looked_up(made.view, source):
            first_us = min(first_us, new_us)
    return first_us


def _is_looked_up(view: DerivedView, source: Source) -> bool:
    """Whether a view finds facts of a source by a look-up, its own or one of the views below it."""
    looked_up = any(source in lookup.source.sources_below for lookup in view.lookups)
    return looked_up or (isinstance(view.source, DerivedView) and _is_looked_up(view.source, source))


def _reason(made: _Derivation, wanted_us: int) -> str:
    before = made.before
    if before.built_to_us is None:
        return "it is not built yet"
    if not made.has_columns:
        return "its definition has new columns"
    grew = [key for key, at in made.loads.items() if at != before.loads.get(key)]
    reasons = [f"{', '.join(grew)} grew since"] if grew else []
    if before.built_to_us < wanted_us:
        reasons.append(f"it is built up to {day_or_instant(before.built_to_us)}")
    elif before.known_to_us != made.cut_us:
        reasons.append("its cut has moved")
    return "; ".join(reasons)
