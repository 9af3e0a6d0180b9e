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
    if not any(step.status is Status.PUBLISHED for step in outcome.steps) and is_released(ledger, job):
        return replace(outcome, release=release_id(ledger))
    release = ledger.release(run.run_id, job.published.versions(), as_of=_as_ofs(job))
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
            **{key: value for key, value in step.detail.items() if key != "columns"},
        },
    )


def is_released(ledger: Ledger, job: Job) -> bool:
    """False when the tables moved on since the last release: their run was killed before it could name them."""
    versions = job.published.versions()
    latest = ledger.latest_release()
    if latest is None or not versions:
        return not versions
    named = {table: view["version"] for table, view in latest.views.items()}
    return (named, list(latest.as_of)) == (versions, _as_ofs(job))


def release_id(ledger: Ledger) -> int | None:
    latest = ledger.latest_release()
    return latest.release_id if latest else None


def _as_ofs(job: Job) -> list[str]:
    snapshots = [key for key in job.published.versions() if not key.startswith(("raw/", "derived/"))]
    return sorted({name for key in snapshots for name in job.published.slices(key)})
