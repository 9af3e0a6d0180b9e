"""Facts of a derived view after its newest as-of, derived from the tables of a release as a build would derive them.

A derived table ends at the as-of that it was built to, and the sources below it do not. Where a label, a batch frame or
an export asks for a later instant, the facts that the table lacks are derived, so that a row sees what was known then.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from compute.lookups import LookedUp
from compute.rows import derive
from definitions.registry import key_of
from definitions.services import FeatureService
from definitions.sources import Source
from definitions.views import Definition, DerivedView
from jobs.build.derived import are_few, derivation_failure, look_up_tasks
from jobs.build.staleness import is_regular
from jobs.inputs.releases import Released, rows_of
from jobs.run.context import Context
from lakehouse.commit_notes import CommitNote
from lakehouse.tables import history
from temporal.instants import instant
from temporal.order import current_rows
from temporal.versions import with_superseded_at


def has_derived(service: FeatureService) -> bool:
    """Whether a service joins facts of a derived view themselves."""
    return any(isinstance(selection.view, DerivedView) for selection in service.features)


def continued_views(
    context: Context, service: FeatureService, released: Released, *, until_us: int | None
) -> dict[str, DerivedView]:
    """The derived views of a service whose table ends before this instant, by table key. None: there is no instant."""
    if until_us is None:
        return {}
    views = {key_of(view): view for selection in service.features if isinstance(view := selection.view, DerivedView)}
    return {key: view for key, view in views.items() if _ends_before(context, view, released, until_us)}


def _ends_before(context: Context, view: DerivedView, released: Released, until_us: int) -> bool:
    end_us = built_to_us(context, view, released)
    return until_us > end_us or (view.includes_label_instant and until_us == end_us)


def continued_rows(context: Context, views: Mapping[str, DerivedView], released: Released) -> dict[str, DataFrame]:
    """By table key, all facts of these views that the release's sources give, with `superseded_at`."""
    return {key: _continued(context, view, released) for key, view in views.items()}


@contextmanager
def named_failures(context: Context, views: Mapping[str, DerivedView], released: Released) -> Iterator[None]:
    """Raises what `derivation_failure` finds where deriving the facts of one of these views fails on a value.

    views: as they are when the failure comes.
    """
    try:
        yield
    except (PySparkException, Py4JError) as error:
        for view in views.values():
            failure = derivation_failure(error, view, *_inputs(context, view, released))
            if failure is not None:
                raise failure from error
        raise


def tables_below(views: Iterable[Definition], released: Released) -> dict[str, int]:
    """Every table that these views are derived from, at the release's version."""
    below: dict[str, int] = {}
    for view in views:
        for upstream in view.upstream:
            below |= {key_of(upstream): released.version(upstream)} | tables_below([upstream], released)
    return dict(sorted(below.items()))


def built_to_us(context: Context, view: Definition, released: Released) -> int:
    """The as-of up to which the release's version of a derived table holds facts; 0 where no commit says so."""
    key, version = key_of(view), released.version(view)
    newest = released.published.newest(key).built_to_us
    if newest is not None and released.published.version(key) == version:
        return newest
    for commit in history(context.spark, context.warehouse.address(key).path):
        note = CommitNote.from_json(commit.user_metadata)
        if commit.version <= version and note is not None and note.state.built_to_us is not None:
            return note.state.built_to_us
    return 0


def _continued(context: Context, view: DerivedView, released: Released) -> DataFrame:
    """The table's rows where nothing that came later can change them; all others derived from what it reads.

    Cost: of facts that are never corrected and look up such facts alone, those after the table's end are derived, else
    all are.
    """
    facts, lookups = _inputs(context, view, released)
    tasks = look_up_tasks(context, released.published, view)
    if released.published.newest(key_of(view.root)).has_versions or not all(given.is_regular for given in lookups):
        return derive(facts, lookups, view, partitions=tasks)
    is_settled = _is_settled(built_to_us(context, view, released))
    columns = [*view.schema, "superseded_at"]
    stored = rows_of(context, view, released).where(is_settled).select(*columns)
    later = derive(facts.where(~is_settled), lookups, view, partitions=tasks)
    return stored.unionByName(later.select(*columns))


def _inputs(context: Context, view: DerivedView, released: Released) -> tuple[DataFrame, list[LookedUp]]:
    """All facts of the view's source, and all that they may look up."""
    lookups = [
        LookedUp(
            lookup,
            _facts(context, lookup.source, released),
            is_regular(released.published, view, lookup),
            are_few=are_few(context, released.published, lookup),
        )
        for lookup in view.lookups
    ]
    return _facts(context, view.source, released), lookups


def _is_settled(end_us: int) -> Column:
    """A fact that happened before the newest as-of, and was known by then: the table has it as it stays."""
    return (F.col("event_time") < instant(end_us)) & (F.col("available_time") <= instant(end_us))


def _facts(context: Context, source: Source | DerivedView, released: Released) -> DataFrame:
    """All facts of what a view reads, whenever they were known, with `superseded_at`; of a static source its rows."""
    if isinstance(source, DerivedView):
        return _continued(context, source, released)
    rows = rows_of(context, source, released)
    has_versions = released.published.newest(key_of(source)).has_versions
    if source.is_static:
        return current_rows(rows, source, has_versions=has_versions)
    return with_superseded_at(rows, source, has_versions=has_versions)
