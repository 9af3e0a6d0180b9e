"""The future-poison test: a training set's rows again, from raw facts whose future is gone or says something else."""

import time
from collections.abc import Mapping, Sequence

import pyarrow as pa

from features.errors import DefinitionChanged, UsageError
from features.feature_service import FeatureService, Selection
from features.registry import key_of
from features.sources import Source
from features.versions import service_fingerprint
from features.views import AggregateView, CrossEntityView, DerivedView
from jobs.context import Place
from jobs.histories import history_of
from jobs.manifest import Manifest, manifest_of, write_manifest
from jobs.pages import write_pages
from jobs.proof_compare import Change, changes
from jobs.proof_rebuild import Rebuild, Rebuilt, world_of
from jobs.proof_release import built_to, entities_of, release_of, snapshots_seen
from jobs.proof_sample import ROW, Sample, sample_of
from jobs.proof_told import told, with_proof
from jobs.proof_worlds import Poison, World, worlds_of
from jobs.released import Released
from jobs.spines import LABEL_TIME
from lakehouse.leases import LeaseDesk
from lakehouse.tables import read, remove
from pit_join import History, point_in_time_join
from pit_join.errors import FutureLeak
from pit_join.facts import AT_LABEL
from reports.training_set import Proof

_MANY_FACTS = 300_000
_VARIANT = "proof_variant"


def prove_training_set(place: Place, name: str) -> Manifest:
    """Prove it and write the result into its certificate; the manifest with it.

    Raises FutureLeak when a cell changed, after the certificate was marked as not certified; UsageError for a set that
    used the latest knowledge, DefinitionChanged where the service means something else now. The set is leased for as
    long as it takes; a scratch warehouse lies in staging meanwhile.
    """
    run_id = place.new_run_id()
    table = place.warehouse.address(f"training_sets/{name}/data")
    service = _provable(place, manifest_of(place.warehouse, name))
    with LeaseDesk.at(place.warehouse.leases, run_id=run_id).acquire(table.key):
        manifest = manifest_of(place.warehouse, name)
        place.listener.begun(table.key)
        remove(place.warehouse.staging_of(table.key))  # what killed runs left; the lease is ours
        try:
            proof = _Proof(place, manifest, service, place.warehouse.staging(table.key, run_id)).run()
        finally:
            remove(place.warehouse.staging(table.key, run_id))
            place.listener.idle(table.key)
        proven = with_proof(manifest, proof)
        write_manifest(place.warehouse, proven)
        write_pages(place.warehouse, proven)
    if proof.changed_cells:
        raise FutureLeak(f"training set '{name}': {proof.told(name)}. Its certificate says so now.")
    return proven


def _provable(place: Place, manifest: Manifest) -> FeatureService:
    service = place.registry.service(manifest.service)
    if manifest.options["knowledge"] != AT_LABEL:
        raise UsageError(
            f"training set '{manifest.name}' was asked for with knowledge '{manifest.options['knowledge']}': it knows "
            "its future by choice, so there is nothing to prove. Build it without --knowledge."
        )
    if service_fingerprint(service) != manifest.service_fingerprint:
        raise DefinitionChanged(
            f"training set '{manifest.name}' was made by other definitions of '{service.name}' than stand here now. "
            "Build it again, then prove it."
        )
    return service


class _Proof:
    def __init__(self, place: Place, manifest: Manifest, service: FeatureService, scratch: str) -> None:
        self.place, self.manifest, self.service, self.scratch = place, manifest, service, scratch
        self.table = f"training_sets/{manifest.name}/data"
        self.keys: Mapping[str, str] = manifest.options["keys"]
        self.columns = [column.name for column in service.columns]

    def run(self) -> Proof:
        begun = time.monotonic()
        self._doing("choosing rows")
        path = self.place.warehouse.address(self.table).path
        stored = read(self.place.spark, path, version=self.manifest.data["version"])
        spine_keys = [self.keys.get(key, key) for key, _ in self.service.keys]
        sample = sample_of(stored, self.service, keys=list(dict.fromkeys(spine_keys)))
        released = release_of(self.place, self.manifest.release)
        self.spine = self.place.spark.createDataFrame(_spine(sample))
        self.seen = snapshots_seen(self.place, self.service, released, self.spine, keys=self.keys)
        worlds, rebuilt, found = self._compared(sample, released, self._poisons(released))
        # Does a cell change because of the poison, or does raw no longer give what is stored?
        is_stale = False
        if any(found.values()):
            _, _, control = self._compared(sample, released, (Poison.NOTHING,))
            anyway = {(change.row, change.column) for change in control[Poison.NOTHING]}
            is_stale = all((change.row, change.column) in anyway for each in found.values() for change in each)
        return told(
            sample,
            worlds,
            rebuilt,
            found,
            columns=len(self.columns),
            is_stale=is_stale,
            made_at=self.place.now_text(),
            seconds=round(time.monotonic() - begun, 1),
        )

    def _poisons(self, released: Released) -> tuple[Poison, ...]:
        """Both, one after the other; at once where facts are many."""
        facts = {key_of(each): released.known.rows(key_of(each)) for each in map(_driver, self.service.features)}
        return (Poison.MIXED,) if max(facts.values()) > _MANY_FACTS else (Poison.REMOVED, Poison.REPLACED)

    def _compared(
        self, sample: Sample, released: Released, poisons: Sequence[Poison]
    ) -> tuple[tuple[World, ...], Rebuilt, dict[Poison, list[Change]]]:
        worlds = worlds_of(self.service, sample.instants_us, self.seen, poisons=poisons)
        self._doing(f"rebuilding {len(worlds)} worlds from raw")
        rebuild = Rebuild(
            self.place,
            self.service,
            released,
            worlds,
            entities={n: entities_of(self.spine, each, self.keys) for n, each in enumerate(self.service.features)},
            built_to_us=built_to(self.place, self.service, released),
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
        worlds: Sequence[World],
        histories: Mapping[int, History],
        released: Released,
        poisons: Sequence[Poison],
    ) -> pa.Table:
        """The sample's rows once per poison, joined to the rebuilt rows of their worlds, and to static ones as ever."""
        numbers = {(w.poison, w.label_us, number): w.number for w in worlds for number in w.places}
        instants = sample.rows[LABEL_TIME].cast(pa.int64()).to_pylist()
        variants = []
        for poison in poisons:
            variant = _spine(sample).append_column(_VARIANT, pa.array([poison.value] * len(instants)))
            for number in histories:
                in_world = pa.array([numbers.get((poison, at, number)) for at in instants], pa.int32())
                variant = variant.append_column(world_of(number), in_world)
            variants.append(variant)
        spine = self.place.spark.createDataFrame(pa.concat_tables(variants))
        static = {
            number: history_of(self.place, selection, released, keys=self.keys)
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
        self.place.listener.phase(self.table, what)


def _driver(selection: Selection) -> Source:
    """The source whose facts a selection's values are made of, or that it is."""
    view = selection.view
    if isinstance(view, CrossEntityView):
        view = view.of
    below = view.source if isinstance(view, AggregateView) else view
    return below.root if isinstance(below, DerivedView) else below


def _spine(sample: Sample) -> pa.Table:
    return sample.rows.select([ROW, *sample.keys, LABEL_TIME])


def _of(rows: pa.Table, poison: Poison) -> pa.Table:
    return rows.filter(pa.compute.equal(rows[_VARIANT], poison.value))
