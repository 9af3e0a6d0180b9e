"""Try a definition that is not published yet: computed from published upstream on a sample, nothing written."""

from collections.abc import Callable, Mapping
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from compute.cross import compare
from compute.lookups import LookedUp
from compute.rows import derive
from compute.windows import snapshots
from definitions.durations import day_or_instant
from definitions.registry import key_of
from definitions.views import AggregateView, CrossEntityView, Definition, DerivedView
from jobs.build.derived import look_up_tasks, rows_of
from jobs.build.snapshots import cross_tasks
from jobs.run.context import Context, Job
from jobs.run.published import PublishedState
from lakehouse.ledger.ledger import Ledger
from temporal.instants import instant


def preview(context: Context, view: Definition, as_of_us: int, *, sample: float) -> DataFrame:
    """The view's rows of T on a share of its entities (derived: of its rows), the same ones in every call.

    Sampling is by a hash of the join keys: whole entities, so that every value is what it would be when published.
    """
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
    return derive(facts, lookups, view, partitions=look_up_tasks(job.context, job.published, view)).drop(
        "superseded_at"
    )


def _aggregate(job: Job, view: AggregateView, as_of_us: int, sample: float) -> DataFrame:
    facts = _sampled(rows_of(job, view.source, cut_us=as_of_us + view.cut_delay_us), view.entity.key_names, sample)
    return snapshots(facts.where(F.col("event_time") < instant(as_of_us)), view, [as_of_us], partitions=4)


def _cross_entity(job: Job, view: CrossEntityView, as_of_us: int, sample: float) -> DataFrame:
    # A comparison needs the whole group, so only its result is sampled.
    membership = rows_of(job, view.group.source, cut_us=as_of_us) if view.group.source else None
    tasks = cross_tasks(job, job.published.rows(key_of(view.of), day_or_instant(as_of_us)))
    rows = compare(_aggregate(job, view.of, as_of_us, 1.0), membership, view, tasks=tasks)
    return _sampled(rows, view.key_names, sample)


_PREVIEWS: Mapping[type[Definition], Callable[[Job, Any, int, float], DataFrame]] = {
    DerivedView: _derived,
    AggregateView: _aggregate,
    CrossEntityView: _cross_entity,
}


def _sampled(frame: DataFrame, keys: tuple[str, ...], share: float) -> DataFrame:
    return frame if share >= 1 else frame.where(F.pmod(F.xxhash64(*keys), F.lit(10_000)) < int(share * 10_000))
