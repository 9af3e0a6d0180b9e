"""The layers of a proof, rebuilt from poisoned raw in a scratch warehouse by the functions that a build calls."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from compute.cross import compare
from compute.rows import derive
from compute.windows import snapshots
from definitions.registry import key_of
from definitions.services import FeatureService
from definitions.sources import Source
from definitions.views import AggregateView, CrossEntityView, Definition, DerivedView, Snapshot
from jobs.build.derived import cut_delay_us, looked_up, rows_of
from jobs.build.snapshots import facts_of, stamped, tasks
from jobs.inputs.histories import history_of
from jobs.inputs.releases import Released
from jobs.leak_test.perturbation import Found, perturbed, source_stats
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
from lakehouse.commits import stage
from lakehouse.ledger.records import PUBLISHED, SliceRecord
from lakehouse.ledger.state import LedgerState
from lakehouse.tables import TableAddress, Warehouse, read
from pit_join import History
from temporal.instants import instant

Kind = TypeVar("Kind", bound=Definition)
Result = TypeVar("Result")
_STAMPS = ("event_time", "known_at", "available_time", "superseded_at")


@dataclass(frozen=True)
class Scratch(Warehouse):
    """A warehouse of one's own that reads the tables in `kept` where they lie."""

    below: Warehouse
    kept: frozenset[str]

    def address(self, key: str) -> TableAddress:
        return self.below.address(key) if key in self.kept else super().address(key)


@dataclass(frozen=True, kw_only=True)
class Rebuilt:
    """histories: by index in the service, of widened rows. found: what was seen of each source with a clock."""

    histories: Mapping[int, History]
    found: Mapping[str, Found]


