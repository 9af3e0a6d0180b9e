"""Training sets: a spine joined point in time to a service's released features; staged, certified, then published."""

import time
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from features.durations import instant_text, to_us
from features.feature_service import FeatureService
from features.sources import check_name
from features.versions import service_features, service_fingerprint
from jobs.card import gather_card
from jobs.certificate import Joined, gather_certificate, tables_of
from jobs.context import Place
from jobs.histories import Released, histories_of, newest_release
from jobs.manifest import Manifest, find_manifest, manifest_of, write_manifest
from jobs.outcome import Status, StepOutcome
from jobs.pages import write_owed_pages, write_pages
from jobs.spines import LABEL_TIME, open_spine
from kernels.content_hash import ContentHash
from lakehouse.commit_notes import CommitNote, SliceNote
from lakehouse.commits import replace_all, stage
from lakehouse.crash_points import crash_point
from lakehouse.leases import Lease, LeaseDesk
from lakehouse.tables import TableAddress, read, remove
from pit_join import History, gather_evidence, join_with_evidence, point_in_time_join
from pit_join.errors import NotCertified
from quality.measure import SLICE, Measured, measure

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A training set as it was asked for. `keys`: the service's join key -> what the spine calls it."""

    service: FeatureService
    spine: "str | DataFrame | pd.DataFrame"
    keys: Mapping[str, str] = field(default_factory=dict)
    knowledge: str = "at_label"

    @property
    def key_types(self) -> dict[str, str]:
        return {self.keys.get(key, key): type_ for key, type_ in self.service.keys}


@dataclass(frozen=True)
class TrainingSet:
    """What became of it: the manifest in force, and whether this run changed anything."""

    manifest: Manifest
    is_unchanged: bool
    seconds: float


def training_frame(place: Place, asked: Asked) -> DataFrame:
    """The spine's rows and columns, then the service's features as they were known; nothing is written.

    Null: unseen, expired, or null in the whole row that matched (S16). Raises what `open_spine` and the join do.
    """
    scratch = place.warehouse.staging(f"spine-{uuid.uuid4().hex[:8]}", "spine")
    spine = open_spine(place, asked.spine, key_types=asked.key_types, scratch=scratch)
    histories = histories_of(place, asked.service, newest_release(place), keys=asked.keys)
    return point_in_time_join(spine.frame, histories, label_time=LABEL_TIME, knowledge=asked.knowledge)


def build_training_set(place: Place, asked: Asked, *, name: str) -> TrainingSet:
    """Join, certify and publish; the same spine and release again change nothing (S28).

    Raises NotCertified, and publishes nothing, when the result breaks a promise of its certificate.
    """
    check_name(name, "training set")
    begun = time.monotonic()
    run_id = f"{place.clock().astimezone(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}"
    table = place.warehouse.address(f"training_sets/{name}/data")
    with LeaseDesk.at(place.warehouse.leases, run_id=run_id).acquire(table.key) as lease:
        place.listener.begun(table.key)
        remove(place.warehouse.staging_of(table.key))  # what killed runs left; the lease is ours
        try:
            made = _Making(place, asked, name, run_id, table).run(lease)
        finally:
            remove(place.warehouse.staging(table.key, run_id))
            place.listener.idle(table.key)
    ended = replace(made, seconds=time.monotonic() - begun)
    place.listener.ended(_step(ended, table))
    return ended


def read_training_set(place: Place, name: str) -> DataFrame:
    """The rows that the manifest names, at the version it names."""
    manifest = manifest_of(place.warehouse, name)
    path = place.warehouse.address(f"training_sets/{name}/data").path
    return read(place.spark, path, version=manifest.data["version"])


