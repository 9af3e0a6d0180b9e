"""Stage, audit, publish: every view above raw is written so, in whole slices (S30)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa
from pyspark.sql import Column, DataFrame

from definitions.durations import day_or_instant, to_datetime
from definitions.registry import key_of
from definitions.versions import fingerprints, meaning_of
from definitions.views import View
from jobs.build.small import collected, is_small
from jobs.run.context import Job
from jobs.run.outcome import Status, StepOutcome
from kernels.content_hash import NO_ROWS, ContentHash
from lakehouse.commit_notes import CommitNote, SliceNote
from lakehouse.commits import Published, replace_slices, stage
from lakehouse.ledger.records import PUBLISHED, UNCHANGED, SliceRecord
from lakehouse.slices import WholeSlices
from lakehouse.small_tables import replace_slices_by_rows
from lakehouse.table_state import TableState
from lakehouse.tables import read, remove
from quality import Bounds, Outcome, SliceFacts, Verdict, judge, refusal
from quality.errors import MENTIONED
from quality.measure import SLICE, KeyCounts, Measured, measure, measure_table
from quality.verdicts import first


@dataclass(frozen=True, kw_only=True)
class Draft:
    """Rows to publish. A slice is an as-of instant or a partition's first day, in µs (`slice_of`).

    `replaces` names what the slices replace in the table; rows_expected: exact counts, where known.
    `state` is recorded with the commit; `state_if_partial` instead of it when some slices failed their gate.
    """

    view: View
    frame: DataFrame
    keys: Sequence[str]
    columns: Sequence[str]
    slices: Sequence[int]
    slice_of: Column
    replaces: "Replaces"
    state: TableState
    state_if_partial: TableState | None = None
    inputs: Mapping[str, int]
    rows_in: int | None = None
    rows_expected: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Replaces:
    """Which column names a slice: the instant, or the partition's day."""

    column: str

    def whole(self, slices: Sequence[int]) -> WholeSlices:
        instants = [to_datetime(us) for us in slices]
        return WholeSlices.of_instants(instants) if self.column == "event_time" else WholeSlices.of_days(instants)


def stage_audit_publish(job: Job, draft: Draft) -> StepOutcome:
    """One commit with the slices that passed and differ from what is published; the others stay as they are."""
    table = key_of(draft.view)
    staging = job.context.warehouse.staging(job.run_id, draft.view.name)
    rows, measured = _measured(job, draft, staging)
    _doing(job, table, "judging")
    verdicts = _judge(job, draft, measured)
    passed = [us for us in draft.slices if verdicts[day_or_instant(us)].outcome is Outcome.PASSED]
    if len(passed) < len(draft.slices):
        draft = replace(draft, state=draft.state_if_partial or draft.state)
    changed = [us for us in passed if not _is_published(job, draft, us, measured)]
    if not job.published.newest(table).is_known:
        changed = passed  # slices without rows, too: the table is there then, and rows of others are not
    published = _publish(job, draft, rows, changed, measured) if changed else None
    outcome = _outcome(job, draft, measured, verdicts, passed, changed, published)
    if outcome.error is None:
        remove(staging)
    elif isinstance(rows, pa.Table):
        stage(job.context.spark.createDataFrame(rows), staging, partition_by=[])  # only to be looked at
    return outcome


def _measured(job: Job, draft: Draft, staging: str) -> tuple[DataFrame | pa.Table, Measured]:
    """The rows as they will be published, whatever happens to their sources now, and what was measured of them."""
    table = key_of(draft.view)
    columns = {"keys": draft.keys, "profiled": [f.name for f in draft.view.published], "hashed": draft.columns}
    _doing(job, table, "computing")
    if is_small(job, draft.inputs, slices=draft.slices):
        sliced = draft.frame.withColumn(SLICE, draft.slice_of)
        rows = collected(sliced, draft.view.name)
        if rows is not None:
            return rows.drop([SLICE]), measure_table(rows, **columns)
    staged = stage(draft.frame, staging, partition_by=[])
    frame = read(job.context.spark, staged.path, version=staged.version)
    _doing(job, table, "measuring")
    return frame, measure(frame.withColumn(SLICE, draft.slice_of), **columns)


def _judge(job: Job, draft: Draft, measured: Measured) -> dict[str, Verdict]:
    bounds = [
        Bounds(
            f.name,
            at_least=f.limits.at_least,
            at_most=f.limits.at_most,
            max_null_share=f.limits.max_null_share,
        )
        for f in draft.view.published
    ]
    profile = measured.profile.assign(slice=[day_or_instant(us) for us in measured.profile["slice"]])
    facts = [_facts(job, draft, us, measured) for us in draft.slices]
    table, row_rule = key_of(draft.view), job.context.options.row_rule
    # A partition of facts may be left empty by corrections; a snapshot that is empty fails its gate (D19).
    empty = [] if draft.view.is_snapshot else [piece for piece in facts if not (piece.rows or piece.rows_expected)]
    judged = [piece for piece in facts if piece not in empty]
    verdicts = judge(table, profile, slices=judged, bounds=bounds, row_rule=row_rule) if judged else {}
    return verdicts | {piece.slice: _empty_verdict(table, piece.slice) for piece in empty}


