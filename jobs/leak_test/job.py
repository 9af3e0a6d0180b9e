"""The leak test: rows of a training set rebuilt from raw facts whose future is removed or replaced, and compared."""

import time
from collections.abc import Mapping, Sequence

import pyarrow as pa

from definitions.registry import key_of
from definitions.services import Selection
from definitions.sources import Source
from jobs.build.preconditions import zones_below
from jobs.inputs.histories import history_of
from jobs.inputs.releases import Released
from jobs.inputs.stored_set import StoredSet
from jobs.leak_test.rebuild import Rebuild, Rebuilt, scenario_column
from jobs.leak_test.release import built_to, entities_of, release_of, visible_snapshots
from jobs.leak_test.result import result_of
from jobs.leak_test.sample import ROW, Change, Sample, changes, sample_of
from jobs.leak_test.scenarios import Perturbation, Scenario, scenarios_of
from jobs.run.context import Context
from jobs.spines.spine import LABEL_TIME
from lakehouse.session.zone_data import require_zones
from lakehouse.tables import read, remove
from pit_join import History, point_in_time_join
from reports.training_set import LeakTestResult

_MANY_FACTS = 300_000
_VARIANT = "leak_test_variant"


def leak_test(context: Context, stored: StoredSet, run_id: str) -> LeakTestResult:
    """Rebuild some of its rows from perturbed raw facts, and compare them with the stored ones.

    A scratch warehouse lies in staging until it returns. The caller holds the lease of the training set.
    """
    context.listener.begun(stored.key)
    remove(context.warehouse.staging_of(stored.key))  # of killed runs
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
        require_zones(self.context.spark, zones_below(selection.view for selection in self.service.features))
        self._phase("choosing rows")
        path = self.context.warehouse.address(self.training_set.key).path
        stored = read(self.context.spark, path, version=self.training_set.version)
        spine_keys = [self.keys.get(key, key) for key, _ in self.service.keys]
        sample = sample_of(stored, self.service, keys=list(dict.fromkeys(spine_keys)))
        released = release_of(self.context, self.training_set.release)
        self.spine = self.context.spark.createDataFrame(_spine(sample))
        self.visible = visible_snapshots(self.context, self.service, released, self.spine, keys=self.keys)
        scenarios, rebuilt, changed = self._compared(sample, released, self._perturbations(released))
        # Does a cell change because of the perturbation, or does raw no longer give what is stored?
        is_stale = False
        if any(changed.values()):
            _, _, control = self._compared(sample, released, (Perturbation.NOTHING,))
            anyway = {(change.row, change.column) for change in control[Perturbation.NOTHING]}
            is_stale = all((change.row, change.column) in anyway for cells in changed.values() for change in cells)
        return result_of(
            sample,
            scenarios,
            rebuilt,
            changed,
            columns=len(self.columns),
            is_stale=is_stale,
            made_at=self.context.now_text(),
            seconds=round(time.monotonic() - begun, 1),
        )

    def _perturbations(self, released: Released) -> tuple[Perturbation, ...]:
        """First all facts are removed, then replaced; both in one pass where facts are many."""
        sources = {key_of(source) for source in map(_driver, self.service.features)}
        facts = [released.published.rows(source) for source in sources]
        return (Perturbation.MIXED,) if max(facts) > _MANY_FACTS else (Perturbation.REMOVED, Perturbation.REPLACED)

    def _compared(
        self, sample: Sample, released: Released, perturbations: Sequence[Perturbation]
    ) -> tuple[tuple[Scenario, ...], Rebuilt, dict[Perturbation, list[Change]]]:
        scenarios = scenarios_of(self.service, sample.instants_us, self.visible, perturbations=perturbations)
        self._phase(f"rebuilding {len(scenarios)} scenarios from raw")
        rebuild = Rebuild(
            self.context,
            self.service,
            released,
            scenarios,
            entities={
                number: entities_of(self.spine, selection, self.keys)
                for number, selection in enumerate(self.service.features)
            },
            built_to_us=self._built_to_us(sample, released),
            root=f"{self.scratch}/{'-'.join(perturbations)}",
        )
        rebuilt = rebuild.run(keys=self.keys)
        self._phase("joining again")
        rows = self._joined(sample, scenarios, rebuilt.histories, released, perturbations)
        self._phase("comparing cells")
        return (
            scenarios,
            rebuilt,
            {perturbation: changes(sample, _of(rows, perturbation), self.columns) for perturbation in perturbations},
        )

    def _built_to_us(self, sample: Sample, released: Released) -> dict[str, int]:
        """How far each derived view is built; one that the training set continues, to past the last label time."""
        past = max(sample.instants_us, default=0) + 1
        released_to = built_to(self.context, self.service, released)
        return {key: max(end, past) if key in self.training_set.continued else end for key, end in released_to.items()}

    def _joined(
        self,
        sample: Sample,
        scenarios: Sequence[Scenario],
        histories: Mapping[int, History],
        released: Released,
        perturbations: Sequence[Perturbation],
    ) -> pa.Table:
        """The sample's rows once per perturbation, joined to the rebuilt rows of their scenarios and to static ones."""
        numbers = {(w.perturbation, w.label_us, number): w.number for w in scenarios for number in w.selections}
        instants = sample.rows[LABEL_TIME].cast(pa.int64()).to_pylist()
        variants = []
        for perturbation in perturbations:
            variant = _spine(sample).append_column(_VARIANT, pa.array([perturbation.value] * len(instants)))
            for number in histories:
                in_scenario = pa.array([numbers.get((perturbation, at, number)) for at in instants], pa.int32())
                variant = variant.append_column(scenario_column(number), in_scenario)
            variants.append(variant)
        spine = self.context.spark.createDataFrame(pa.concat_tables(variants))
        static = {
            number: history_of(self.context, selection, released, keys=self.keys)
            for number, selection in enumerate(self.service.features)
            if selection.is_static
        }
        in_order = [history for _, history in sorted({**histories, **static}.items())]
        joined = point_in_time_join(spine, in_order, label_time=LABEL_TIME)
        present = [name for name in self.columns if name in joined.columns]
        rows = joined.select(ROW, _VARIANT, *present).toArrow()
        for name in self.columns:
            if name not in present:  # none of the rows can see a snapshot of its view
                rows = rows.append_column(name, pa.nulls(rows.num_rows, sample.rows[name].type))
        return rows

    def _phase(self, name: str) -> None:
        self.context.listener.phase(self.training_set.key, name)


def _driver(selection: Selection) -> Source:
    """The source whose facts a selection's values are made of; a selected source itself."""
    return selection.view.root


def _spine(sample: Sample) -> pa.Table:
    return sample.rows.select([ROW, *sample.keys, LABEL_TIME])


def _of(rows: pa.Table, perturbation: Perturbation) -> pa.Table:
    return rows.filter(pa.compute.equal(rows[_VARIANT], perturbation.value))
