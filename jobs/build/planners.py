"""What the step of a source or of a snapshot view has to do: decided once, when all that it reads has ended.

Each planner answers from the ledger where that is enough, and puts one question to the rows where it is not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from definitions.durations import day_or_instant
from definitions.errors import SourceError, SourceMissing, SourceUnreadable, did_you_mean
from definitions.registry import key_of
from definitions.sources import Source
from definitions.versions import fingerprints
from definitions.views import AggregateView, CrossEntityView, Snapshot
from jobs.build.plan import Action, PlannedStep, PlanState
from jobs.build.preconditions import beyond_data
from jobs.build.staleness import loads, roots
from jobs.build.steps import nothing, refused, total, view_state, work
from jobs.run.request import Request
from lakehouse.files import listing
from lakehouse.files.listing import FilesOf, VersionOf, files_here
from lakehouse.files.location import Location
from lakehouse.storage_errors import StorageError


def plan_source(state: PlanState, source: Source, _request: Request, _failed: frozenset[int]) -> PlannedStep:
    """Ingest what lies at the source's location, unless the ledger knows these files under these definitions."""
    table = key_of(source)
    try:
        delivery = fingerprint_of(source, state.locations, version_of=state.version_of, files_of=state.files_of)
    except SourceError as error:
        return refused(table, error)
    known = state.published.state(table, delivery)
    if known.is_known and known.columns == fingerprints(source):
        return nothing(table, "nothing new was delivered")
    reasons = {True: "its definition has new columns", False: "its files were not read before"}
    if not state.published.newest(table).is_known:
        is_first = state.published.version(table) is None
        reasons = {False: "nothing was read of it before" if is_first else "its table was written to by others"}
    return PlannedStep(
        table=table,
        action=Action.INGEST,
        reason=reasons[known.is_known],
        slices=(delivery,),
        bytes=listing.size(state.locations[source.name], files_of=state.files_of),
    )


def fingerprint_of(
    source: Source, locations: Mapping[str, Location], *, version_of: VersionOf, files_of: FilesOf = files_here
) -> str:
    """Of what lies at the source's location now. Raises SourceMissing; SourceUnreadable where it may not be read."""
    location = locations.get(source.name)
    if location is None:
        raise SourceMissing(
            f"source '{source.name}' has no place in the configuration.{did_you_mean(source.name, locations)} Add "
            f"sources.{source.name}.path and .format to your conf file."
        )
    try:
        delivered = listing.fingerprint(source.name, location, version_of=version_of, files_of=files_of)
        unreadable = listing.unreadable(source.name, location)
    except (PermissionError, StorageError):
        unreadable = location.path
    if unreadable:
        raise SourceUnreadable(
            f"source '{source.name}': this user may not read {unreadable}. Give the user that runs the job the right "
            "to read it, and all folders above it."
        )
    return delivered


def plan_snapshot(state: PlanState, view: Snapshot, request: Request, failed: frozenset[int]) -> PlannedStep:
    """Build the as-ofs that are not published under this meaning, or whose slice new rows can change (S28)."""
    table, now = key_of(view), loads(state.published, view)
    as_ofs = [us for us in request.as_ofs_us if us not in failed]
    missing = missing_as_ofs(state, view, as_ofs)
    is_published = f"{'this as-of is' if len(as_ofs) == 1 else f'all {len(as_ofs)} as-ofs are'} published"
    older = older_as_ofs(state, view, [us for us in as_ofs if us not in missing])
    if not missing and not older:
        return nothing(table, is_published)
    if error := beyond_data(state, view, request):
        return refused(table, error)
    grown = grown_as_ofs(state, view, older, also=request.as_of)
    if not missing and not grown:
        return nothing(table, is_published)
    reasons = [f"{_as_ofs(len(missing))} missing"] if missing else []
    reasons += [f"its sources grew since {_as_ofs(len(grown), 'was built', 'were built')}"] if grown else []
    names = tuple(day_or_instant(us) for us in sorted([*missing, *grown]))
    return replace(
        work(state, view, Action.BUILD, "; ".join(reasons)),
        slices=names,
        partitions=tuple(sorted({name[:10] for name in names})),
        rows=_snapshot_rows(state, view, names),
        bytes=_snapshot_bytes(state, view, names),
        state=view_state(view, now),
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
    return total(state.statistics.bytes(key_of(view.of), [name[:10] for name in names]), *membership)


def missing_as_ofs(state: PlanState, view: Snapshot, as_ofs_us: Sequence[int]) -> list[int]:
    """Those that are not published, or not with these columns."""
    columns, table = fingerprints(view), key_of(view)
    known = {us: state.published.state(table, day_or_instant(us)) for us in as_ofs_us}
    return [us for us, slice_state in known.items() if not slice_state.is_known or slice_state.columns != columns]


def older_as_ofs(state: PlanState, view: Snapshot, as_ofs_us: Sequence[int]) -> dict[int, Mapping[str, int]]:
    """Of these published as-ofs the ones that were built before a source was last loaded, with the loads they know."""
    now = loads(state.published, view)
    known = {us: state.published.state(key_of(view), day_or_instant(us)).loads for us in as_ofs_us}
    return {us: built_from for us, built_from in known.items() if built_from != now}


def grown_as_ofs(
    state: PlanState, view: Snapshot, older: Mapping[int, Mapping[str, int]], *, also: Sequence[str] = ()
) -> list[int]:
    """The as-ofs whose slice can be changed by rows that were loaded after it was built, or by others' changes to raw.

    also: as-ofs of which other views on the same sources will ask next; one pass over a source answers for all.
    """
    grown: set[int] = set()
    for key, source in roots(view).items():
        known_now = state.published.newest(key)
        since = {us: known.get(key, 0) for us, known in older.items() if known.get(key, 0) != known_now.loaded_at_us}
        grown |= {us for us, known in since.items() if known < known_now.rewritten_at_us}
        if source.is_static or not since.keys() - grown:
            continue
        above = _snapshots_above(state, key, view)
        oldest = min([*since.values(), *(_oldest_load(state, other, key, also) for other in above)])
        delays = sorted({other.cut_delay_us for other in above})
        has_versions = bool(source.identity) and known_now.has_versions
        for rows in state.statistics.loaded_since(source, oldest, delays_us=delays, has_versions=has_versions):
            first_us = rows.first_as_of_us[view.cut_delay_us]
            grown |= {us for us, known in since.items() if rows.loaded_at_us > known and first_us <= us}
    return sorted(grown)


def _snapshots_above(state: PlanState, key: str, view: Snapshot) -> list[Snapshot]:
    """This view and all others that read the source: one pass over the source answers for all of them."""
    others = [d for d in state.registry.definitions if isinstance(d, AggregateView | CrossEntityView)]
    return [view, *(other for other in others if other is not view and key in roots(other))]


def _oldest_load(state: PlanState, view: Snapshot, key: str, as_ofs: Sequence[str]) -> int:
    """The oldest load of a source that these as-ofs of a view were built from."""
    newest = state.published.newest(key).loaded_at_us
    states = [state.published.state(key_of(view), name) for name in as_ofs]
    return min([newest, *(known.loads.get(key, 0) for known in states if known.is_known)])


def _as_ofs(count: int, one: str = "is", many: str = "are") -> str:
    return f"1 as-of {one}" if count == 1 else f"{count} as-ofs {many}"
