"""Build aggregate and cross-entity views: one slice per as-of instant, many of them in one plan."""

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from compute.cross import compare
from compute.cross import probes as comparison_probes
from compute.failures import explained, is_data_failure, sum_overflow
from compute.windows import probes, snapshots
from definitions.durations import to_us
from definitions.errors import SourceError
from definitions.registry import key_of
from definitions.views import AggregateView, CrossEntityView, Snapshot
from jobs.build.derived import rows_of
from jobs.build.plan import PlannedStep
from jobs.build.publish import Draft, Replaces, stage_audit_publish
from jobs.build.small import is_small
from jobs.run.context import Job
from jobs.run.outcome import StepOutcome
from kernels.operations.sum import SumOverflow
from lakehouse.small_tables import read_rows
from temporal.instants import instant


def build_aggregate(job: Job, view: AggregateView, step: PlannedStep) -> StepOutcome:
    """The step's as-ofs, from the facts known at each one's cut."""
    as_ofs_us = step.slices_us
    partitions = 0 if is_small(job, step.inputs, slices=as_ofs_us) else tasks(job, view)
    facts = facts_of(job, view, max(as_ofs_us))
    try:
        frame = snapshots(facts, view, as_ofs_us, partitions=partitions)
        return _publish(job, view, step, frame, rows_in=step.rows)
    except (SumOverflow, PySparkException, Py4JError) as error:  # the first in this process, where the facts are few
        failure: SourceError | None = sum_overflow(error, view.aggregations, where=view.where)
        if failure is None and is_data_failure(error):
            keys = tuple(dict.fromkeys((*view.entity.key_names, *view.root.identity)))
            failure = explained(probes(facts, view, as_ofs_us), where=view.where, keys=keys)
        if failure is None:
            raise
        raise failure from error


def facts_of(job: Job, view: AggregateView, last_us: int) -> DataFrame:
    """What snapshots up to that as-of may read: what happened before it and was known at its cut."""
    known = rows_of(job, view.source, cut_us=last_us + view.cut_delay_us)
    return known.where(F.col("event_time") < instant(last_us))


def tasks(job: Job, view: AggregateView) -> int:
    """How many tasks share the view's facts: each holds its part in memory."""
    return max(2, -(-job.published.rows(key_of(view.source)) // job.context.options.facts_per_task))


def build_cross_entity(job: Job, view: CrossEntityView, step: PlannedStep) -> StepOutcome:
    """The step's as-ofs, from the compared view's rows of the same T and cut, never older ones (S13)."""
    as_ofs_us, of = step.slices_us, key_of(view.of)
    rows = read_rows(job.context.spark, job.context.warehouse.address(of).path, version=job.published.version(of))
    rows = rows.where(F.col("event_time").isin([instant(us) for us in as_ofs_us]) & F.col("superseded_at").isNull())
    membership = rows_of(job, view.group.source, cut_us=max(as_ofs_us)) if view.group.source else None
    try:
        frame = compare(rows, membership, view, tasks=cross_tasks(job, (step.rows or 0) // len(as_ofs_us)))
        return _publish(job, view, step, frame, rows_in=None)
    except (PySparkException, Py4JError) as error:
        keys = (*view.entity.key_names, "event_time")
        is_ours = is_data_failure(error)
        failure = explained(comparison_probes(rows, membership, view), where=view.where, keys=keys) if is_ours else None
        if failure is None:
            raise
        raise failure from error


def cross_tasks(job: Job, rows: int) -> int:
    """How many tasks put the rows of one T in order; rows of several T share no group."""
    return max(1, -(-rows // job.context.options.facts_per_task))


def _publish(job: Job, view: Snapshot, step: PlannedStep, frame: DataFrame, *, rows_in: int | None) -> StepOutcome:
    keys = view.entity.key_names
    names = [feature.name for feature in view.published]
    frame = stamped(job, view, frame).select(
        *keys, "event_time", "known_at", "available_time", "superseded_at", *names, "event_date"
    )
    return stage_audit_publish(
        job,
        Draft(
            view=view,
            frame=frame,
            keys=[*keys, "known_at"],  # S12: a restated row has the entity and T of the row it supersedes
            columns=[*keys, "event_time", "known_at", "available_time", *names],
            slices=step.slices_us,
            slice_of=F.unix_micros("event_time"),
            replaces=Replaces("event_time"),
            state=step.state,
            inputs=step.inputs,
            rows_in=rows_in,
        ),
    )


def stamped(job: Job, view: Snapshot, frame: DataFrame) -> DataFrame:
    """S11.

    T as event_time, K = T + c as known_at, T + d as available_time, or the instant of a later live publication.
    """

    def after(delay_us: int) -> Column:
        return F.timestamp_micros(F.unix_micros("event_time") + F.lit(delay_us))

    available = after(view.publish_delay_us)
    if job.context.options.is_live:
        available = F.greatest(available, instant(to_us(job.context.clock())))
    return (
        frame.withColumn("known_at", after(view.cut_delay_us))
        .withColumn("available_time", available)
        .withColumn("superseded_at", F.lit(None).cast("timestamp"))
        .withColumn("event_date", F.to_date("event_time"))
    )
