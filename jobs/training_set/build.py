"""One run of a training set: stage the spine, join what is new, audit the whole, publish what changed."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import Any

from pyspark.sql import DataFrame

from definitions.versions import service_features, service_fingerprint
from jobs.inputs.histories import histories_of
from jobs.inputs.releases import Released, newest_release
from jobs.run.context import Context
from jobs.spines.spine import LABEL_TIME, open_spine
from jobs.training_set.card import gather_card
from jobs.training_set.certificate import Joined, gather_certificate, tables_of
from jobs.training_set.extension import Extension
from jobs.training_set.manifest import Manifest, find_manifest
from jobs.training_set.pages import write_owed_pages
from jobs.training_set.publish import BuildResult, Publishing, hash_of, measured
from jobs.training_set.request import TrainingSet, TrainingSetRequest
from jobs.training_set.reuse import data_key, find_current, points_of, views_of
from jobs.training_set.split import Split, counted, placed, refuse_taken
from jobs.training_set.split_request import with_gap
from kernels.content_hash import ContentHash
from lakehouse.commits import stage
from lakehouse.leases.leases import Lease
from lakehouse.tables import exists, read
from pit_join import History, gather_evidence, join_with_evidence
from pit_join.errors import NotCertified


class TrainingSetBuild:
    def __init__(
        self, context: Context, asked: TrainingSetRequest, name: str, run_id: str, leases: Mapping[str, Lease]
    ) -> None:
        self.context, self.name, self.run_id, self.leases = context, name, run_id, leases
        self.asked = _with_gap(context, asked)

    def run(self) -> TrainingSet:
        """The spine is staged first: whatever it was made of is read once, and every pass sees the same rows."""
        released = newest_release(self.context)
        self._doing("reading the spine")
        scratch = self._staging("delivered")
        given = open_spine(self.context, self.asked.spine, key_types=self.asked.key_types, scratch=scratch)
        histories = histories_of(self.context, self.asked.service, released, keys=self.asked.keys)
        self._join(given.frame, histories)  # refuses a wrong spine before anything is stored
        if self.asked.split:
            refuse_taken(given.frame.columns)
        with given.read():
            spine = self._staged(given.frame, "spine")
        spine_hash = hash_of(measured(spine, spine.columns))
        made_of = self._made_of(spine, spine_hash, released)
        before = find_manifest(self.context.warehouse, self.name)
        if before is not None and before.is_made_of(made_of):
            write_owed_pages(self.context.warehouse, before)
            return TrainingSet(before, is_unchanged=True, seconds=0.0)
        split = self._split(spine)
        views = views_of(self.asked.service, released, self.asked.keys)
        self._doing("joining")
        made = self._made(spine, histories, views, split)
        self._doing("certifying")
        joined = self._joined(given.origin, spine, spine_hash, made, histories, released)
        told = {**made_of, "views": views, "split": split, "version": before.version + 1 if before else 1}
        manifest = self._manifest(joined, told)
        self._doing("publishing")
        finished = Publishing(self.context, self.leases, manifest, made).publish()
        return TrainingSet(finished, is_unchanged=False, seconds=0.0, added=made.added, computed=made.computed)

    def _join(self, spine: DataFrame, histories: Sequence[History]) -> DataFrame:
        asked = self.asked
        return join_with_evidence(
            spine, histories, label_time=LABEL_TIME, knowledge=asked.knowledge, strategy=asked.strategy
        )

    def _made_of(self, spine: DataFrame, spine_hash: ContentHash, released: Released) -> dict[str, Any]:
        """All that decides the rows; what a manifest says of it is what went in."""
        return {
            "service": self.asked.service.name,
            "service_fingerprint": service_fingerprint(self.asked.service),
            "tables": tables_of(self.asked.service, released),
            "spine": {"columns": spine.columns, "rows": spine_hash.rows, "hash": spine_hash.hex},
            "options": self.asked.options,
        }

    def _split(self, spine: DataFrame) -> dict[str, Any]:
        asked = self.asked.split
        return counted(spine, placed(spine, asked), asked) if asked else {}

    def _made(
        self, spine: DataFrame, histories: Sequence[History], views: Mapping[str, Any], split: Mapping[str, Any]
    ) -> BuildResult:
        standing = find_current(self.context, self.name)
        return Extension(
            context=self.context,
            spine=spine,
            histories=histories,
            features=[column.name for column in self.asked.service.columns],
            points=points_of(views),
            split=Split.of_manifest(split),
            standing=standing,
            kept=standing.kept(views, self.asked.knowledge, spine) if standing else set(),
            join=self._join,
            staged=self._staged,
        ).made()

    def _joined(
        self,
        origin: str,
        spine: DataFrame,
        spine_hash: ContentHash,
        made: BuildResult,
        histories: Sequence[History],
        released: Released,
    ) -> Joined:
        """The audit is of the whole set, whatever of it this run joined."""
        columns = made.rows.columns
        # Each is a small job that leaves a core idle: side by side they take half the time.
        with ThreadPoolExecutor(self.context.options.workers, thread_name_prefix="audit") as pool:
            auditing = pool.submit(measured, made.rows, columns, profiled=columns)
            rehashing = pool.submit(measured, made.rows, spine.columns)
            gathering = pool.submit(gather_evidence, made.evidence, histories, label_time=LABEL_TIME)
        content = auditing.result()
        return Joined(
            name=self.name,
            service=self.asked.service,
            origin=origin,
            knowledge=self.asked.knowledge,
            histories=histories,
            spine=spine,
            rows=made.rows,
            columns=columns,
            profile=content.profile,
            content=hash_of(content),
            spine_before=spine_hash,
            spine_after=hash_of(rehashing.result()),
            evidence=gathering.result(),
            released=released,
            made_at=self.context.now_text(),
        )

    def _manifest(self, joined: Joined, told: Mapping[str, Any]) -> Manifest:
        """Raises NotCertified for a broken promise."""
        certificate = gather_certificate(joined)
        if broken := [check for check in certificate.checks if not check.passed]:
            found = "; ".join(f"{check.promise}: {check.found}" for check in broken)
            raise NotCertified(
                f"training set '{self.name}' breaks a promise of its certificate ({found}). Nothing was published; "
                "please report this."
            )
        return Manifest(
            **told,
            name=self.name,
            run_id=self.run_id,
            made_at=joined.made_at,
            features=service_features(self.asked.service),
            release=joined.released.release_id,
            origin=joined.origin,
            data={"version": None, "rows": joined.content.rows, "hash": joined.content.hex},
            certificate=asdict(certificate),
            card=asdict(gather_card(joined, certificate, list(self.asked.key_types), split=told["split"])),
        )

    def _staged(self, frame: DataFrame, what: str) -> DataFrame:
        staged = stage(frame, self._staging(what), partition_by=[])
        return read(self.context.spark, staged.path, version=staged.version)

    def _staging(self, what: str) -> str:
        return f"{self.context.warehouse.staging(data_key(self.name), self.run_id)}/{what}"

    def _doing(self, what: str) -> None:
        self.context.listener.phase(data_key(self.name), what)


def _with_gap(context: Context, asked: TrainingSetRequest) -> TrainingSetRequest:
    """The gap of its split, if it has one: the horizon where the spine is a label's."""
    if asked.split is None:
        return asked
    names = {label.name: label for label in context.registry.labels}
    label = names.get(asked.spine) if isinstance(asked.spine, str) else None
    if label is not None and not exists(context.spark, context.warehouse.spine(label.name).path):
        label = None
    return replace(asked, split=with_gap(asked.split, label))
