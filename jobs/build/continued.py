"""Facts of a derived view after its newest as-of, derived from the tables of a release as a build would derive them.

A derived table ends at the as-of that it was built to, and the sources below it do not. Where a label, a batch frame or
an export asks for a later instant, the facts that the table lacks are derived, so that a row sees what was known then.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from compute.duplicates import may_be_refused
from compute.lookups import LookedUp
from compute.rows import derive
from definitions.registry import key_of
from definitions.services import FeatureService
from definitions.sources import Source
from definitions.views import Definition, DerivedView
from jobs.build.derived import are_few, derivation_failure, look_up_tasks
from jobs.build.preconditions import zones_below
from jobs.build.staleness import is_regular
from jobs.inputs.releases import Released, rows_of
from jobs.run.context import Context
from lakehouse.commit_notes import CommitNote
from lakehouse.session.zone_data import require_zones
from lakehouse.tables import history
from temporal.instants import instant
from temporal.order import current_rows
from temporal.versions import with_superseded_at


def has_derived(service: FeatureService) -> bool:
    """Whether a service joins facts of a derived view themselves."""
    return any(isinstance(selection.view, DerivedView) for selection in service.features)


@dataclass(frozen=True)
class Continuation:
    """The derived views, by table key, whose tables end before the instant up to which their facts are asked for.

    until_us: that instant; None: there is none, and no view is continued.
    """

    views: Mapping[str, DerivedView]
    until_us: int | None


def continuation_of(
    context: Context, services: Iterable[FeatureService], released: Released, *, until_us: int | None
) -> Continuation:
    """The derived views of these services whose table ends before this instant."""
    if until_us is None:
        return Continuation({}, None)
    selections = (selection for service in services for selection in service.features)
    views = {key_of(view): view for selection in selections if isinstance(view := selection.view, DerivedView)}
    ended = {key: view for key, view in views.items() if _ends_before(context, view, released, until_us)}
    return Continuation(ended, until_us)


def _ends_before(context: Context, view: DerivedView, released: Released, until_us: int) -> bool:
    end_us = built_to_us(context, view, released)
    return until_us > end_us or (view.includes_label_instant and until_us == end_us)


def continued_rows(context: Context, continuation: Continuation, released: Released) -> dict[str, DataFrame]:
    """By table key, all facts up to the instant that the release's sources give these views, with `superseded_at`.

    Raises EnvironmentProblem where their expressions read a zone whose clock the JVM shows otherwise.
    """
    require_zones(context.spark, zones_below(continuation.views.values()))
    until_us = continuation.until_us
    return {key: _continued(context, view, released, until_us) for key, view in continuation.views.items()}


def computable_rows(context: Context, continuation: Continuation, released: Released) -> dict[str, DataFrame]:
    """The same, derived once now where deriving them may fail on a value: for frames that are handed over unevaluated.

    Raises what `named_failures` does. Cost: a pass over the facts of the views that have expressions, or look-ups that
    refuse duplicates.
    """
    with named_failures(context, continuation, released):
        rows = continued_rows(context, continuation, released)
        for key, frame in rows.items():
            if any(map(_may_fail, _derived_below(continuation.views[key]))):
                frame.write.format("noop").mode("overwrite").save()
    return rows


@contextmanager
def named_failures(context: Context, continuation: Continuation, released: Released) -> Iterator[None]:
    """Raises what `derivation_failure` finds where deriving the facts of one of these views fails on a value.

    Of views that are derived from each other, the lowest that fails is named.
    """
    try:
        yield
    except (PySparkException, Py4JError) as error:
        views = (below for view in continuation.views.values() for below in _derived_below(view))
        for view in dict.fromkeys(views):
            failure = derivation_failure(error, view, *_inputs(context, view, released, continuation.until_us))
            if failure is not None:
                raise failure from error
        raise


def _derived_below(view: DerivedView) -> list[DerivedView]:
    """The derived views that a view is derived from, the lowest first, and the view itself."""
    upstream = (source for source in view.upstream if isinstance(source, DerivedView))
    return [*(below for source in upstream for below in _derived_below(source)), view]


def _may_fail(view: DerivedView) -> bool:
    has_expressions = any(feature.input is not None for feature in view.outputs)
    return has_expressions or any(may_be_refused(lookup) for lookup in view.lookups)


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


def _continued(context: Context, view: DerivedView, released: Released, until_us: int | None) -> DataFrame:
    """The table's rows where nothing that came later can change them; all others derived from what it reads.

    Cost: of facts that are never corrected and look up such facts alone, those after the table's end are derived, else
    all are.
    """
    facts, lookups = _inputs(context, view, released, until_us)
    tasks = look_up_tasks(context, released.published, view)
    if released.published.newest(key_of(view.root)).has_versions or not all(given.is_regular for given in lookups):
        return derive(facts, lookups, view, partitions=tasks)
    is_settled = _is_settled(built_to_us(context, view, released))
    columns = [*view.schema, "superseded_at"]
    stored = rows_of(context, view, released).where(is_settled).select(*columns)
    later = derive(facts.where(~is_settled), lookups, view, partitions=tasks)
    return stored.unionByName(later.select(*columns))


def _inputs(
    context: Context, view: DerivedView, released: Released, until_us: int | None
) -> tuple[DataFrame, list[LookedUp]]:
    """The facts of the view's source up to that instant, and all that they may look up."""
    lookups = [
        LookedUp(
            lookup,
            _facts(context, lookup.source, released, until_us),
            is_regular(released.published, view, lookup),
            are_few=are_few(context, released.published, lookup),
        )
        for lookup in view.lookups
    ]
    return _facts(context, view.source, released, until_us), lookups


def _is_settled(end_us: int) -> Column:
    """A fact that happened before the newest as-of, and was known by then: the table has it as it stays."""
    return (F.col("event_time") < instant(end_us)) & (F.col("available_time") <= instant(end_us))


def _facts(context: Context, source: Source | DerivedView, released: Released, until_us: int | None) -> DataFrame:
    """The facts of what a view reads, whenever they were known, with `superseded_at`; of a static source its rows.

    A fact of later than the instant is in no row that is asked for, nor looked up by one (S13): it need not be derived.
    """
    if isinstance(source, DerivedView):
        return _continued(context, source, released, until_us)
    rows = rows_of(context, source, released)
    has_versions = released.published.newest(key_of(source)).has_versions
    if source.is_static:
        return current_rows(rows, source, has_versions=has_versions)
    facts = with_superseded_at(rows, source, has_versions=has_versions)
    return facts if until_us is None else facts.where(F.col("event_time") <= instant(until_us))
