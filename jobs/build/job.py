"""The main job: bring every selected table up to the as-ofs, independent ones side by side, in one run."""

import time
from dataclasses import replace

from definitions.registry import key_of
from jobs.build.idle import unchanged_run
from jobs.build.looks import record_looks
from jobs.build.preconditions import refuse_changed_meaning, refuse_future, zones_read
from jobs.build.scheduler import Scheduler, plan_state
from jobs.build.stale import stale_notes
from jobs.build.statistics.of_build import BuildStatistics
from jobs.run.context import Context, Job
from jobs.run.memory import watch_memory
from jobs.run.outcome import RunOutcome
from jobs.run.published import PublishedState
from jobs.run.recording import record
from jobs.run.request import Request
from lakehouse.leases.leases import LeaseDesk
from lakehouse.ledger.ledger import Ledger
from lakehouse.ledger.records import Run
from lakehouse.session.zone_data import require_zones
from lakehouse.tables import remove
from quality import preload


def build(context: Context, request: Request) -> RunOutcome:
    """Build what is missing and publish what passes; a finished as-of changes nothing and writes nothing (S28).

    Raises before anything is written: DefinitionChanged, UsageError for an as-of in the future, LeaseHeld. What goes
    wrong inside a step is that step's outcome, and blocks only what reads it.
    """
    begun = time.monotonic()
    selected = context.registry.select(request.select)
    refuse_future(context.clock(), selected, request)
    ledger = _recovered(context)
    published = PublishedState(ledger.state())
    refuse_changed_meaning(context.registry, published)
    run = _run(context, request)
    context = context.in_run(run.run_id)
    outcome = RunOutcome(run_id=run.run_id, command=request.command, as_of=request.as_of, steps=(), seconds=0.0)
    dry = Job(context=context, run_id=run.run_id, leases={}, published=published)
    statistics = BuildStatistics(dry)
    looked_at = context.clock()
    if done := unchanged_run(
        plan_state(dry, before=statistics), selected, request, outcome, ledger.latest_release, begun
    ):
        record_looks(context.warehouse, selected, looked_at)
        return done
    require_zones(context.spark, zones_read(selected))
    preload()
    watch_memory()
    desk = LeaseDesk.at(context.warehouse.leases, run_id=run.run_id)
    with desk.acquire_all([key_of(definition) for definition in selected]) as leases:
        ledger.start(run)
        # Read again: another run may have published before this one held its leases.
        job = Job(context=context, run_id=run.run_id, leases=leases, published=PublishedState(ledger.state()))
        state = plan_state(job, before=statistics)
        steps = Scheduler(job, state, selected, request, begun).run()
        notes = stale_notes(state, selected, request)
        ended = replace(outcome, steps=steps, seconds=time.monotonic() - begun, notes=notes)
        return record(ledger, run, job, ended)


def _recovered(context: Context) -> Ledger:
    """The ledger, after what runs that were cut short had published was added to it."""
    ledger = Ledger.open(context.spark, context.warehouse)
    killed = ledger.recover().killed_runs
    for run_id in killed:
        remove(context.warehouse.staging_of(run_id))
    if killed:
        context.listener.note(
            f"found {len(killed)} run(s) that were cut short; what they had published is in the ledger now"
        )
    return ledger


def _run(context: Context, request: Request) -> Run:
    run_id = context.new_run_id()
    detail = {
        "command": request.command,
        "as_of": list(request.as_of),
        "select": list(request.select),
        "definitions": context.registry.package,
    }
    return Run(run_id, request.verb, detail)
