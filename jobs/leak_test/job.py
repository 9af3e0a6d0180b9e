"""The future-poison test: a training set's rows again, from raw facts whose future is gone or says something else."""

import time
from collections.abc import Mapping, Sequence

import pyarrow as pa

from definitions.registry import key_of
from definitions.services import Selection
from definitions.sources import Source
from definitions.views import AggregateView, CrossEntityView, DerivedView
from jobs.inputs.histories import history_of
from jobs.inputs.releases import Released
from jobs.inputs.stored_set import StoredSet
from jobs.leak_test.compare import Change, changes
from jobs.leak_test.rebuild import Rebuild, Rebuilt, scenario_column
from jobs.leak_test.release import built_to, entities_of, release_of, snapshots_seen
from jobs.leak_test.result import told
from jobs.leak_test.sample import ROW, Sample, sample_of
from jobs.leak_test.scenarios import Perturbation, Scenario, scenarios_of
from jobs.run.context import Context
from jobs.spines.spine import LABEL_TIME
from lakehouse.tables import read, remove
from pit_join import History, point_in_time_join
from reports.training_set import LeakTestResult

_MANY_FACTS = 300_000
_VARIANT = "proof_variant"


def leak_test(context: Context, stored: StoredSet, run_id: str) -> LeakTestResult:
    """Rebuild some of its rows from perturbed raw facts, and compare; a scratch warehouse lies in staging meanwhile.

    The caller holds the lease of the training set.
    """
    context.listener.begun(stored.key)
    remove(context.warehouse.staging_of(stored.key))  # what killed runs left
    try:
        return _LeakTest(context, stored, context.warehouse.staging(stored.key, run_id)).run()
    finally:
        remove(context.warehouse.staging(stored.key, run_id))
        context.listener.idle(stored.key)


class _LeakTest:
    def __init__(self, context: Context, training_set: StoredSet, scratch: str) -> None:
        self.context, self.training_set, self.scratch = context, training_set, scratch
        self.service, self.keys = training_set.service, training_set.keys
        self.columns = [column.name for column in self.service.columns]

    def run(self) -> LeakTestResult:
        begun = time.monotonic()
        self._doing("choosing rows")
        path = self.context.warehouse.address(self.training_set.key).path
        stored = read(self.context.spark, path, version=self.training_set.version)
        spine_keys = [self.keys.get(key, key) for key, _ in self.service.keys]
        sample = sample_of(stored, self.service, keys=list(dict.fromkeys(spine_keys)))
        released = release_of(self.context, self.training_set.release)
        self.spine = self.context.spark.createDataFrame(_spine(sample))
        self.seen = snapshots_seen(self.context, self.service, released, self.spine, keys=self.keys)
        worlds, rebuilt, found = self._compared(sample, released, self._poisons(released))
        # Does a cell change because of the poison, or does raw no longer give what is stored?
        is_stale = False
        if any(found.values()):
            _, _, control = self._compared(sample, released, (Perturbation.NOTHING,))
            anyway = {(change.row, change.column) for change in control[Perturbation.NOTHING]}
            is_stale = all((change.row, change.column) in anyway for each in found.values() for change in each)
        return told(
            sample,
            worlds,
            rebuilt,
            found,
            columns=len(self.columns),
            is_stale=is_stale,
            made_at=self.context.now_text(),
            seconds=round(time.monotonic() - begun, 1),
        )

    def _poisons(self, released: Released) -> tuple[Perturbation, ...]:
        """Both, one after the other; at once where facts are many."""
        facts = {key_of(each): released.published.rows(key_of(each)) for each in map(_driver, self.service.features)}
        return (
            (Perturbation.MIXED,)
            if max(facts.values()) > _MANY_FACTS
            else (Perturbation.REMOVED, Perturbation.REPLACED)
        )

    def _compared(
        self, sample: Sample, released: Released, poisons: Sequence[Perturbation]
    ) -> tuple[tuple[Scenario, ...], Rebuilt, dict[Perturbation, list[Change]]]:
        worlds = scenarios_of(self.service, sample.instants_us, self.seen, poisons=poisons)
        self._doing(f"rebuilding {len(worlds)} worlds from raw")
        rebuild = Rebuild(
            self.context,
            self.service,
            released,
            worlds,
            entities={n: entities_of(self.spine, each, self.keys) for n, each in enumerate(self.service.features)},
            built_to_us=built_to(self.context, self.service, released),
            root=f"{self.scratch}/{'-'.join(poisons)}",
        )
        rebuilt = rebuild.run(keys=self.keys)
        self._doing("joining again")
        rows = self._joined(sample, worlds, rebuilt.histories, released, poisons)
        self._doing("comparing cells")
        return worlds, rebuilt, {poison: changes(sample, _of(rows, poison), self.columns) for poison in poisons}

    def _joined(
        self,
        sample: Sample,
        worlds: Sequence[Scenario],
        histories: Mapping[int, History],
        released: Released,
        poisons: Sequence[Perturbation],
    ) -> pa.Table:
        """The sample's rows once per poison, joined to the rebuilt rows of their worlds, and to static ones as ever."""
        numbers = {(w.poison, w.label_us, number): w.number for w in worlds for number in w.selections}
        instants = sample.rows[LABEL_TIME].cast(pa.int64()).to_pylist()
        variants = []
        for poison in poisons:
            variant = _spine(sample).append_column(_VARIANT, pa.array([poison.value] * len(instants)))
            for number in histories:
                in_world = pa.array([numbers.get((poison, at, number)) for at in instants], pa.int32())
                variant = variant.append_column(scenario_column(number), in_world)
            variants.append(variant)
        spine = self.context.spark.createDataFrame(pa.concat_tables(variants))
        static = {
            number: history_of(self.context, selection, released, keys=self.keys)
            for number, selection in enumerate(self.service.features)
            if selection.is_static
        }
        both = [each for _, each in sorted({**histories, **static}.items())]
        joined = point_in_time_join(spine, both, label_time=LABEL_TIME)
        there = [name for name in self.columns if name in joined.columns]
        rows = joined.select(ROW, _VARIANT, *there).toArrow()
        for name in self.columns:
            if name not in there:  # none of the rows can see a snapshot of its view
                rows = rows.append_column(name, pa.nulls(rows.num_rows, sample.rows[name].type))
        return rows

    def _doing(self, what: str) -> None:
        self.context.listener.phase(self.training_set.key, what)


def _driver(selection: Selection) -> Source:
    """The source whose facts a selection's values are made of, or that it is."""
    view = selection.view
    if isinstance(view, CrossEntityView):
        view = view.of
    below = view.source if isinstance(view, AggregateView) else view
    return below.root if isinstance(below, DerivedView) else below


def _spine(sample: Sample) -> pa.Table:
    return sample.rows.select([ROW, *sample.keys, LABEL_TIME])


def _of(rows: pa.Table, poison: Perturbation) -> pa.Table:
    return rows.filter(pa.compute.equal(rows[_VARIANT], poison.value))
