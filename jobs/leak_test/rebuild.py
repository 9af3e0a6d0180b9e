"""All layers rebuilt from perturbed raw facts in a scratch warehouse, by the functions that a build calls."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TypeVar

import pyarrow as pa
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from compute.cross import compare
from compute.rows import derive
from compute.windows import snapshots
from definitions.errors import SourceError
from definitions.registry import key_of
from definitions.services import FeatureService
from definitions.sources import Source
from definitions.views import AggregateView, CrossEntityView, Definition, DerivedView, Snapshot
from jobs.build.derived import derivation_failure, look_up_tasks, looked_up, rows_of
from jobs.build.small import collected, is_small
from jobs.build.snapshots import aggregation_failure, comparison_failure, cross_tasks, facts_of, stamped, tasks
from jobs.build.staleness import cut_delay_us
from jobs.inputs.histories import history_of
from jobs.inputs.releases import Released
from jobs.leak_test.perturbation import SourceStats, perturbed, source_stats
from jobs.leak_test.required_rows import RequiredRows
from jobs.leak_test.scenarios import (
    SCENARIO,
    Scenario,
    everything_below,
    snapshots_in,
    wide_selection,
    widened,
)
from jobs.run.context import Context, Job
from jobs.run.published import PublishedState
from kernels.operations.sum import SumOverflow
from lakehouse.commits import stage
from lakehouse.ledger.records import PUBLISHED, SliceRecord
from lakehouse.ledger.state import LedgerState
from lakehouse.reader import NeedsSpark
from lakehouse.small_tables import read_rows, write_small
from lakehouse.table_state import TableState
from lakehouse.tables import TableAddress, Warehouse, read
from lakehouse.writer import MOST_ROWS, SmallCommit
from pit_join import History
from temporal.instants import instant

Kind = TypeVar("Kind", bound=Definition)
Result = TypeVar("Result")
_STAMPS = ("event_time", "known_at", "available_time", "superseded_at")


@dataclass(frozen=True)
class Scratch(Warehouse):
    """A warehouse in a folder of its own; the tables in `kept` are read where `below` has them."""

    below: Warehouse
    kept: frozenset[str]

    def address(self, key: str) -> TableAddress:
        return self.below.address(key) if key in self.kept else super().address(key)


@dataclass(frozen=True, kw_only=True)
class Rebuilt:
    """histories: by index in the service, of widened rows. stats: by table key, of each source with a clock."""

    histories: Mapping[int, History]
    stats: Mapping[str, SourceStats]


class Rebuild:
    """One rebuild of all that a service reads, in all scenarios at once.

    entities: by index of a selection, the keys (named as its entity's) whose rows are needed. built_to_us: how far the
    release has built each derived table that is joined itself. Facts of other entities are left out where no cohort
    needs them.
    """

    def __init__(
        self,
        context: Context,
        service: FeatureService,
        released: Released,
        scenarios: Sequence[Scenario],
        *,
        entities: Mapping[int, DataFrame],
        built_to_us: Mapping[str, int],
        root: str,
    ) -> None:
        self.context, self.service, self.released, self.scenarios = context, service, released, scenarios
        self.built_to_us = built_to_us
        self.needs = {
            number: everything_below(service.features[number].view)
            for number in sorted({number for scenario in scenarios for number in scenario.selections})
        }
        self.views: dict[str, Definition] = {key: view for views in self.needs.values() for key, view in views.items()}
        self.required = RequiredRows(service, self.needs, self.views, entities)
        static = [each for each in self.views.values() if each.is_static]
        scratch = Scratch(root, context.warehouse, frozenset(map(key_of, static)))
        self.job = Job(
            context=replace(context, warehouse=scratch),
            run_id="leak-test",
            leases={},
            published=PublishedState(LedgerState()),
        )
        for source in static:
            self._note(source, released.version(source), rows=0)

    def run(self, *, keys: Mapping[str, str]) -> Rebuilt:
        """keys: what the spine calls a join key; `scenario_column(n)` holds the scenario of the n-th selection."""
        sources = [each for each in self._all(Source) if not each.is_static]
        stats = self._side_by_side(self._raw, sources)
        for level in _levels(self._all(DerivedView)):
            self._side_by_side(self._derived, level)
        self._side_by_side(self._aggregate, self._all(AggregateView))
        self._side_by_side(self._cross, self._all(CrossEntityView))
        scratch = Released(self.released.release_id, self.job.published.versions(), self.job.published)
        histories = {}
        for number in self.needs:
            selection = wide_selection(self.service.features[number])
            named = {**keys, selection.spine_keys[-1]: scenario_column(number)}
            histories[number] = history_of(self.job.context, selection, scratch, keys=named)
        return Rebuilt(histories=histories, stats={key_of(s): part for s, part in zip(sources, stats, strict=True)})

    def _raw(self, source: Source) -> SourceStats:
        rows = self._published(source).drop("event_date")
        needed = self.required.of_raw(source, self._published, has_versions=self._has_versions(source))
        if needed is not None:
            rows = self._kept(rows.join(needed, on=needed.columns, how="left_semi"), f"needed/{source.name}")
        scenarios = self._scenarios(source)
        stats = source_stats(rows, source, scenarios)
        may_move = not self.required.is_looked_up(source)
        frame = perturbed(rows, source, scenarios, stats, keys=self.required.key_columns, may_move=may_move)
        self._write(source, frame, state=self.released.published.newest(key_of(source)))
        return stats

    def _derived(self, view: DerivedView) -> None:
        """The whole table as `build_derived` makes it, up to the newest as-of of any scenario."""
        wide = widened(view)
        as_of = max(
            [self.built_to_us.get(key_of(view), 0), *(us for scenario in self.scenarios for us in _as_ofs(scenario))]
        )
        cut = as_of + cut_delay_us(self.context.registry, view)
        facts = rows_of(self.job, wide.source, cut_us=cut).where(F.col("event_time") < instant(as_of))
        facts = _only(self._here(facts, view), self.required.of(view), list(view.source.schema))
        lookups = [looked_up(self.job, wide, lookup, cut_us=cut) for lookup in wide.lookups]
        columns = self.required.columns_of(view)
        with named_failures(lambda error: derivation_failure(error, view, facts, lookups)):
            rows = derive(facts, lookups, wide, partitions=look_up_tasks(self.job.context, self.job.published, view))
            self._write(view, rows if columns is None else rows.select(*columns, SCENARIO, "superseded_at"))

    def _aggregate(self, view: AggregateView) -> None:
        wide, as_ofs = widened(view), self._as_ofs_of(view)
        facts = self._here(facts_of(self.job, wide, max(as_ofs)), view)
        facts = _only(facts, self.required.of(view), list(view.source.schema))
        with named_failures(lambda error: aggregation_failure(error, wide, facts, as_ofs)):
            self._publish(view, snapshots(facts, wide, as_ofs, partitions=tasks(self.job, view)))

    def _cross(self, view: CrossEntityView) -> None:
        wide, as_ofs = widened(view), self._as_ofs_of(view)
        rows = self._here(self._rebuilt(view.of), view).where(F.col("superseded_at").isNull())
        rows = rows.where(F.col("event_time").isin([instant(us) for us in as_ofs]))
        members = rows.select(*wide.entity.key_names).distinct()
        if view.group.source is not None:
            groups = rows_of(self.job, view.group.source, cut_us=max(as_ofs))
            columns = dict.fromkeys([*view.entity.key_names, *view.group.by])
            members = members.join(groups.select(*columns), on=list(view.entity.key_names), how="left")
        with named_failures(lambda error: comparison_failure(error, wide, rows, members)):
            compared = compare(
                rows, members, wide, tasks=cross_tasks(self.job, self.job.published.rows(key_of(view.of)))
            )
            self._publish(view, compared)

    def _publish(self, view: Snapshot, frame: DataFrame) -> None:
        """Stamped as a build stamps them, and only the snapshots that a scenario needs."""
        wide = widened(view)
        pairs = pa.table(
            list(zip(*snapshots_in(self.scenarios, view), strict=True)),
            pa.schema([(SCENARIO, pa.int32()), ("event_time", pa.timestamp("us", tz="UTC"))]),
        )
        wanted = F.broadcast(self.context.spark.createDataFrame(pairs))
        names = [feature.name for feature in wide.published]
        rows = stamped(self.job, wide, frame).join(wanted, on=wanted.columns, how="left_semi")
        self._write(view, rows.select(*wide.entity.key_names, *_STAMPS, *names))

    def _as_ofs_of(self, view: Snapshot) -> list[int]:
        return sorted({us for _, us in snapshots_in(self.scenarios, view)})

    def _here(self, rows: DataFrame, view: Definition) -> DataFrame:
        return rows.where(F.col(SCENARIO).isin([scenario.number for scenario in self._scenarios(view)]))

    def _scenarios(self, view: Definition) -> list[Scenario]:
        """Those with a selection that reads the view."""
        return [w for w in self.scenarios if any(key_of(view) in self.needs[number] for number in w.selections)]

    def _has_versions(self, source: Source) -> bool:
        return self.released.published.newest(key_of(source)).has_versions

    def _published(self, view: Definition) -> DataFrame:
        path = self.context.warehouse.address(key_of(view)).path
        return read(self.context.spark, path, version=self.released.version(view))

    def _rebuilt(self, view: Definition) -> DataFrame:
        address = self.job.context.warehouse.address(key_of(view))
        return read_rows(self.context.spark, address.path, version=self.job.published.version(address.key))

    def _kept(self, frame: DataFrame, name: str) -> DataFrame:
        staged = stage(frame, f"{self.job.context.warehouse.root}/{name}", partition_by=[])
        return read(self.context.spark, staged.path, version=staged.version)

    def _write(self, view: Definition, frame: DataFrame, *, state: TableState | None = None) -> None:
        path = self.job.context.warehouse.address(key_of(view)).path
        rows = collected(frame, view.name) if self._is_small(view) else None
        if rows is not None:
            with suppress(NeedsSpark):
                write_small(self.context.spark, path, SmallCommit(rows=rows, transaction=(path, 1), properties={}))
                return self._note(view, 0, rows=rows.num_rows, state=state)
        staged = stage(frame, path, partition_by=[])
        count = read(self.context.spark, staged.path, version=staged.version).count()
        return self._note(view, staged.version, rows=count, state=state)

    def _is_small(self, view: Definition) -> bool:
        """Whether the tables that it is rebuilt from have few rows."""
        if isinstance(view, Source):
            return self.released.published.rows(key_of(view)) * len(self.scenarios) <= MOST_ROWS
        return is_small(self.job, map(key_of, view.upstream))

    def _note(self, view: Definition, version: int, *, rows: int, state: TableState | None = None) -> None:
        known = state or self.released.published.newest(key_of(view))
        self.job.published.add([SliceRecord(key_of(view), "all", PUBLISHED, rows, table_version=version, state=known)])

    def _all(self, kind: type[Kind]) -> list[Kind]:
        return [each for each in self.views.values() if isinstance(each, kind)]

    def _side_by_side(self, step: Callable[[Kind], Result], views: Sequence[Kind]) -> list[Result]:
        with ThreadPoolExecutor(self.context.options.workers, thread_name_prefix="leak-test") as pool:
            return list(pool.map(step, views))


@contextmanager
def named_failures(explain: Callable[[BaseException], SourceError | None]) -> Iterator[None]:
    """A value that can't be computed, of the replaced ones too, is named by view, feature and key, as in a build."""
    try:
        yield
    except (SumOverflow, PySparkException, Py4JError) as error:
        failure = explain(error)
        if failure is None:
            raise
        replaced = "The leak test replaces values of the future by the least and the greatest of their column."
        raise type(failure)(f"{failure} {replaced}") from error


def scenario_column(index: int) -> str:
    """The spine's column with the scenario in which the n-th selection's facts are looked up."""
    return f"{SCENARIO}_{index}"


def _levels(views: Sequence[DerivedView]) -> list[list[DerivedView]]:
    """Derived views by depth: first those that read only sources."""
    depth: dict[str, int] = {}
    for view in views:  # a view comes after those that it reads
        depth[key_of(view)] = 1 + max((depth.get(key_of(up), 0) for up in view.upstream), default=0)
    return [[v for v in views if depth[key_of(v)] == level] for level in sorted(set(depth.values()))]


def _as_ofs(scenario: Scenario) -> list[int]:
    return [us for as_ofs in scenario.as_ofs.values() for us in as_ofs]


def _only(rows: DataFrame, keys: DataFrame | None, columns: Sequence[str]) -> DataFrame:
    if keys is None or not set(keys.columns) <= set(columns):
        return rows
    return rows.join(F.broadcast(keys), on=keys.columns, how="left_semi")
