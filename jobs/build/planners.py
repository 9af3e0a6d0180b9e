"""What one step has to do, by kind of definition: decided once, when all that it reads has ended.

Each planner answers from the ledger where that is enough, and puts one question to the rows where it is not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from definitions.durations import day_or_instant
from definitions.errors import SourceError, SourceMissing, SourceUnreadable, did_you_mean
from definitions.registry import key_of
from definitions.sources import Source
from definitions.versions import fingerprints
from definitions.views import AggregateView, CrossEntityView, DerivedView, Snapshot, View
from jobs.build.plan import Action, PlannedStep, PlanState
from jobs.build.preconditions import beyond_data
from jobs.build.row_statistics import FactsWanted, LaterThan
from jobs.build.staleness import cut_delay_us, loads, reaches_back, roots
from jobs.run.request import Request
from lakehouse.files import listing
from lakehouse.files.listing import VersionOf
from lakehouse.files.location import Location
from lakehouse.table_state import TableState, ViewState


def plan_source(state: PlanState, source: Source, _request: Request, _failed: frozenset[int]) -> PlannedStep:
    """Ingest what lies at the source's location, unless the ledger knows these files under these definitions."""
    table = key_of(source)
    try:
        delivery = fingerprint_of(source, state.locations, version_of=state.version_of)
    except SourceError as error:
        return _refused(table, error)
    known = state.published.state(table, delivery)
    if known.is_known and known.columns == fingerprints(source):
        return _nothing(table, "nothing new was delivered")
    reasons = {True: "its definition has new columns", False: "its files were not read before"}
    is_first = not state.published.newest(table).is_known
    return PlannedStep(
        table=table,
        action=Action.INGEST,
        reason="nothing was read of it before" if is_first else reasons[known.is_known],
        slices=(delivery,),
        bytes=listing.size(state.locations[source.name]),
    )


def fingerprint_of(source: Source, locations: Mapping[str, Location], *, version_of: VersionOf) -> str:
    """Of what lies at the source's location now. Raises SourceMissing; SourceUnreadable where it may not be read."""
    location = locations.get(source.name)
    if location is None:
        raise SourceMissing(
            f"source '{source.name}' has no place in the configuration.{did_you_mean(source.name, locations)} Add "
            f"sources.{source.name}.path and .format to your conf file."
        )
    try:
        return listing.fingerprint(source.name, location, version_of=version_of)
    except PermissionError:
        raise SourceUnreadable(
            f"source '{source.name}': this user may not read {location.path}. Give the user that runs the job the "
            "right to read it, and all folders above it."
        ) from None


def plan_derived(state: PlanState, view: DerivedView, request: Request, _failed: frozenset[int]) -> PlannedStep:
    """Derive the partitions that hold facts which the last build did not know, up to the latest as-of."""
    table, wanted_us = key_of(view), max(request.as_ofs_us)
    before, now = state.published.newest(table), loads(state.published, view)
    has_columns, built_to_us = before.columns == fingerprints(view), before.built_to_us
    if built_to_us is not None and built_to_us >= wanted_us and has_columns and before.loads == now:
        return _nothing(table, "nothing new in its sources")
    if error := beyond_data(state, view, request):
        return _refused(table, error)
    as_of_us, delay_us = max(wanted_us, built_to_us or wanted_us), cut_delay_us(state.registry, view)
    later_than = None
    if built_to_us is not None and has_columns and not reaches_back(state.published, view, since=before.loads):
        load = before.loads.get(key_of(view.source), 0) if view.source.is_delivered else None
        later_than = LaterThan(event_us=built_to_us, known_us=built_to_us + delay_us, loaded_at_us=load)
    wanted = FactsWanted(as_of_us=as_of_us, cut_us=as_of_us + delay_us, later_than=later_than)
    counts = state.statistics.partitions(view, wanted)
    if not counts:
        return _nothing(table, "no new rows before the as-of")
    return replace(
        _work(state, view, Action.DERIVE, _why_derived(state, view, before, wanted_us)),
        slices=(dates := tuple(day_or_instant(us) for us in sorted(counts))),
        partitions=dates,
        rows=sum(counts.values()),
        bytes=_total(
            state.statistics.bytes(key_of(view.source), dates),
            *(state.statistics.bytes(key_of(lookup.source)) for lookup in view.lookups),
        ),
        slice_rows=counts,
        state=_state(view, now, built_to_us=as_of_us),
        # When a partition failed, the next run must look at all that this one did.
        state_if_partial=_state(view, before.loads, built_to_us=built_to_us or 0),
    )


