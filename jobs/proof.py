"""The future-poison test: a training set's rows again, from raw facts whose future is gone or says something else."""

import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC
from functools import reduce
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from features.durations import instant_text, to_us
from features.errors import DefinitionChanged, NotReleased, UsageError
from features.feature_service import FeatureService
from features.registry import key_of
from features.versions import service_fingerprint
from features.views import CrossEntityView, DerivedView
from jobs.context import Place
from jobs.histories import Released, history_of
from jobs.known import Known
from jobs.manifest import Manifest, manifest_of, write_manifest
from jobs.pages import write_pages
from jobs.proof_compare import Change, changes
from jobs.proof_rebuild import Rebuild, Rebuilt, world_of
from jobs.proof_sample import ROW, Sample, sample_of
from jobs.proof_worlds import Poison, Seen, World, worlds_of
from jobs.spines import LABEL_TIME
from lakehouse.commit_notes import CommitNote
from lakehouse.leases import LeaseDesk
from lakehouse.ledger import Ledger
from lakehouse.tables import history, read, remove
from pit_join import History, point_in_time_join
from pit_join.errors import FutureLeak
from pit_join.facts import AT_LABEL
from reports.training_set import Proof, ProofChange, ProofInstant

_TOLD = 20
_MANY_FACTS = 300_000
_REASON = "future-poison test"
_VARIANT = "proof_variant"


def prove_training_set(place: Place, name: str) -> Manifest:
    """Prove it and write the result into its certificate; the manifest with it.

    Raises FutureLeak when a cell changed, after the certificate was marked as not certified; UsageError for a set that
    used the latest knowledge, DefinitionChanged where the service means something else now. The set is leased for as
    long as it takes; a scratch warehouse lies in staging meanwhile.
    """
    run_id = f"{place.clock().astimezone(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}"
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
        proven = _with_proof(manifest, proof)
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
        released = _released(self.place, self.manifest.release)
        self.seen = self._seen(sample, released)
        worlds, rebuilt, found = self._compared(sample, released, self._poisons(released))
        # Does a cell change because of the poison, or does raw no longer give what is stored?
        is_stale = False
        if any(found.values()):
            _, _, control = self._compared(sample, released, (Poison.NOTHING,))
            told = {(change.row, change.column) for change in control[Poison.NOTHING]}
            is_stale = all((change.row, change.column) in told for each in found.values() for change in each)
        return self._told(sample, worlds, rebuilt, found, is_stale=is_stale, seconds=time.monotonic() - begun)

    def _poisons(self, released: Released) -> tuple[Poison, ...]:
        """Both, one after the other; at once where cohorts need many facts."""
        compared = [s.view.of.source for s in self.service.features if isinstance(s.view, CrossEntityView)]
        driving = {key_of(each.root if isinstance(each, DerivedView) else each) for each in compared}
        facts = sum(released.known.rows(key) for key in driving)
        return (Poison.MIXED,) if facts > _MANY_FACTS else (Poison.REMOVED, Poison.REPLACED)

    def _seen(self, sample: Sample, released: Released) -> Seen:
        """Which snapshots the chosen rows can see, by S14 and S11 alone: nothing of the join is asked."""
        spine = self._spine(sample)
        parts = []
        for number, selection in enumerate(self.service.features):
            if not selection.is_snapshot:
                continue
            path = self.place.warehouse.address(key_of(selection.view)).path
            rows = read(self.place.spark, path, version=released.version(selection.view))
            named = zip(selection.entity.key_names, selection.spine_keys, strict=True)
            asked = spine.select(
                *(F.col(self.keys.get(key, key)).alias(own) for own, key in named),
                F.unix_micros(LABEL_TIME).alias("at"),
            ).distinct()
            both = rows.join(F.broadcast(asked), on=list(selection.entity.key_names), how="inner").where(
                (F.unix_micros("event_time") <= F.col("at"))
                & (F.unix_micros("available_time") <= F.col("at"))
                & (F.col("superseded_at").isNull() | (F.unix_micros("superseded_at") > F.col("at")))
            )
            newest = both.groupBy("at", *selection.entity.key_names).agg(
                F.max(F.unix_micros("event_time")).alias("as_of")
            )
            parts.append(newest.select(F.lit(number).alias("place"), "at", "as_of").distinct())
        found: dict[tuple[int, int], list[int]] = {}
        for row in sorted(reduce(DataFrame.union, parts).collect()) if parts else ():
            found.setdefault((row["place"], row["at"]), []).append(row["as_of"])
        return found

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
            entities=self._entities(sample),
            built_to_us=self._built_to(released),
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
            variant = self._spine_table(sample).append_column(_VARIANT, pa.array([poison.value] * len(instants)))
            for number in histories:
                in_world = pa.array([numbers.get((poison, at, number)) for at in instants], pa.int32())
                variant = variant.append_column(world_of(number), in_world)
            variants.append(variant)
        spine = self.place.spark.createDataFrame(pa.concat_tables(variants))
        static = {
            number: history_of(self.place, selection, released, keys=self.keys)
            for number, selection in enumerate(self.service.features)
            if getattr(selection.view, "is_static", False)
        }
        both = [each for _, each in sorted({**histories, **static}.items())]
        joined = point_in_time_join(spine, both, label_time=LABEL_TIME)
        there = [name for name in self.columns if name in joined.columns]
        rows = joined.select(ROW, _VARIANT, *there).toArrow()
        for name in self.columns:
            if name not in there:  # none of the rows can see a snapshot of its view
                rows = rows.append_column(name, pa.nulls(rows.num_rows, sample.rows[name].type))
        return rows

    def _entities(self, sample: Sample) -> dict[int, DataFrame]:
        spine = self._spine(sample)
        return {
            number: spine.select(
                *(
                    F.col(self.keys.get(key, key)).alias(own)
                    for own, key in zip(selection.entity.key_names, selection.spine_keys, strict=True)
                )
            ).distinct()
            for number, selection in enumerate(self.service.features)
        }

    def _built_to(self, released: Released) -> dict[str, int]:
        """How far each derived view that is joined itself was built in this release, from its commits."""
        views = [s.view for s in self.service.features if isinstance(s.view, DerivedView)]
        return {key_of(view): self._built_to_of(key_of(view), released.version(view)) for view in views}

    def _built_to_of(self, key: str, version: int) -> int:
        for commit in history(self.place.spark, self.place.warehouse.address(key).path):
            note = CommitNote.from_json(commit.user_metadata)
            if commit.version <= version and note is not None and "built_to_us" in note.extra:
                return int(note.extra["built_to_us"])
        return 0

    def _spine_table(self, sample: Sample) -> pa.Table:
        return sample.rows.select([ROW, *sample.keys, LABEL_TIME])

    def _spine(self, sample: Sample) -> DataFrame:
        return self.place.spark.createDataFrame(self._spine_table(sample))

    def _told(
        self,
        sample: Sample,
        worlds: Sequence[World],
        rebuilt: Rebuilt,
        found: Mapping[Poison, Sequence[Change]],
        *,
        is_stale: bool,
        seconds: float,
    ) -> Proof:
        every = [(poison, change) for poison, each in found.items() for change in each]
        rows = sample.rows.num_rows
        return Proof(
            poisons=tuple(poison.value for poison in found),
            verdict="broken" if every else "held" if rows else "nothing to compare",
            instants=tuple(_instant(at, sample, worlds, rebuilt) for at in sample.instants_us),
            entities=sample.entities,
            rows=rows,
            cells=rows * len(self.columns) * len(found),
            facts={key: each.facts for key, each in sorted(rebuilt.found.items())},
            changed_cells=len(every),
            changes=tuple(_change(sample, poison, change) for poison, change in _first(every)),
            is_stale=is_stale,
            made_at=instant_text(to_us(self.place.clock().replace(microsecond=0))),
            seconds=round(seconds, 1),
        )

    def _doing(self, what: str) -> None:
        self.place.listener.phase(self.table, what)


