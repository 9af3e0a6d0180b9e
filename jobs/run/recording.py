"""What a run leaves in the ledger: its steps and slices in one append, then the release of what belongs together."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from definitions.errors import ZigguratError
from jobs.run.context import Context, Job
from jobs.run.outcome import RunOutcome, Status, StepOutcome
from lakehouse.commit_notes import CommitNote, SliceNote
from lakehouse.leases.leases import LeaseDesk
from lakehouse.ledger.ledger import Ledger
from lakehouse.ledger.records import PUBLISHED, Run, StepRecord
from lakehouse.small_tables import append_rows
from lakehouse.tables import remove
from quality.profile_table import ProfiledSlices, profile_rows

_WAIT_SECONDS = 120  # for another run that writes its profiles


def record(ledger: Ledger, run: Run, job: Job, outcome: RunOutcome) -> RunOutcome:
    """The outcome with its release. Rejected rows stay in staging for inspection; all else there goes.

    The profiles of what was published are written beside the ledger, at the same time, as both are small.
    """
    if not any(step.failed_slices for step in outcome.steps):
        remove(job.context.warehouse.staging_of(run.run_id))
    with ThreadPoolExecutor(1, thread_name_prefix="profiles") as beside:
        profiles = beside.submit(_keep_profiles, job.context, run.run_id, outcome)
        ledger.finish(
            run,
            steps=[step_record(step) for step in outcome.steps],
            slices=[piece for step in outcome.steps for piece in step.slices],
            status="failed" if outcome.error else "ended",
            detail={"seconds": round(outcome.seconds, 1)},
        )
        released = replace(outcome, release=_release(ledger, run, job, outcome))
        profiles.result()
    return released


def _release(ledger: Ledger, run: Run, job: Job, outcome: RunOutcome) -> int | None:
    if not any(step.status is Status.PUBLISHED for step in outcome.steps):
        latest = ledger.latest_release()
        if job.published.is_released_as(latest):
            return latest.release_id if latest else None
    return ledger.release(run.run_id, job.published.versions(), as_of=job.published.as_ofs()).release_id


def _keep_profiles(context: Context, run_id: str, outcome: RunOutcome) -> None:
    """Append the profiles of the slices that this run published, in one commit; none for a run that published none.

    The features are published already, so a failure is a note and fails nothing.
    """
    rows = profile_rows(run_id, [_profiled(step) for step in outcome.steps])
    if not rows.num_rows:
        return
    table = context.warehouse.profiles
    try:
        desk = LeaseDesk.at(context.warehouse.leases, run_id=run_id)
        with desk.acquire(table.key, wait_seconds=_WAIT_SECONDS) as lease:
            note = CommitNote(run_id, table.key, "", slices={run_id: SliceNote(rows.num_rows, "")})
            append_rows(context.spark, rows, table, partition_by=[], lease=lease, note=note)
    except (ZigguratError, PySparkException, Py4JError) as error:
        context.listener.note(f"the profiles of this run were not kept: {str(error).splitlines()[0]}")


def _profiled(step: StepOutcome) -> ProfiledSlices:
    published = {piece.slice: piece.table_version for piece in step.slices if piece.status == PUBLISHED}
    return ProfiledSlices(step.table, published, step.profile)


def step_record(step: StepOutcome) -> StepRecord:
    """A step as the ledger keeps it."""
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
