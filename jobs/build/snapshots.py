"""Build aggregate and cross-entity views: one slice per as-of instant, many of them in one plan."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from compute.cross import compare
from compute.cross import probes as comparison_probes
from compute.failures import explained, is_data_failure, sum_overflow
from compute.windows import probes, snapshots
from definitions.durations import day_or_instant, to_us
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
        failure = aggregation_failure(error, view, facts, as_ofs_us)
        if failure is None:
            raise
        raise failure from error


def aggregation_failure(
    error: BaseException, view: AggregateView, facts: DataFrame, as_ofs_us: Sequence[int]
) -> SourceError | None:
    """The error to raise where aggregating these facts failed on a value; None where it failed otherwise."""
    overflow = sum_overflow(error, view.aggregations, where=view.where)
    if overflow is not None or not is_data_failure(error):
        return overflow
    keys = tuple(dict.fromkeys((*view.entity.key_names, *view.root.identity)))
    return explained(probes(facts, view, as_ofs_us), where=view.where, keys=keys)


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
        failure = comparison_failure(error, view, rows, membership)
        if failure is None:
            raise
        raise failure from error


def comparison_failure(
    error: BaseException, view: CrossEntityView, rows: DataFrame, membership: DataFrame | None
) -> SourceError | None:
    """The error to raise where comparing these rows failed on a value; None where it failed otherwise."""
    if not is_data_failure(error):
        return None
    keys = (*view.entity.key_names, "event_time")
    return explained(comparison_probes(rows, membership, view), where=view.where, keys=keys)


def cross_tasks(job: Job, rows: int) -> int:
    """How many tasks put the rows of one T in order; rows of several T share no group."""
    return max(1, -(-rows // job.context.options.facts_per_task))


def _publish(job: Job, view: Snapshot, step: PlannedStep, frame: DataFrame, *, rows_in: int | None) -> StepOutcome:
    keys = view.entity.key_names
    names = [feature.name for feature in view.published]
    late = published_late(job, view, step.slices_us)
    state = step.state
    if late and state.view:
        state = replace(
            state, view=replace(state.view, published_us={day_or_instant(us): at for us, at in late.items()})
        )
    frame = _published_at(stamped(job, view, frame), late).select(
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
            state=state,
            inputs=step.inputs,
            rows_in=rows_in,
        ),
    )


def published_late(job: Job, view: Snapshot, as_ofs_us: Sequence[int]) -> dict[int, int]:
    """When these as-ofs were published, or are now by a live run, where that is later than T + d.

    An as-of keeps the instant of its first publication, whichever run builds it again: a label never sees a snapshot
    before it was there.
    """
    found: dict[int, int] = {}
    for us in as_ofs_us:
        name = day_or_instant(us)
        known = job.published.state(key_of(view), name)
        at_us = known.view.published_us.get(name, 0) if known.view else 0
        if not known.is_known and job.context.options.is_live:
            at_us = to_us(job.context.clock())
        if at_us > us + view.publish_delay_us:
            found[us] = at_us
    return found


def _published_at(frame: DataFrame, late: Mapping[int, int]) -> DataFrame:
    if not late:
        return frame
    instants = F.create_map(*[F.lit(us).cast("bigint") for pair in late.items() for us in pair])
    at = F.timestamp_micros(F.try_element_at(instants, F.unix_micros("event_time")))
    return frame.withColumn("available_time", F.coalesce(at, F.col("available_time")))


def stamped(job: Job, view: Snapshot, frame: DataFrame) -> DataFrame:
    """S11: T as event_time, K = T + c as known_at, T + d as available_time."""

    def after(delay_us: int) -> Column:
        return F.timestamp_micros(F.unix_micros("event_time") + F.lit(delay_us))

    return (
        frame.withColumn("known_at", after(view.cut_delay_us))
        .withColumn("available_time", after(view.publish_delay_us))
        .withColumn("superseded_at", F.lit(None).cast("timestamp"))
        .withColumn("event_date", F.to_date("event_time"))
    )
