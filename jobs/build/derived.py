"""Build a derived view: the partitions that hold facts of a new as-of or a new load, whole."""

from collections.abc import Mapping, Sequence

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from compute.duplicates import refusal
from compute.failures import explained, is_data_failure
from compute.lookups import FEWEST, LookedUp
from compute.rows import derive, probes
from definitions.durations import instant_us
from definitions.errors import SourceError
from definitions.registry import key_of
from definitions.sources import Source
from definitions.views import DerivedView, Lookup
from jobs.build.plan import PlannedStep
from jobs.build.publish import Draft, Replaces, stage_audit_publish
from jobs.build.staleness import is_regular
from jobs.run.context import Context, Job
from jobs.run.outcome import StepOutcome
from jobs.run.published import PublishedState
from lakehouse.small_tables import read_rows
from lakehouse.writer import MOST_ROWS
from temporal.instants import event_date, instant
from temporal.order import current_rows
from temporal.versions import as_known_at, with_superseded_at

MANY = 4  # so many times as many facts as rows: leaving out those that no row asks for pays for itself
NARROW = 5  # so many facts of a look-up, its keys and clocks and what is taken, are as large as one for windows


def rows_of(job: Job, source: Source | DerivedView, *, cut_us: int) -> DataFrame:
    """A source's or derived view's facts known at the cut, with `superseded_at`, at the version that the run knows."""
    table = key_of(source)
    rows = read_rows(job.context.spark, job.context.warehouse.address(table).path, version=job.published.version(table))
    if not source.is_delivered:
        return as_known_at(rows, cut_us)
    has_versions = job.published.newest(table).has_versions
    if source.is_static:
        return current_rows(rows, source.root, has_versions=has_versions)
    return with_superseded_at(
        rows.where(F.col("available_time") <= instant(cut_us)), source.root, has_versions=has_versions
    )


def looked_up(job: Job, view: DerivedView, lookup: Lookup, *, cut_us: int, rows: int | None = None) -> LookedUp:
    """A view's look-up with the facts that were known at the cut. rows: how many look up, if that is known."""
    are_many = rows is not None and job.published.rows(key_of(lookup.source)) > MANY * rows
    return LookedUp(
        lookup,
        rows_of(job, lookup.source, cut_us=cut_us),
        is_regular(job.published, view, lookup),
        are_few=are_few(job.context, job.published, lookup),
        asking=rows if are_many else None,
    )


def are_few(context: Context, published: PublishedState, lookup: Lookup) -> bool:
    """Whether every task may hold all facts of a look-up: keys, clocks and what is taken."""
    return published.rows(key_of(lookup.source)) <= NARROW * context.options.facts_per_task


def look_up_tasks(context: Context, published: PublishedState, view: DerivedView, *, rows: int | None = None) -> int:
    """How many tasks share the rows to derive, by default all, and the facts of a look-up; 0 if they are few."""
    tables = [key_of(view.source), *(key_of(given.source) for given in view.lookups if not given.source.is_static)]
    if sum(map(published.rows, tables)) <= MOST_ROWS:
        return 0
    rows = published.rows(tables[0]) if rows is None else rows
    most = rows + max(map(published.rows, tables[1:]), default=0)
    return max(FEWEST, -(-most // context.options.facts_per_task))


def build_derived(job: Job, view: DerivedView, step: PlannedStep) -> StepOutcome:
    """The step's partitions, whole: the facts with event_time < T that were known at the cut, with their look-ups."""
    facts, lookups = _inputs(job, view, step)
    try:
        return stage_audit_publish(job, _draft(job, view, step, facts, lookups))
    except (PySparkException, Py4JError) as error:
        failure = derivation_failure(error, view, facts, lookups)
        if failure is None:
            raise
        raise failure from error


def derivation_failure(
    error: BaseException, view: DerivedView, facts: DataFrame, lookups: Sequence[LookedUp]
) -> SourceError | None:
    """The error to raise where deriving these facts failed on a value of theirs; None where it failed otherwise."""
    if isinstance(error, PySparkException) and (refused := refusal(error)) is not None:
        return type(refused)(f"{view.where}: {refused}")
    if not is_data_failure(error):
        return None
    keys = view.root.identity or tuple(name for name in view.root.schema if name in ("event_time", "available_time"))
    return explained(probes(facts, lookups, view), where=view.where, keys=keys)


def _inputs(job: Job, view: DerivedView, step: PlannedStep) -> tuple[DataFrame, list[LookedUp]]:
    """The facts of the step's partitions as they were known at the cut, and what they look up."""
    as_of_us = step.state.built_to_us or 0
    cut_us = step.state.known_to_us or 0
    facts = rows_of(job, view.source, cut_us=cut_us).where(F.col("event_time") < instant(as_of_us))
    partitions = [F.lit(date).cast("date") for date in step.partitions]
    facts = facts.withColumn("event_date", event_date(view.root.partition_by)).where(
        F.col("event_date").isin(partitions)
    )
    return facts, [looked_up(job, view, lookup, cut_us=cut_us, rows=step.rows) for lookup in view.lookups]


def _draft(job: Job, view: DerivedView, step: PlannedStep, facts: DataFrame, lookups: Sequence[LookedUp]) -> Draft:
    rows_expected = _rows_expected(job, view, step, facts)
    rows = derive(facts, lookups, view, partitions=look_up_tasks(job.context, job.published, view, rows=step.rows))
    frame = rows.withColumn("event_date", event_date(view.root.partition_by))
    has_exact_counts = all(given.is_regular or given.lookup.source.is_static for given in lookups)
    return Draft(
        view=view,
        frame=frame,
        keys=[*view.root.identity, "available_time"] if view.root.identity else [],
        columns=[*view.schema, "superseded_at"],
        slices=step.slices_us,
        slice_of=F.unix_micros(F.col("event_date").cast("timestamp")),
        replaces=Replaces("event_date"),
        state=step.state,
        state_if_partial=step.state_if_partial,
        inputs=step.inputs,
        rows_in=step.rows,
        rows_expected=rows_expected if has_exact_counts else {},
    )


def _rows_expected(job: Job, view: DerivedView, step: PlannedStep, facts: DataFrame) -> Mapping[int, int]:
    """How many facts each partition has: as the plan counted raw's rows, where each of them is a fact."""
    has_versions = job.published.newest(key_of(view.root)).has_versions and view.root.identity
    if view.source.is_delivered and not view.root.retraction and not has_versions:
        return step.slice_rows
    counts = facts.groupBy("event_date").count().collect()
    return {instant_us(row["event_date"].isoformat()): row["count"] for row in counts}