class _Making:
    def __init__(self, place: Place, asked: Asked, name: str, run_id: str, table: TableAddress) -> None:
        self.place, self.asked, self.name, self.run_id, self.table = place, asked, name, run_id, table

    def run(self, lease: Lease) -> TrainingSet:
        """The spine is staged first: whatever it was made of is read once, and every pass sees the same rows."""
        released = newest_release(self.place)
        self._doing("reading the spine")
        scratch = self._staging("delivered")
        given = open_spine(self.place, self.asked.spine, key_types=self.asked.key_types, scratch=scratch)
        histories = histories_of(self.place, self.asked.service, released, keys=self.asked.keys)
        self._join(given.frame, histories)  # refuses a wrong spine before anything is stored
        with given.read():
            spine = self._staged(given.frame, "spine")
        spine_hash = _hash(_measured(spine, spine.columns))
        made_of = self._made_of(spine, spine_hash, released)
        before = find_manifest(self.place.warehouse, self.name)
        if before is not None and before.is_made_of(made_of):
            write_owed_pages(self.place.warehouse, before)
            return TrainingSet(before, is_unchanged=True, seconds=0.0)
        self._doing("joining")
        rows = self._staged(self._join(spine, histories), "joined")
        self._doing("certifying")
        joined = self._joined(given.origin, spine, spine_hash, rows, histories, released)
        return self._publish(lease, self._manifest(joined, made_of), rows)

    def _join(self, spine: DataFrame, histories: Sequence[History]) -> DataFrame:
        return join_with_evidence(spine, histories, label_time=LABEL_TIME, knowledge=self.asked.knowledge)

    def _made_of(self, spine: DataFrame, spine_hash: ContentHash, released: Released) -> dict[str, Any]:
        """All that decides the rows; what a manifest says of it is what went in."""
        return {
            "service": self.asked.service.name,
            "service_fingerprint": service_fingerprint(self.asked.service),
            "tables": tables_of(self.asked.service, released),
            "spine": {"columns": spine.columns, "rows": spine_hash.rows, "hash": spine_hash.hex},
            "options": {"knowledge": self.asked.knowledge, "keys": dict(self.asked.keys)},
        }

    def _joined(
        self,
        origin: str,
        spine: DataFrame,
        spine_hash: ContentHash,
        rows: DataFrame,
        histories: Sequence[History],
        released: Released,
    ) -> Joined:
        columns = [*spine.columns, *(column.name for column in self.asked.service.columns)]
        # Each is a small job that leaves a core idle: side by side they take half the time.
        with ThreadPoolExecutor(self.place.options.workers, thread_name_prefix="audit") as pool:
            auditing = pool.submit(_measured, rows, columns, profiled=columns)
            rehashing = pool.submit(_measured, rows, spine.columns)
            gathering = pool.submit(gather_evidence, rows, histories, label_time=LABEL_TIME)
        measured = auditing.result()
        return Joined(
            name=self.name,
            service=self.asked.service,
            origin=origin,
            knowledge=self.asked.knowledge,
            histories=histories,
            spine=spine,
            rows=rows,
            columns=columns,
            profile=measured.profile,
            content=_hash(measured),
            spine_before=spine_hash,
            spine_after=_hash(rehashing.result()),
            evidence=gathering.result(),
            released=released,
            made_at=instant_text(to_us(self.place.clock().replace(microsecond=0))),
        )

    def _manifest(self, joined: Joined, made_of: Mapping[str, Any]) -> Manifest:
        """Raises NotCertified for a broken promise."""
        certificate = gather_certificate(joined)
        if broken := [check for check in certificate.checks if not check.passed]:
            told = "; ".join(f"{check.promise}: {check.found}" for check in broken)
            raise NotCertified(
                f"training set '{self.name}' breaks a promise of its certificate ({told}). Nothing was published; "
                "please report this."
            )
        return Manifest(
            **made_of,
            name=self.name,
            run_id=self.run_id,
            made_at=joined.made_at,
            features=service_features(self.asked.service),
            release=joined.released.release_id,
            origin=joined.origin,
            data={"version": None, "rows": joined.content.rows, "hash": joined.content.hex},
            certificate=asdict(certificate),
            card=asdict(gather_card(joined, certificate, list(self.asked.key_types))),
        )

    def _publish(self, lease: Lease, manifest: Manifest, rows: DataFrame) -> TrainingSet:
        self._doing("publishing")
        note = CommitNote(
            self.run_id,
            self.table.key,
            manifest.service_fingerprint,
            inputs=manifest.tables,
            slices={self.name: SliceNote(manifest.data["rows"], manifest.data["hash"])},
        )
        columns = [*manifest.spine["columns"], *manifest.features]
        published = replace_all(self.place.spark, rows.select(*columns), self.table, lease=lease, note=note)
        finished = replace(manifest, data={**manifest.data, "version": published.version})
        crash_point("before_manifest", self.table.key)
        write_manifest(self.place.warehouse, finished)
        crash_point("after_manifest", self.table.key)
        write_pages(self.place.warehouse, finished)
        return TrainingSet(finished, is_unchanged=False, seconds=0.0)

    def _staged(self, frame: DataFrame, what: str) -> DataFrame:
        staged = stage(frame, self._staging(what), partition_by=[])
        return read(self.place.spark, staged.path, version=staged.version)

    def _staging(self, what: str) -> str:
        return f"{self.place.warehouse.staging(self.table.key, self.run_id)}/{what}"

    def _doing(self, what: str) -> None:
        self.place.listener.phase(self.table.key, what)


def _measured(frame: DataFrame, columns: Sequence[str], *, profiled: Sequence[str] = ()) -> Measured:
    return measure(frame.withColumn(SLICE, F.lit(0).cast("bigint")), keys=[], profiled=profiled, hashed=columns)


def _hash(measured: Measured) -> ContentHash:
    return measured.hashes.get(0, ContentHash("0" * 64, 0))


def _step(made: TrainingSet, table: TableAddress) -> StepOutcome:
    told = "certified" if made.manifest.certificate["is_certified"] else "not certified"
    return StepOutcome(
        table=table.key,
        status=Status.UNCHANGED if made.is_unchanged else Status.PUBLISHED,
        rows_in=made.manifest.data["rows"],
        rows_out=made.manifest.data["rows"],
        seconds=made.seconds,
        version=made.manifest.data["version"],
        message=told,
    )
