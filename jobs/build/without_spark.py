"""A plan, and the outcome of a build that finds nothing to do, from what is read without Spark: no JVM is started.

Raises NeedsSpark where the ledger or a table can't be read so. Nothing is written.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from definitions.errors import SourceError
from definitions.registry import Registry
from definitions.sources import Source
from jobs.build.idle import unchanged_run
from jobs.build.kinds import plan
from jobs.build.looks import record_looks
from jobs.build.plan import Plan, PlanState
from jobs.build.planners import fingerprint_of
from jobs.build.preconditions import refuse_changed_meaning, refuse_future
from jobs.build.stale import stale_notes
from jobs.build.statistics.delta import DeltaStatistics
from jobs.run.outcome import RunOutcome
from jobs.run.published import PublishedState
from jobs.run.request import Request
from lakehouse.files.location import Location
from lakehouse.ledger.ledger import Ledger, Release, newest_release
from lakehouse.ledger.recovery import tables_ahead
from lakehouse.ledger.reduction import reduced_state
from lakehouse.ledger.state import LedgerState
from lakehouse.reader import DeltaReader, NeedsSpark
from lakehouse.tables import Warehouse

if TYPE_CHECKING:
    from jobs.run.context import Context


@dataclass(frozen=True, kw_only=True)
class PlanContext:
    """What a plan is made in: a warehouse, definitions, where sources lie, how far an as-of may lie beyond the data."""

    warehouse: Warehouse
    registry: Registry
    locations: Mapping[str, Location]
    data_may_lag: str
    reader: DeltaReader = field(default_factory=DeltaReader)

    def ledger(self) -> LedgerState:
        rows = self.reader.rows(self.warehouse.runs.path) if self._has(self.warehouse.runs.path) else []
        return reduced_state(rows, lambda table: self.reader.version(self.warehouse.address(table).path))

    def latest_release(self) -> Release | None:
        path = self.warehouse.releases.path
        return newest_release(self.reader.rows(path)) if self._has(path) else None

    def state(self, ledger: LedgerState) -> PlanState:
        published = PublishedState(ledger)
        return PlanState(
            registry=self.registry,
            locations=self.locations,
            published=published,
            statistics=DeltaStatistics(self.reader, self.warehouse, published),
            version_of=self.reader.version,
            data_may_lag=self.data_may_lag,
        )

    def unrecorded(self, ledger: LedgerState) -> list[str]:
        """Tables with commits that the ledger does not know: of runs that were killed, or of others."""
        known = ledger.known_versions
        tables = self.warehouse.published_tables()
        return [t.key for t in tables if (self.reader.version(t.path) or 0) > known.get(t.key, -1)]

    def _has(self, path: str) -> bool:
        return self.reader.version(path) is not None


def plan_without_spark(context: PlanContext, request: Request, *, now: datetime) -> Plan:
    """What a build of the request would do now. Raises what stops a build before it starts."""
    ledger = context.ledger()
    return _plan(
        context.state(ledger), request, now, unended=len(ledger.unended), unrecorded=context.unrecorded(ledger)
    )


def plan_with_spark(context: "Context", request: Request) -> Plan:
    """The same where only Spark can read the tables."""
    from jobs.build.scheduler import plan_state
    from jobs.run.context import Job

    ledger = Ledger.open(context.spark, context.warehouse).state()
    job = Job(context=context, run_id="plan", leases={}, published=PublishedState(ledger))
    ahead = tables_ahead(context.spark, context.warehouse.published_tables(), ledger.known_versions)
    unrecorded = [table.key for table, _ in ahead]
    return _plan(plan_state(job), request, context.clock(), unended=len(ledger.unended), unrecorded=unrecorded)


def unread_sources(context: PlanContext, request: Request) -> tuple[SourceError, ...]:
    """An error for each selected source that is missing or may not be read; all locations are looked at."""
    errors = []
    for definition in context.registry.select(request.select):
        if isinstance(definition, Source):
            try:
                fingerprint_of(definition, context.locations, version_of=context.reader.version)
            except SourceError as error:
                errors.append(error)
            except NeedsSpark:
                continue
    return tuple(errors)


def unchanged_without_spark(context: PlanContext, request: Request, *, now: datetime, run_id: str) -> RunOutcome | None:
    """The outcome of a build that has nothing to do; None where Spark is needed: for work, or to recover the ledger."""
    begun = time.monotonic()
    selected = context.registry.select(request.select)
    refuse_future(now, selected, request)
    ledger = context.ledger()
    if ledger.unended or context.unrecorded(ledger):
        return None
    state = context.state(ledger)
    refuse_changed_meaning(context.registry, state.published)
    outcome = RunOutcome(run_id=run_id, command=request.command, as_of=request.as_of, steps=(), seconds=0.0)
    done = unchanged_run(state, selected, request, outcome, context.latest_release, begun)
    if done is not None:
        record_looks(context.warehouse, selected, now)
    return done


def _plan(state: PlanState, request: Request, now: datetime, *, unended: int, unrecorded: Sequence[str]) -> Plan:
    selected = state.registry.select(request.select)
    refuse_future(now, selected, request)
    refuse_changed_meaning(state.registry, state.published)
    notes = (*_notes(unended, len(unrecorded)), *stale_notes(state, selected, request))
    return plan(state, selected, request, notes=notes, unrecorded=unrecorded)


def _notes(unended: int, unrecorded: int) -> tuple[str, ...]:
    if not unended and not unrecorded:
        return ()
    runs = f"{unended} run(s) have not ended" if unended else f"{unrecorded} table(s) have commits not in the ledger"
    return (f"{runs}: a build records those first, and may have more or less to do than this",)