def plan_snapshot(state: PlanState, view: Snapshot, request: Request, failed: frozenset[int]) -> PlannedStep:
    """Build the as-ofs that are not published under this meaning, or whose slice of the facts has grown since (S28)."""
    table, now = key_of(view), loads(state.published, view)
    as_ofs = [us for us in request.as_ofs_us if us not in failed]
    missing = missing_as_ofs(state, view, as_ofs)
    built_from = {us: state.published.state(table, day_or_instant(us)).loads for us in as_ofs if us not in missing}
    older = {us: known for us, known in built_from.items() if known != now}
    is_published = f"{'this as-of is' if len(as_ofs) == 1 else f'all {len(as_ofs)} as-ofs are'} published"
    if not missing and not older:
        return _nothing(table, is_published)
    if error := beyond_data(state, view, request):
        return _refused(table, error)
    grown = [us for us in _grown(state, view, request, older) if us not in missing]
    if not missing and not grown:
        return _nothing(table, is_published)
    reasons = [f"{_as_ofs(len(missing))} missing"] if missing else []
    reasons += [f"its sources grew since {_as_ofs(len(grown), 'was built', 'were built')}"] if grown else []
    names = tuple(day_or_instant(us) for us in sorted([*missing, *grown]))
    return replace(
        _work(state, view, Action.BUILD, "; ".join(reasons)),
        slices=names,
        partitions=tuple(sorted({name[:10] for name in names})),
        rows=_snapshot_rows(state, view, names),
        bytes=_snapshot_bytes(state, view, names),
        state=_state(view, now),
    )


def _snapshot_rows(state: PlanState, view: Snapshot, names: Sequence[str]) -> int:
    """An aggregate reads the facts of its source, a comparison the same as-ofs of its view."""
    if isinstance(view, AggregateView):
        return state.published.rows(key_of(view.source))
    return sum(state.published.rows(key_of(view.of), name) for name in names)


def _snapshot_bytes(state: PlanState, view: Snapshot, names: Sequence[str]) -> int | None:
    if isinstance(view, AggregateView):
        return state.statistics.bytes(key_of(view.source))
    membership = [state.statistics.bytes(key_of(view.group.source))] if view.group.source else []
    return _total(state.statistics.bytes(key_of(view.of), [name[:10] for name in names]), *membership)


def missing_as_ofs(state: PlanState, view: Snapshot, as_ofs_us: list[int]) -> list[int]:
    """Those that are not published, or not with these columns."""
    columns, table = fingerprints(view), key_of(view)
    known = {us: state.published.state(table, day_or_instant(us)) for us in as_ofs_us}
    return [us for us, slice_state in known.items() if not slice_state.is_known or slice_state.columns != columns]


def _grown(state: PlanState, view: Snapshot, request: Request, older: Mapping[int, Mapping[str, int]]) -> list[int]:
    """The as-ofs whose slice holds rows that were loaded after it was built."""
    grown: set[int] = set()
    for key, source in roots(view).items():
        newest = state.published.newest(key).loaded_at_us
        since = {us: known.get(key, 0) for us, known in older.items() if known.get(key, 0) != newest}
        if source.is_static or not since:
            continue
        above = _snapshots_above(state, key, view)
        oldest = min([*since.values(), *(_oldest_load(state, other, key, request) for other in above)])
        delays = sorted({other.cut_delay_us for other in above})
        for rows in state.statistics.loaded_since(source, oldest, delays_us=delays):
            first_us = rows.first_as_of_us[view.cut_delay_us]
            grown |= {us for us, known in since.items() if rows.loaded_at_us > known and first_us <= us}
    return sorted(grown)


def _snapshots_above(state: PlanState, key: str, view: Snapshot) -> list[Snapshot]:
    """This view and all others that read the source: one pass over the source answers for all of them."""
    others = [d for d in state.registry.definitions if isinstance(d, AggregateView | CrossEntityView)]
    return [view, *(other for other in others if other is not view and key in roots(other))]


def _oldest_load(state: PlanState, view: Snapshot, key: str, request: Request) -> int:
    """The oldest load of a source that the request's published as-ofs of a view were built from."""
    newest = state.published.newest(key).loaded_at_us
    states = [state.published.state(key_of(view), name) for name in request.as_of]
    return min([newest, *(known.loads.get(key, 0) for known in states if known.is_known)])


def _why_derived(state: PlanState, view: DerivedView, before: TableState, wanted_us: int) -> str:
    if before.built_to_us is None:
        return "it is not built yet"
    if before.columns != fingerprints(view):
        return "its definition has new columns"
    grew = [key for key, at in loads(state.published, view).items() if at != before.loads.get(key)]
    reasons = [f"{', '.join(grew)} grew since"] if grew else []
    if before.built_to_us < wanted_us:
        reasons.append(f"it is built up to {day_or_instant(before.built_to_us)}")
    return "; ".join(reasons)


def _work(state: PlanState, view: View, action: Action, reason: str) -> PlannedStep:
    inputs = {key_of(up): state.published.version(key_of(up)) or 0 for up in view.upstream}
    return PlannedStep(table=key_of(view), action=action, reason=reason, inputs=inputs)


def _state(view: View, loaded: Mapping[str, int], *, built_to_us: int | None = None) -> TableState:
    return TableState(columns=fingerprints(view), view=ViewState(loads=loaded, built_to_us=built_to_us))


def _nothing(table: str, reason: str) -> PlannedStep:
    return PlannedStep(table=table, action=Action.NOTHING, reason=reason)


def _refused(table: str, error: SourceError) -> PlannedStep:
    return PlannedStep(table=table, action=Action.REFUSED, reason=str(error), error=error)


def _as_ofs(count: int, one: str = "is", many: str = "are") -> str:
    return f"1 as-of {one}" if count == 1 else f"{count} as-ofs {many}"


def _total(*sizes: int | None) -> int | None:
    known = [size for size in sizes if size is not None]
    return sum(known) if len(known) == len(sizes) else None