class Rebuild:
    """One rebuild of all that a service reads, in all worlds at once.

    entities: by index of a selection, the keys (named as its entity's) whose rows are asked for. built_to_us: how far
    the release has built each derived table that is joined itself. Facts of other entities are left out where no
    cohort needs them.
    """

    def __init__(
        self,
        context: Context,
        service: FeatureService,
        released: Released,
        worlds: Sequence[Scenario],
        *,
        entities: Mapping[int, DataFrame],
        built_to_us: Mapping[str, int],
        root: str,
    ) -> None:
        self.context, self.service, self.released, self.worlds = context, service, released, worlds
        self.built_to_us = built_to_us
        self.needs = {
            number: everything_below(service.features[number].view)
            for number in sorted({number for world in worlds for number in world.selections})
        }
        self.views: dict[str, Definition] = {key: each for views in self.needs.values() for key, each in views.items()}
        self.demand = RequiredRows(service, self.needs, self.views, entities)
        static = [each for each in self.views.values() if isinstance(each, Source) and each.is_static]
        scratch = Scratch(root, context.warehouse, frozenset(map(key_of, static)))
        self.job = Job(
            context=replace(context, warehouse=scratch),
            run_id="proof",
            leases={},
            published=PublishedState(LedgerState()),
        )
        for source in static:
            self._note(source, released.version(source), rows=0)

    def run(self, *, keys: Mapping[str, str]) -> Rebuilt:
        """keys: what the spine calls a join key; the world of the n-th selection stands in its column `world_of(n)`."""
        sources = [each for each in self._all(Source) if not each.is_static]
        found = self._side_by_side(self._raw, sources)
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
        return Rebuilt(histories=histories, found={key_of(s): each for s, each in zip(sources, found, strict=True)})

    def _raw(self, source: Source) -> Found:
        rows = self._published(source).drop("event_date")
        needed = self.demand.of_raw(source, self._published, has_versions=self._has_versions(source))
        if needed is not None:
            rows = self._kept(rows.join(needed, on=needed.columns, how="left_semi"), f"needed/{source.name}")
        worlds = self._worlds(source)
        found = source_stats(rows, source, worlds)
        may_move = not self.demand.is_looked_up(source)
        frame = perturbed(rows, source, worlds, found, keys=self.demand.key_columns, may_move=may_move)
        self._write(source, frame, detail=self.released.published.newest(key_of(source)))
        return found

    def _derived(self, view: DerivedView) -> None:
        """As `build_derived` makes all of it, up to the newest as-of that any world asks for."""
        wide = cast(DerivedView, widened(view))
        as_of = max([self.built_to_us.get(key_of(view), 0), *(us for each in self.worlds for us in _as_ofs(each))])
        cut = as_of + cut_delay_us(self.job, view)
        facts = rows_of(self.job, wide.source, cut_us=cut).where(F.col("event_time") < instant(as_of))
        facts = _only(self._here(facts, view), self.demand.of(view), list(view.source.schema))
        lookups = [looked_up(self.job, wide, each, cut_us=cut) for each in wide.lookups]
        columns = self.demand.columns_of(view)
        rows = derive(facts, lookups, wide)
        self._write(view, rows if columns is None else rows.select(*columns, SCENARIO, "superseded_at"))

    def _aggregate(self, view: AggregateView) -> None:
        wide, as_ofs = cast(AggregateView, widened(view)), self._as_ofs_of(view)
        facts = self._here(facts_of(self.job, wide, max(as_ofs)), view)
        facts = _only(facts, self.demand.of(view), list(view.source.schema))
        self._publish(view, snapshots(facts, wide, as_ofs, partitions=tasks(self.job, view)))

    def _cross(self, view: CrossEntityView) -> None:
        wide, as_ofs = cast(CrossEntityView, widened(view)), self._as_ofs_of(view)
        rows = self._here(self._rebuilt(view.of), view).where(F.col("superseded_at").isNull())
        rows = rows.where(F.col("event_time").isin([instant(us) for us in as_ofs]))
        members = rows.select(*wide.entity.key_names).distinct()
        if view.group.source is not None:
            told = rows_of(self.job, view.group.source, cut_us=max(as_ofs))
            columns = dict.fromkeys([*view.entity.key_names, *view.group.by])
            members = members.join(told.select(*columns), on=list(view.entity.key_names), how="left")
        self._publish(view, compare(rows, members, wide))

    def _publish(self, view: Snapshot, frame: DataFrame) -> None:
        """Stamped as a build stamps them, and only the snapshots that some world asks for."""
        wide = cast(Snapshot, widened(view))
        asked = pa.table(
            list(zip(*snapshots_in(self.worlds, view), strict=True)),
            pa.schema([(SCENARIO, pa.int32()), ("event_time", pa.timestamp("us", tz="UTC"))]),
        )
        wanted = F.broadcast(self.context.spark.createDataFrame(asked))
        names = [feature.name for feature in wide.published]
        rows = stamped(self.job, wide, frame).join(wanted, on=wanted.columns, how="left_semi")
        self._write(view, rows.select(*wide.entity.key_names, *_STAMPS, *names))

    def _as_ofs_of(self, view: Snapshot) -> list[int]:
        return sorted({us for _, us in snapshots_in(self.worlds, view)})

    def _here(self, rows: DataFrame, view: Definition) -> DataFrame:
        return rows.where(F.col(SCENARIO).isin([world.number for world in self._worlds(view)]))

    def _worlds(self, view: Definition) -> list[Scenario]:
        """Those in which somebody reads the view."""
        return [w for w in self.worlds if any(key_of(view) in self.needs[number] for number in w.selections)]

    def _has_versions(self, source: Source) -> bool:
        return bool(self.released.published.newest(key_of(source)).get("has_versions", True))

    def _published(self, view: Definition) -> DataFrame:
        path = self.context.warehouse.address(key_of(view)).path
        return read(self.context.spark, path, version=self.released.version(view))

    def _rebuilt(self, view: Definition) -> DataFrame:
        address = self.job.context.warehouse.address(key_of(view))
        return read(self.context.spark, address.path, version=self.job.published.version(address.key))

    def _kept(self, frame: DataFrame, name: str) -> DataFrame:
        staged = stage(frame, f"{self.job.context.warehouse.root}/{name}", partition_by=[])
        return read(self.context.spark, staged.path, version=staged.version)

    def _write(self, view: Definition, frame: DataFrame, *, detail: Mapping[str, Any] | None = None) -> None:
        address = self.job.context.warehouse.address(key_of(view))
        staged = stage(frame, address.path, partition_by=[])
        rows = read(self.context.spark, staged.path, version=staged.version).count()
        self._note(view, staged.version, rows=rows, detail=detail)

    def _note(self, view: Definition, version: int, *, rows: int, detail: Mapping[str, Any] | None = None) -> None:
        known = detail or self.released.published.newest(key_of(view))
        self.job.published.add([SliceRecord(key_of(view), "all", PUBLISHED, rows, table_version=version, detail=known)])

    def _all(self, kind: type[Kind]) -> list[Kind]:
        return [each for each in self.views.values() if isinstance(each, kind)]

    def _side_by_side(self, step: Callable[[Kind], Result], views: Sequence[Kind]) -> list[Result]:
        with ThreadPoolExecutor(self.context.options.workers, thread_name_prefix="proof") as pool:
            return list(pool.map(step, views))


def scenario_column(index: int) -> str:
    """The spine's column that says in which world the n-th selection's facts are looked for."""
    return f"{SCENARIO}_{index}"


def _levels(views: Sequence[DerivedView]) -> list[list[DerivedView]]:
    """Derived views, those first that read sources alone."""
    depth: dict[str, int] = {}
    for view in views:  # each stands after what it reads
        depth[key_of(view)] = 1 + max((depth.get(key_of(up), 0) for up in view.upstream), default=0)
    return [[v for v in views if depth[key_of(v)] == level] for level in sorted(set(depth.values()))]


def _as_ofs(world: Scenario) -> list[int]:
    return [us for each in world.as_ofs.values() for us in each]


def _only(rows: DataFrame, keys: DataFrame | None, columns: Sequence[str]) -> DataFrame:
    if keys is None or not set(keys.columns) <= set(columns):
        return rows
    return rows.join(F.broadcast(keys), on=keys.columns, how="left_semi")