def _empty_verdict(table: str, name: str) -> Verdict:
    return Verdict(name, Outcome.PASSED, failures=(), checks=0, message=f"{table} {name}: no rows are left")


def _facts(job: Job, draft: Draft, us: int, measured: Measured) -> SliceFacts:
    counts = measured.keys.get(us, KeyCounts())
    return SliceFacts(
        day_or_instant(us),
        _rows(measured, us),
        counts.duplicates,
        counts.nulls,
        _rows_before(job, draft, us, measured),
        draft.rows_expected.get(us),
    )


def _rows_before(job: Job, draft: Draft, us: int, measured: Measured) -> int | None:
    """Rows of the snapshot before, from this run or as published. Partitions of a derived view grow on their own."""
    if not draft.view.is_snapshot:
        return None
    table = key_of(draft.view)
    here = [other for other in draft.slices if other < us]
    there = [name for name in job.published.slices(table) if name < day_or_instant(us)]
    if here and (not there or day_or_instant(max(here)) >= max(there)):
        return _rows(measured, max(here))
    return job.published.rows(table, max(there)) if there else None


def _rows(measured: Measured, us: int) -> int:
    return _hash(measured, us).rows


def _hash(measured: Measured, us: int) -> ContentHash:
    return measured.hashes.get(us, NO_ROWS)


def _is_published(job: Job, draft: Draft, us: int, measured: Measured) -> bool:
    table, name = key_of(draft.view), day_or_instant(us)
    if not _rows(measured, us) and not job.published.rows(table, name):
        return True
    same_columns = job.published.state(table, name).columns == fingerprints(draft.view)
    return same_columns and job.published.hash(table, name) == _hash(measured, us).hex


def _publish(
    job: Job, draft: Draft, rows: DataFrame | pa.Table, changed: Sequence[int], measured: Measured
) -> Published:
    table = job.context.warehouse.address(key_of(draft.view))
    _doing(job, table.key, "publishing")
    notes = {day_or_instant(us): SliceNote(_rows(measured, us), _hash(measured, us).hex) for us in changed}
    note = CommitNote(
        run_id=job.run_id,
        view=table.key,
        fingerprint=meaning_of(draft.view),
        inputs=draft.inputs,
        slices=notes,
        extra=draft.state.to_json(),
    )
    replaces, spark, lease, keys = draft.replaces.whole(changed), job.context.spark, job.leases[table.key], draft.keys
    if isinstance(rows, pa.Table):
        inside = replaces.rows_of(rows)
        return replace_slices_by_rows(spark, inside, table, replaces=replaces, sort_by=keys, lease=lease, note=note)
    return replace_slices(
        spark,
        rows.where(replaces.predicate),
        table,
        predicate=replaces.predicate,
        partition_by=["event_date"],
        sort_by=keys,
        lease=lease,
        note=note,
    )


def _outcome(
    job: Job,
    draft: Draft,
    measured: Measured,
    verdicts: Mapping[str, Verdict],
    passed: Sequence[int],
    changed: Sequence[int],
    published: Published | None,
) -> StepOutcome:
    table = key_of(draft.view)
    version = published.version if published else job.published.version(table)
    records = tuple(
        SliceRecord(
            table,
            day_or_instant(us),
            PUBLISHED if us in changed else UNCHANGED,
            _rows(measured, us),
            _hash(measured, us).hex,
            version,
            inputs=draft.inputs,
            state=draft.state,
        )
        for us in passed
    )
    error = refusal(
        table,
        verdicts,
        kept_at=job.context.warehouse.staging(job.run_id, draft.view.name),
        has_published=bool(job.published.slices(table)),
    )
    status = Status.PUBLISHED if published else Status.UNCHANGED
    if error is not None:
        status = (
            Status.FAILED if any(v.outcome is Outcome.FAILED for v in verdicts.values()) else Status.COULD_NOT_CHECK
        )
    return StepOutcome(
        table=table,
        status=status,
        rows_in=draft.rows_in,
        rows_out=sum(_rows(measured, us) for us in changed),
        version=version,
        error=error,
        message=str(error) if error else _passed(list(verdicts.values())),
        slices=records,
        failed_slices=frozenset(draft.slices) - set(passed),
        profile=measured.profile,
        failures=tuple(f for v in verdicts.values() for f in v.failures),
        detail={
            "checks": sum(v.checks for v in verdicts.values()),
            "slices": len(draft.slices),
            "changed": len(changed),
        },
    )


def _passed(verdicts: Sequence[Verdict]) -> str:
    """How many checks passed, and the features of which no slice has a value, so that their bounds judged nothing."""
    passed = f"{sum(verdict.checks for verdict in verdicts):,} checks passed"
    without = [set(verdict.unjudged) for verdict in verdicts]
    nowhere = sorted(set.intersection(*without)) if without else []
    if not nowhere:
        return passed
    features = first(nowhere, MENTIONED)
    return f"{passed}; no value at all, so bounds judged nothing: {features}"


def _doing(job: Job, table: str, what: str) -> None:
    job.context.listener.phase(table, what)
