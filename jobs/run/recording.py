"""What a run leaves in the ledger: its steps and slices in one append, then the release of what belongs together."""

from dataclasses import replace

from jobs.run.context import Job
from jobs.run.outcome import RunOutcome, Status, StepOutcome
from lakehouse.ledger.ledger import Ledger
from lakehouse.ledger.records import Run, StepRecord
from lakehouse.tables import remove


def record(ledger: Ledger, run: Run, job: Job, outcome: RunOutcome) -> RunOutcome:
    """The outcome with its release. Rejected rows stay in staging for inspection; all else there goes."""
    if not any(step.failed_slices for step in outcome.steps):
        remove(job.context.warehouse.staging_of(run.run_id))
    ledger.finish(
        run,
        steps=[_step(step) for step in outcome.steps],
        slices=[piece for step in outcome.steps for piece in step.slices],
        status="failed" if outcome.error else "ended",
        detail={"seconds": round(outcome.seconds, 1)},
    )
    if not any(step.status is Status.PUBLISHED for step in outcome.steps):
        latest = ledger.latest_release()
        if job.published.is_released_as(latest):
            return replace(outcome, release=latest.release_id if latest else None)
    release = ledger.release(run.run_id, job.published.versions(), as_of=job.published.as_ofs())
    return replace(outcome, release=release.release_id)


def _step(step: StepOutcome) -> StepRecord:
    return StepRecord(
        step.table,
        step.status,
        rows_in=step.rows_in,
        rows_out=step.rows_out,
        seconds=round(step.seconds, 3),
        table_version=step.version,
        detail={
            "message": step.message,
            "quarantined": dict(step.quarantined),
            **step.detail,
        },
    )
