"""Try a definition that is not published yet: computed from published upstream on a sample, nothing written."""

from collections.abc import Callable, Mapping
from typing import Any

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from compute.cross import compare
from compute.lookups import LookedUp
from compute.rows import derive
from compute.windows import snapshots
from definitions.durations import day_or_instant
from definitions.errors import SourceError
from definitions.registry import key_of
from definitions.views import AggregateView, CrossEntityView, Definition, DerivedView
from jobs.build.derived import derivation_failure, look_up_tasks, rows_of
from jobs.build.preconditions import zones_below
from jobs.build.snapshots import aggregation_failure, comparison_failure, cross_tasks
from jobs.run.context import Context, Job
from jobs.run.published import PublishedState
from kernels.operations.sum import SumOverflow
from lakehouse.ledger.ledger import Ledger
from lakehouse.session.zone_data import require_zones
from temporal.instants import instant


def preview(context: Context, view: Definition, as_of_us: int, *, sample: float) -> DataFrame:
    """The view's rows of T on a share of its entities (derived: of its rows), the same ones in every call.

    Sampling is by a hash of the join keys: whole entities, so that every value is what it would be when published.
    Raises ExpressionFailed, SumOverflow or SourceError where a value can't be computed. Cost: the rows are computed
    once to see that, and again when the frame is evaluated.
    """
    require_zones(context.spark, zones_below([view]))
    job = Job(
        context=context,
        run_id="preview",
        leases={},
        published=PublishedState(Ledger.open(context.spark, context.warehouse).state()),
    )
    return _PREVIEWS[type(view)](job, view, as_of_us, sample)


def _derived(job: Job, view: DerivedView, as_of_us: int, sample: float) -> DataFrame:
    keys = view.root.identity or tuple(column.name for column in view.root.columns)
    facts = _sampled(rows_of(job, view.source, cut_us=as_of_us + view.landing_delay_us), keys, sample)
    lookups = [
        LookedUp(lookup, rows_of(job, lookup.source, cut_us=as_of_us), lookup.source.is_static)
        for lookup in view.lookups
    ]
    facts = facts.where(F.col("event_time") < instant(as_of_us))
    tasks = look_up_tasks(job.context, job.published, view)
    return _evaluated(
        lambda: derive(facts, lookups, view, partitions=tasks).drop("superseded_at"),
        lambda error: derivation_failure(error, view, facts, lookups),
    )


def _aggregate(job: Job, view: AggregateView, as_of_us: int, sample: float) -> DataFrame:
    facts = _sampled(rows_of(job, view.source, cut_us=as_of_us + view.cut_delay_us), view.entity.key_names, sample)
    facts = facts.where(F.col("event_time") < instant(as_of_us))
    return _evaluated(
        lambda: snapshots(facts, view, [as_of_us], partitions=4),
        lambda error: aggregation_failure(error, view, facts, [as_of_us]),
    )


def _cross_entity(job: Job, view: CrossEntityView, as_of_us: int, sample: float) -> DataFrame:
    # A comparison needs the whole group, so only its result is sampled.
    membership = rows_of(job, view.group.source, cut_us=as_of_us) if view.group.source else None
    tasks = cross_tasks(job, job.published.rows(key_of(view.of), day_or_instant(as_of_us)))
    rows = _aggregate(job, view.of, as_of_us, 1.0)
    compared = _evaluated(
        lambda: compare(rows, membership, view, tasks=tasks),
        lambda error: comparison_failure(error, view, rows, membership),
    )
    return _sampled(compared, view.key_names, sample)


def _evaluated(frame: Callable[[], DataFrame], explain: Callable[[BaseException], SourceError | None]) -> DataFrame:
    """The frame, evaluated once: what can't be computed is found here, and not when the caller looks at the rows."""
    try:
        computed = frame()
        computed.write.format("noop").mode("overwrite").save()
    except (SumOverflow, PySparkException, Py4JError) as error:
        failure = explain(error)
        if failure is None:
            raise
        raise failure from error
    return computed


_PREVIEWS: Mapping[type[Definition], Callable[[Job, Any, int, float], DataFrame]] = {
    DerivedView: _derived,
    AggregateView: _aggregate,
    CrossEntityView: _cross_entity,
}


def _sampled(frame: DataFrame, keys: tuple[str, ...], share: float) -> DataFrame:
    return frame if share >= 1 else frame.where(F.pmod(F.xxhash64(*keys), F.lit(10_000)) < int(share * 10_000))
