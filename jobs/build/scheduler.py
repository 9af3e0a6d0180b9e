"""The steps of a run, side by side where one does not read the other: each is planned, then executed."""

import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from functools import partial

from definitions.errors import ZigguratError
from definitions.registry import key_of
from definitions.sources import Source
from definitions.views import AggregateView, Definition
from jobs.build.idle import unchanged
from jobs.build.kinds import KINDS, blocked_step, plan_step
from jobs.build.looks import record_looks
from jobs.build.plan import Action, PlanState, UpstreamEnd
from jobs.build.statistics.of_build import BuildStatistics
from jobs.run.context import Job
from jobs.run.outcome import Status, StepOutcome
from jobs.run.request import Request
from lakehouse.damage import as_damage
from lakehouse.files import listing
from lakehouse.files.spark_files import delta_version, found_files
from lakehouse.reader import NeedsSpark

_FAILURES = {Status.BLOCKED: "was blocked", Status.FAILED: "failed", Status.COULD_NOT_CHECK: "failed"}


def plan_state(job: Job, *, before: BuildStatistics | None = None) -> PlanState:
    """What the steps of a run are planned from, with Spark at hand; it grows with the job's published state."""
    context = job.context
    return PlanState(
        registry=context.registry,
        locations=context.locations,
        published=job.published,
        statistics=BuildStatistics(job, before=before),
        version_of=partial(delta_version, context.spark),
        files_of=partial(found_files, context.spark),
        data_may_lag=context.options.data_may_lag,
    )


class Scheduler:
    """The steps of a run as a graph: each starts when what it reads has ended; `workers` of them at a time."""

    def __init__(
        self, job: Job, state: PlanState, selected: Sequence[Definition], request: Request, begun: float
    ) -> None:
        self._job, self._state, self._request, self._begun = job, state, request, begun
        # Imported here, before there are threads.
        self._builders = {kind: KINDS[kind].build for kind in {type(definition) for definition in selected}}
        self._waiting: dict[str, Definition] = {key_of(d): d for d in selected}
        self._outcomes: dict[str, StepOutcome] = {}
        self._ends: dict[str, UpstreamEnd] = {}
        self._built_on = {key: job.context.registry.built_on(key) for key in self._waiting}

    def run(self) -> tuple[StepOutcome, ...]:
        self._job.context.listener.planned({key: self._weight(key) for key in self._waiting})
        running: dict[Future[StepOutcome], Definition] = {}
        with ThreadPoolExecutor(self._job.context.options.workers, thread_name_prefix="step") as pool:
            while self._waiting or running:
                for key in self._ready():
                    definition = self._waiting.pop(key)
                    running[pool.submit(self._step, definition)] = definition
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    self._end(running.pop(future), future.result())
        return tuple(self._outcomes.values())

    def _ready(self) -> list[str]:
        """What can start now; first what most others wait for, and of those what has the most to read."""
        ready = [key for key, d in self._waiting.items() if all(key_of(up) in self._ends for up in d.upstream)]
        return sorted(ready, key=lambda key: (-len(self._built_on[key]), -self._size(self._waiting[key]), key))

    def _size(self, definition: Definition) -> int:
        """0 where it is not known: what can't be read is refused by the step itself."""
        location = self._job.context.locations.get(definition.name)
        try:
            return listing.size(location) if isinstance(definition, Source) and location is not None else 0
        except (OSError, NeedsSpark):
            return 0

    def _weight(self, key: str) -> int:
        """The bytes delivered that a table depends on: its share of the run's work, roughly."""
        definitions = self._job.context.registry.by_key
        sizes = [self._size(definitions[below]) for below in self._job.context.registry.needed_by(key)]
        return max(1, sum(sizes))

    def _end(self, definition: Definition, outcome: StepOutcome) -> None:
        self._job.published.add(outcome.slices)
        self._outcomes[outcome.table] = outcome
        self._ends[outcome.table] = UpstreamEnd(
            failure=_FAILURES.get(outcome.status, ""),
            failed_slices=outcome.failed_slices,
            is_partly_usable=bool(outcome.failed_slices) and isinstance(definition, AggregateView),
        )
        self._job.context.listener.ended(outcome)

    def _step(self, definition: Definition) -> StepOutcome:
        begun = time.monotonic()
        try:
            outcome = self._outcome(definition)
        except Exception as failure:  # a step's failure is its outcome; others go on
            error = as_damage(failure) or failure
            outcome = StepOutcome(
                table=key_of(definition),
                status=Status.FAILED,
                error=error,
                message=str(error) if isinstance(error, ZigguratError) else f"{type(error).__name__}: {error}",
            )
        return replace(outcome, seconds=time.monotonic() - begun, started=begun - self._begun)

    def _outcome(self, definition: Definition) -> StepOutcome:
        table = key_of(definition)
        if blocked := blocked_step(definition, self._request, self._ends):
            return StepOutcome(table=table, status=Status.BLOCKED, message=blocked.reason)
        self._job.context.listener.begun(table)
        looked_at = self._job.context.clock()
        step = plan_step(self._state, definition, self._request, self._ends)
        if step.error is not None:
            raise step.error
        if step.action is Action.NOTHING:
            record_looks(self._job.context.warehouse, [definition], looked_at)
            return unchanged(self._job.published, step)
        outcome = self._builders[type(definition)](self._job, definition, step)
        return replace(outcome, message=step.remark) if step.remark else outcome
