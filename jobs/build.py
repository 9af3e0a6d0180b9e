"""The main job: bring every selected table up to the as-ofs, independent ones side by side, in one run."""

import time
import uuid
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import UTC

from features.durations import day_or_instant, duration_us, instant_text, to_us
from features.errors import AsOfBeyondData, DefinitionError, UsageError, ZigguratError
from features.registry import key_of
from features.sources import Kind, Source
from features.versions import locked_fingerprints, require_unchanged
from features.views import AggregateView, CrossEntityView, Definition, DerivedView
from jobs.context import Job, Place
from jobs.derive import build_derived, is_derived
from jobs.ingest import ingest, is_ingested
from jobs.known import Known
from jobs.memory import watch_memory
from jobs.outcome import RunOutcome, Status, StepOutcome
from jobs.reach import missing_slices, roots
from jobs.snapshots import build_aggregate, build_cross_entity
from lakehouse import deliveries
from lakehouse.leases import HeldLeases, LeaseDesk
from lakehouse.ledger import Ledger
from lakehouse.ledger_records import Run, StepRecord
from lakehouse.tables import exists, remove
from quality import preload


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to build: the verb and its words (for the ledger), the instants T, and which views ('' is all)."""

    command: str
    as_ofs_us: tuple[int, ...]
    select: tuple[str, ...] = ()


def build(place: Place, request: Request) -> RunOutcome:
    """Build what is missing and publish what passes; a finished as-of changes nothing and writes nothing (S28).

    Raises before anything is written: DefinitionChanged, UsageError for an as-of in the future, LeaseHeld. What goes
    wrong inside a step is that step's outcome, and blocks only what reads it.
    """
    begun = time.monotonic()
    selected = place.registry.select(request.select)
    _refuse_future(place, selected, request)
    ledger = Ledger.open(place.spark, place.warehouse)
    mended = ledger.mend()
    if mended.killed_runs:
        for killed in mended.killed_runs:
            remove(place.warehouse.staging_of(killed))
        place.listener.note(
            f"found {len(mended.killed_runs)} run(s) that were cut short; what they had published is in the ledger now"
        )
    state = ledger.state()
    _refuse_changed_meaning(place, Known(state))
    run_id = f"{place.clock().astimezone(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}"
    as_of = tuple(day_or_instant(us) for us in request.as_ofs_us)
    dry = Job(place=place, run_id=run_id, leases={}, known=Known(state))
    if (done := _all_done(dry, selected, request)) and _is_released(ledger, dry):
        return RunOutcome(
            run_id=run_id,
            command=request.command,
            as_of=as_of,
            steps=done,
            seconds=time.monotonic() - begun,
            release=_release_id(ledger),
        )
    preload()
    watch_memory()
    with _leases(place, run_id, selected) as leases:
        run = Run(
            run_id,
            request.command.split(" ")[0],
            {
                "command": request.command,
                "as_of": list(as_of),
                "select": list(request.select),
                "definitions": place.registry.package,
            },
        )
        ledger.start(run)
        job = Job(
            place=place,
            run_id=run_id,
            leases=leases,
            known=Known(ledger.state() if mended.killed_runs else state),
        )
        steps = _Steps(job, selected, request, begun).run()
        return _finish(
            ledger,
            run,
            job,
            RunOutcome(
                run_id=run_id,
                command=request.command,
                as_of=as_of,
                steps=steps,
                seconds=time.monotonic() - begun,
            ),
        )


def _finish(ledger: Ledger, run: Run, job: Job, outcome: RunOutcome) -> RunOutcome:
    records = [
        StepRecord(
            s.table,
            s.status,
            rows_in=s.rows_in,
            rows_out=s.rows_out,
            seconds=round(s.seconds, 3),
            table_version=s.version,
            detail={
                "message": s.message,
                "quarantined": dict(s.quarantined),
                **{k: v for k, v in s.detail.items() if k != "columns"},
            },
        )
        for s in outcome.steps
    ]
    status = "failed" if outcome.error else "ended"
    if not any(step.failed_slices for step in outcome.steps):  # else rejected rows are kept there for inspection
        remove(job.place.warehouse.staging_of(run.run_id))
    ledger.finish(
        run,
        steps=records,
        slices=[piece for s in outcome.steps for piece in s.slices],
        status=status,
        detail={"seconds": round(outcome.seconds, 1)},
    )
    if not any(s.status is Status.PUBLISHED for s in outcome.steps) and _is_released(ledger, job):
        return replace(outcome, release=_release_id(ledger))
    release = ledger.release(run.run_id, _versions(job), as_of=_as_ofs(job))
    return replace(outcome, release=release.release_id)


def _versions(job: Job) -> dict[str, int]:
    return {key: version for key in job.place.registry.by_key if (version := job.known.version(key)) is not None}


def _as_ofs(job: Job) -> list[str]:
    snapshots = [key for key in _versions(job) if not key.startswith(("raw/", "derived/"))]
    return sorted({name for key in snapshots for name in job.known.slices(key)})


def _is_released(ledger: Ledger, job: Job) -> bool:
    """False when the tables moved on since the last release: their run was killed before it could name them."""
    versions = _versions(job)
    latest = ledger.latest_release()
    if latest is None or not versions:
        return not versions
    named = {table: view["version"] for table, view in latest.views.items()}
    return (named, list(latest.as_of)) == (versions, _as_ofs(job))


def _release_id(ledger: Ledger) -> int | None:
    latest = ledger.latest_release()
    return latest.release_id if latest else None


def _refuse_future(place: Place, selected: Sequence[Definition], request: Request) -> None:
    """No run of T starts before its cut: what is known then is not known yet (S11)."""
    cut = max((d.cut_delay_us for d in selected if isinstance(d, AggregateView | CrossEntityView)), default=0)
    latest, now = max(request.as_ofs_us), to_us(place.clock())
    if latest + cut > now:
        raise UsageError(
            f"--as-of {day_or_instant(latest)} is known from {instant_text(latest + cut)} on, which is not yet; now it "
            f"is {instant_text(now)}. Build an earlier as-of, or wait."
        )


def _refuse_changed_meaning(place: Place, known: Known) -> None:
    published = {key: known.newest(key).get("columns", {}) for key in place.registry.by_key}
    require_unchanged(place.registry, locked_fingerprints(place.registry))
    require_unchanged(place.registry, published)


def _leases(place: Place, run_id: str, selected: Sequence[Definition]) -> HeldLeases:
    return LeaseDesk.at(place.warehouse.leases, run_id=run_id).acquire_all([key_of(d) for d in selected])


def _all_done(job: Job, selected: Sequence[Definition], request: Request) -> tuple[StepOutcome, ...]:
    """Every step as unchanged, if the ledger and a look at the delivered files tell so; empty when there is work."""
    for definition in selected:
        table = key_of(definition)
        if not exists(job.place.spark, job.place.warehouse.address(table).path) or not _is_done(
            job, definition, request
        ):
            return ()
    return tuple(
        StepOutcome(
            table=key_of(d),
            status=Status.UNCHANGED,
            rows_in=0,
            rows_out=job.known.rows(key_of(d)),
            version=job.known.version(key_of(d)),
        )
        for d in selected
    )


def _is_done(job: Job, definition: Definition, request: Request) -> bool:
    if isinstance(definition, Source):
        location = job.place.locations.get(definition.name)
        return location is not None and is_ingested(
            job, definition, deliveries.fingerprint(job.place.spark, definition.name, location)
        )
    if isinstance(definition, DerivedView):
        return is_derived(job, definition, max(request.as_ofs_us))
    return not missing_slices(job, definition, request.as_ofs_us)


class _Steps:
    """The steps of a run as a graph: each starts when what it reads has ended; `workers` of them at a time."""

    def __init__(self, job: Job, selected: Sequence[Definition], request: Request, begun: float) -> None:
        self._job, self._request, self._begun = job, request, begun
        self._waiting: dict[str, Definition] = {key_of(d): d for d in selected}
        self._ended: dict[str, StepOutcome] = {}
        self._built_on = {key: job.place.registry.built_on(key) for key in self._waiting}

    def run(self) -> tuple[StepOutcome, ...]:
        running: dict[Future[StepOutcome], str] = {}
        with ThreadPoolExecutor(self._job.place.options.workers, thread_name_prefix="step") as pool:
            while self._waiting or running:
                for key in self._ready():
                    running[pool.submit(self._step, self._waiting.pop(key))] = key
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    self._end(running.pop(future), future.result())
        return tuple(self._ended.values())

    def _ready(self) -> list[str]:
        """What can start now; first what most others wait for, and of those what has the most to read."""
        ready = [key for key, d in self._waiting.items() if all(key_of(up) in self._ended for up in d.upstream)]
        return sorted(ready, key=lambda key: (-len(self._built_on[key]), -self._size(key), key))

    def _size(self, key: str) -> int:
        location = self._job.place.locations.get(self._waiting[key].name)
        is_source = isinstance(self._waiting[key], Source)
        return deliveries.size(location) if is_source and location is not None else 0

    def _end(self, key: str, outcome: StepOutcome) -> None:
        self._job.known.add(outcome.slices)
        self._ended[key] = outcome
        self._job.place.listener.ended(outcome)

    def _step(self, definition: Definition) -> StepOutcome:
        begun = time.monotonic()
        table = key_of(definition)
        outcome = self._blocked(definition)
        if outcome is None:
            self._job.place.listener.begun(table)
            try:
                outcome = self._outcome(definition)
            except Exception as error:  # a step's failure is its outcome; others go on
                outcome = StepOutcome(
                    table=table,
                    status=Status.FAILED,
                    error=error,
                    message=str(error) if isinstance(error, ZigguratError) else f"{type(error).__name__}: {error}",
                )
        return replace(outcome, seconds=time.monotonic() - begun, started=begun - self._begun)

    def _blocked(self, definition: Definition) -> StepOutcome | None:
        """A view whose upstream did not stand is blocked, not built from older rows (S13)."""
        for upstream in definition.upstream:
            before = self._ended[key_of(upstream)]
            whole = before.status in (Status.BLOCKED, Status.FAILED, Status.COULD_NOT_CHECK) and not (
                before.failed_slices and isinstance(upstream, AggregateView)
            )
            if whole or before.failed_slices >= frozenset(self._request.as_ofs_us):
                return StepOutcome(
                    table=key_of(definition),
                    status=Status.BLOCKED,
                    message=f"{before.table} {'was blocked' if before.status is Status.BLOCKED else 'failed'}",
                )
        return None

    def _outcome(self, definition: Definition) -> StepOutcome:
        if isinstance(definition, Source):
            return ingest(self._job, definition)
        self._refuse_beyond_data(definition)
        if isinstance(definition, DerivedView):
            return build_derived(self._job, definition, max(self._request.as_ofs_us))
        failed: frozenset[int] = frozenset().union(
            *(self._ended[key_of(up)].failed_slices for up in definition.upstream if isinstance(up, AggregateView))
        )
        as_ofs = [us for us in self._request.as_ofs_us if us not in failed]
        if isinstance(definition, AggregateView):
            return build_aggregate(self._job, definition, as_ofs)
        outcome = build_cross_entity(self._job, definition, as_ofs)
        return (
            replace(outcome, message=f"{len(failed)} as-ofs blocked: {key_of(definition.of)} failed there")
            if failed
            else outcome
        )

    def _refuse_beyond_data(self, definition: Definition) -> None:
        """A snapshot after the end of the data would call everybody inactive."""
        events = {key: source for key, source in roots(definition).items() if source.kind is Kind.EVENTS}
        newest = max((self._job.known.newest(key).get("newest_event_us") or 0 for key in events), default=0)
        latest = max(self._request.as_ofs_us)
        if events and not newest:
            names = ", ".join(source.name for source in events.values())
            raise AsOfBeyondData(
                f"as-of {day_or_instant(latest)} lies beyond the data: {names} delivered no event yet. "
                f"Deliver some, and build again."
            )
        if newest and latest > newest + duration_us(self._job.place.options.data_may_lag, where="data_may_lag"):
            raise AsOfBeyondData(
                f"as-of {day_or_instant(latest)} lies beyond the data, whose newest event is of "
                f"{instant_text(newest)}. "
                "Build an earlier as-of, or deliver what is missing (build.data_may_lag is "
                f"{self._job.place.options.data_may_lag})."
            )


def as_of_range(start_us: int, end_us: int, every: str) -> tuple[int, ...]:
    """start, start + every, … up to and including end."""
    if end_us < start_us:
        raise UsageError(
            f"--end {day_or_instant(end_us)} lies before --start {day_or_instant(start_us)}; swap the two."
        )
    try:
        step = duration_us(every, where="--every")
    except DefinitionError as error:
        raise UsageError(str(error)) from None
    if not step:
        raise UsageError(f"--every {every} never leaves --start; write 1d or 7d.")
    return tuple(range(start_us, end_us + 1, step))
