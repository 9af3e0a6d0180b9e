"""The steps of a run, side by side where one does not read the other."""

import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace

from definitions.errors import ZigguratError
from definitions.registry import key_of
from definitions.sources import Source
from definitions.views import AggregateView, Definition, DerivedView
from jobs.build.derived import build_derived, is_derived
from jobs.build.ingest import ingest, is_ingested
from jobs.build.preconditions import refuse_beyond_data
from jobs.build.snapshots import build_aggregate, build_cross_entity
from jobs.build.staleness import missing_slices
from jobs.run.context import Job
from jobs.run.outcome import Status, StepOutcome
from jobs.run.request import Request
from lakehouse.files import deliveries
from lakehouse.tables import exists


def all_done(job: Job, selected: Sequence[Definition], request: Request) -> tuple[StepOutcome, ...]:
    """Every step as unchanged, if the ledger and a look at the delivered files tell so; empty when there is work."""
    for definition in selected:
        table = key_of(definition)
        path = job.context.warehouse.address(table).path
        if not exists(job.context.spark, path) or not _is_done(job, definition, request):
            return ()
    return tuple(job.unchanged(key_of(definition)) for definition in selected)


def _is_done(job: Job, definition: Definition, request: Request) -> bool:
    if isinstance(definition, Source):
        location = job.context.locations.get(definition.name)
        return location is not None and is_ingested(
            job, definition, deliveries.fingerprint(job.context.spark, definition.name, location)
        )
    if isinstance(definition, DerivedView):
        return is_derived(job, definition, max(request.as_ofs_us))
    return not missing_slices(job, definition, request.as_ofs_us)


class Scheduler:
    """The steps of a run as a graph: each starts when what it reads has ended; `workers` of them at a time."""

    def __init__(self, job: Job, selected: Sequence[Definition], request: Request, begun: float) -> None:
        self._job, self._request, self._begun = job, request, begun
        self._waiting: dict[str, Definition] = {key_of(d): d for d in selected}
        self._ended: dict[str, StepOutcome] = {}
        self._built_on = {key: job.context.registry.built_on(key) for key in self._waiting}

    def run(self) -> tuple[StepOutcome, ...]:
        running: dict[Future[StepOutcome], str] = {}
        with ThreadPoolExecutor(self._job.context.options.workers, thread_name_prefix="step") as pool:
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
        location = self._job.context.locations.get(self._waiting[key].name)
        is_source = isinstance(self._waiting[key], Source)
        return deliveries.size(location) if is_source and location is not None else 0

    def _end(self, key: str, outcome: StepOutcome) -> None:
        self._job.published.add(outcome.slices)
        self._ended[key] = outcome
        self._job.context.listener.ended(outcome)

    def _step(self, definition: Definition) -> StepOutcome:
        begun = time.monotonic()
        table = key_of(definition)
        outcome = self._blocked(definition)
        if outcome is None:
            self._job.context.listener.begun(table)
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
        refuse_beyond_data(self._job, definition, self._request)
        if isinstance(definition, DerivedView):
            return build_derived(self._job, definition, max(self._request.as_ofs_us))
        failed: frozenset[int] = frozenset().union(
            *(self._ended[key_of(up)].failed_slices for up in definition.upstream if isinstance(up, AggregateView))
        )
        as_ofs = [us for us in self._request.as_ofs_us if us not in failed]
        if isinstance(definition, AggregateView):
            return build_aggregate(self._job, definition, as_ofs)
        outcome = build_cross_entity(self._job, definition, as_ofs)
        blocked = f"{len(failed)} as-ofs blocked: {key_of(definition.of)} failed there"
        return replace(outcome, message=blocked) if failed else outcome