def _released(place: Place, release_id: int) -> Released:
    """The release that the training set was made of, which need not be the newest."""
    rows = read(place.spark, place.warehouse.releases.path).where(F.col("release_id") == release_id).collect()
    if not rows:
        raise NotReleased(
            f"release {release_id} is not in {place.warehouse.releases.path}; build the training set again."
        )
    versions = {table: view["version"] for table, view in json.loads(rows[0]["views"]).items()}
    return Released(release_id, versions, Known(Ledger.open(place.spark, place.warehouse).state()))


def _first(every: Sequence[tuple[Poison, Change]]) -> list[tuple[Poison, Change]]:
    """The first change of each column, then others: it is columns that leak."""
    of_column: dict[str, tuple[Poison, Change]] = {}
    for each in every:
        of_column.setdefault(each[1].column, each)
    firsts = list(of_column.values())
    return [*firsts, *(each for each in every if each not in firsts)][: max(_TOLD, len(firsts))]


def _of(rows: pa.Table, poison: Poison) -> pa.Table:
    return rows.filter(pa.compute.equal(rows[_VARIANT], poison.value))


def _instant(at: int, sample: Sample, worlds: Sequence[World], rebuilt: Rebuilt) -> ProofInstant:
    """Facts that could not be known at a label time; where snapshots and facts differ in that, the greater number."""
    numbers = [world.number for world in worlds if world.label_us == at]
    unknowable = {
        key: max(each.unknowable[number] for number in numbers if number in each.unknowable)
        for key, each in sorted(rebuilt.found.items())
        if any(number in each.unknowable for number in numbers)
    }
    rows = sample.rows[LABEL_TIME].cast(pa.int64()).to_pylist().count(at)
    return ProofInstant(instant_text(at), rows=rows, poisoned=unknowable)


def _change(sample: Sample, poison: Poison, change: Change) -> ProofChange:
    row = sample.rows.filter(pa.compute.equal(sample.rows[ROW], change.row)).select([*sample.keys]).to_pylist()[0]
    at = sample.rows[LABEL_TIME].cast(pa.int64())[change.row].as_py()
    return ProofChange(
        change.column,
        keys=", ".join(f"{name}={value}" for name, value in row.items()),
        label_time=instant_text(at),
        poison=poison.value,
        stored=_text(change.stored),
        rebuilt=_text(change.rebuilt),
    )


def _text(value: Any) -> str:
    return "null" if value is None else str(value)


def _with_proof(manifest: Manifest, proof: Proof) -> Manifest:
    """The manifest with the proof in its certificate; a broken one takes the certificate's word back."""
    reasons = [each for each in manifest.certificate["reasons"] if not each.startswith(_REASON)]
    if proof.changed_cells:
        reasons.append(f"{_REASON}: {proof.told(manifest.name)}")
    verdict = {"is_certified": not reasons, "reasons": reasons}
    return replace(
        manifest,
        certificate={**manifest.certificate, **verdict, "proof": asdict(proof)},
        card={**manifest.card, **verdict},
    )
