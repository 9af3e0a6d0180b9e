"""Export: the features of one as-of to the online store; whole, verified and released snapshots only."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from definitions.durations import day_or_instant
from definitions.errors import NotReleased, ZigguratError
from definitions.registry import key_of
from definitions.services import FeatureService
from definitions.versions import fingerprints, service_fingerprint
from definitions.views import Definition
from jobs.export.progress import Report, RowCount, counted_batches
from jobs.export.views import ExportedView, content_hash, exported_views, refuse_unservable
from jobs.inputs.releases import Released, newest_release
from jobs.run.context import Context
from jobs.run.outcome import Status, StepOutcome
from jobs.run.short_runs import recorded
from lakehouse.crash_points import crash_point
from lakehouse.tables import remove
from online_store.errors import OnlineStoreError, StoreDamaged
from online_store.snapshot import SnapshotDescription, StoredSelection, StoredService
from online_store.store import Exported, OnlineStore, SnapshotReader

TABLE = "online"


@dataclass(frozen=True, kw_only=True)
class ExportOutcome:
    """The snapshot that the store serves now. is_unchanged: it served it before; nothing was written (S28)."""

    snapshot_id: str
    as_of: str
    services: tuple[str, ...]
    views: int
    records: int
    bytes: int
    seconds: float
    is_unchanged: bool
    refused: Mapping[str, ZigguratError] = field(default_factory=dict)


def export(
    context: Context,
    services: Sequence[FeatureService],
    as_of_us: int,
    *,
    store: OnlineStore,
    rollback: bool = False,
    may_leave_out: bool = False,
) -> ExportOutcome:
    """Publish the services' features of as_of: written beside the live snapshot, read back, then one pointer flips.

    A snapshot view gives its rows of as_of; facts give the latest that were known when the last of these views was out.
    Raises, before anything is written, what is wrong with a service: NotReleased when a view of it lacks that as-of,
    UsageError when it can't be served online. may_leave_out: then the others are published, and the outcome names it,
    unless the store answers for it now: publishing the others would take it offline.
    """
    begun = time.monotonic()
    released = newest_release(context)
    services, refused = exportable(released, services, as_of_us)
    if refused:
        refuse_to_leave_out(refused, served=served_now(store) if may_leave_out and services else refused.keys())
    with recorded(context, _command(services, as_of_us, rollback=rollback)) as run:
        with run.step(TABLE):
            done, views = _exported(run.context, services, as_of_us, released, store, rollback=rollback)
        outcome = ExportOutcome(
            snapshot_id=done.snapshot_id,
            as_of=day_or_instant(as_of_us),
            services=tuple(service.name for service in services),
            views=views,
            records=done.records,
            bytes=done.bytes,
            seconds=time.monotonic() - begun,
            is_unchanged=done.is_unchanged,
            refused=refused,
        )
        run.ended(_step(outcome))
    return outcome


def _exported(
    context: Context,
    services: Sequence[FeatureService],
    as_of_us: int,
    released: Released,
    store: OnlineStore,
    *,
    rollback: bool,
) -> tuple[Exported, int]:
    """What the store reports, and of how many views the snapshot is."""
    scratch = context.warehouse.staging_of(context.run_id)
    context.listener.phase(TABLE, "reading the release")
    report = partial(context.listener.progress, TABLE)
    try:
        views = exported_views(context, services, as_of_us, released, scratch=scratch, report=report)
        done = store.export(
            _description(services, as_of_us, released, views),
            counted_batches(views, report),
            step=lambda name: _begin_part(context, name),
            check=lambda reader: _check(reader, views, report),
            rollback=rollback,
        )
    finally:
        remove(scratch)
    return done, len(views)


def _command(services: Sequence[FeatureService], as_of_us: int, *, rollback: bool) -> str:
    words = ["export", "--as-of", day_or_instant(as_of_us), *(f"--service {service.name}" for service in services)]
    return " ".join([*words, *(["--rollback"] if rollback else [])])


def _step(outcome: ExportOutcome) -> StepOutcome:
    return StepOutcome(
        table=TABLE,
        status=Status.UNCHANGED if outcome.is_unchanged else Status.PUBLISHED,
        rows_out=outcome.records,
        seconds=outcome.seconds,
        message=f"snapshot {outcome.snapshot_id}",
    )


def exportable(
    released: Released, services: Sequence[FeatureService], as_of_us: int
) -> tuple[list[FeatureService], dict[str, ZigguratError]]:
    """The services that can be published together, and what is wrong with each of the others."""
    chosen: list[FeatureService] = []
    refused: dict[str, ZigguratError] = {}
    for service in services:
        try:
            refuse_unreleased(released, [service], as_of_us)
            refuse_unservable([*chosen, service])
            chosen.append(service)
        except ZigguratError as error:
            refused[service.name] = error
    return chosen, refused


def refuse_to_leave_out(refused: Mapping[str, ZigguratError], *, served: Collection[str]) -> None:
    """Raises the error of a refused service that is served."""
    for name, error in refused.items():
        if name in served:
            raise error


def served_now(store: OnlineStore) -> frozenset[str]:
    """The names of the services that the store answers for; none where it answers for nothing."""
    try:
        with store.open() as reader:
            return frozenset(service.name for service in reader.description.services)
    except OnlineStoreError:
        return frozenset()


def refuse_unreleased(released: Released, services: Sequence[FeatureService], as_of_us: int) -> None:
    """Raises NotReleased when a view lacks the as-of: a snapshot never mixes views of different as-ofs."""
    name = day_or_instant(as_of_us)
    for service in services:
        missing = []
        for view in dict.fromkeys(selection.view for selection in service.features):
            if view.is_snapshot and not _stands(released, view, name):
                missing.append(view.name)
        if missing:
            select = " ".join(f"--select {view}" for view in missing)
            raise NotReleased(
                f"{service.where} can't be exported as of {name}: {', '.join(missing)} "
                f"{'has' if len(missing) == 1 else 'have'} no snapshot of it as now defined. Build it: ziggurat build "
                f"--as-of {name} {select}"
            )


def _stands(released: Released, view: Definition, name: str) -> bool:
    table = key_of(view)
    published = released.published.state(table, name).columns
    return table in released.versions and published == fingerprints(view)


def _description(
    services: Sequence[FeatureService], as_of_us: int, released: Released, views: Sequence[ExportedView]
) -> SnapshotDescription:
    return SnapshotDescription(
        day_or_instant(as_of_us),
        as_of_us,
        known_at_us=as_of_us + max(service.publish_delay_us for service in services),
        release=released.release_id,
        views=tuple(view.stored for view in views),
        services=tuple(_stored(service) for service in services),
    )


def _stored(service: FeatureService) -> StoredService:
    selections = tuple(
        StoredSelection(
            selection.name,
            key_of(selection.view),
            keys=tuple(zip(selection.spine_keys, selection.entity.key_names, strict=True)),
            features=selection.names,
            max_age_us=selection.max_age_us,
        )
        for selection in service.features
    )
    return StoredService(service.name, service_fingerprint(service), selections=selections)


def _begin_part(context: Context, name: str) -> None:
    context.listener.phase(TABLE, name)
    crash_point(f"before_{name}", TABLE)


def _check(reader: SnapshotReader, views: Sequence[ExportedView], report: Report) -> None:
    """Online = offline: what was read back has the content hash of what is published (S32)."""
    rows = RowCount(sum(view.stored.rows for view in views), report)
    for view in views:
        found = content_hash(view, rows.counted(reader.records(view.stored.table)))
        if found != view.stored.content_hash:
            raise StoreDamaged(
                f"{view.stored.table} reads back with content hash {found[:12]}…, but {view.stored.content_hash[:12]}… "
                "is published. Nothing was put online; export again, and report this if it happens twice."
            )
