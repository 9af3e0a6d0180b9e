"""One run of a training set: stage the spine, join what is new, audit the whole, publish what changed."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from pyspark.sql import DataFrame

from definitions.versions import service_features, service_fingerprint
from definitions.views import DerivedView
from jobs.build.continued import Continuation, continuation_of, continued_rows, has_derived, named_failures
from jobs.build.small import kept
from jobs.inputs.histories import histories_of
from jobs.inputs.reach import BeyondReach, RowsBeyond, refuse_beyond, rows_beyond, service_reaches
from jobs.inputs.releases import Released, newest_release
from jobs.run.context import Context
from jobs.spines.spine import LABEL_TIME, newest_label_us, open_spine
from jobs.training_set.card import gather_card
from jobs.training_set.certificate import Joined, gather_certificate, tables_of
from jobs.training_set.manifest import DataPart, Inputs, Manifest, SpinePart, SplitPart, ViewPart, data_key
from jobs.training_set.manifest_files import find_manifest
from jobs.training_set.pages import write_missing_pages, write_pages
from jobs.training_set.publish import Publishing
from jobs.training_set.request import TrainingSet, TrainingSetRequest
from jobs.training_set.reuse import CurrentVersion, Extension, points_of, views_of
from jobs.training_set.rows import BuildResult, hash_of, measured
from jobs.training_set.split import Split, refuse_split_column, split_spine, with_gap
from kernels.content_hash import ContentHash
from lakehouse.leases.leases import Lease
from lakehouse.tables import exists
from pit_join import History, gather_evidence, join_with_evidence
from pit_join.errors import NotCertified


class TrainingSetBuild:
    def __init__(
        self, context: Context, request: TrainingSetRequest, name: str, run_id: str, leases: Mapping[str, Lease]
    ) -> None:
        self.context, self.name, self.run_id, self.leases = context, name, run_id, leases
        self.request = _with_gap(context, request)
        self.continued: Mapping[str, DerivedView] = {}
        self.is_small = not isinstance(request.spine, DataFrame)  # which may be a query that is not to run twice

    def run(self) -> TrainingSet:
        """The spine is staged first: its source is read once, and every pass sees the same rows."""
        released = newest_release(self.context)
        self._phase("reading the spine")
        scratch = self._staging("delivered")
        opened = open_spine(self.context, self.request.spine, types=self.request.spine_types, scratch=scratch)
        histories = histories_of(self.context, self.request.service, released, keys=self.request.keys)
        self._join(opened.frame, histories)  # refuses a wrong spine before anything is stored
        if self.request.split:
            refuse_split_column(opened.frame.columns)
        with opened.read():
            spine = self._staged(opened.frame, "spine")
        spine_hash = hash_of(measured(spine, spine.columns))
        beyond = self._beyond(spine, released)
        until_us = newest_label_us(spine) if has_derived(self.request.service) else None
        continuation = continuation_of(self.context, [self.request.service], released, until_us=until_us)
        self.continued = continuation.views
        inputs = self._inputs(spine, spine_hash, released)
        before = find_manifest(self.context.warehouse, self.name)
        if before is not None and before.inputs == inputs:
            write_missing_pages(self.context.warehouse, before)
            return TrainingSet(before, is_unchanged=True, seconds=0.0)
        split = split_spine(spine, self.request.split) if self.request.split else None
        views = views_of(self.request.service, released, self.request.keys, self.continued)
        with named_failures(self.context, continuation, released):
            histories = self._continued(continuation, released) or histories
            self._phase("joining")
            result = self._built(spine, histories, views, split, before)
            self._phase("certifying")
            joined = self._joined(opened.origin, spine, spine_hash, result, histories, released, beyond)
            version = before.version + 1 if before else 1
            manifest = replace(self._manifest(joined, inputs, split), views=views, version=version)
        self._phase("publishing")
        finished = Publishing(self.context, self.leases, manifest, result).publish()
        write_pages(self.context.warehouse, finished)
        return TrainingSet(finished, is_unchanged=False, seconds=0.0, added=result.added, computed=result.computed)

    def _continued(self, continuation: Continuation, released: Released) -> list[History]:
        """The histories where the label times go on after the newest as-of of a derived view; else none."""
        service, rows = self.request.service, continued_rows(self.context, continuation, released)
        return histories_of(self.context, service, released, keys=self.request.keys, rows=rows) if rows else []

    def _beyond(self, spine: DataFrame, released: Released) -> RowsBeyond:
        found = service_reaches(self.context, self.request.service, released.published)
        beyond = rows_beyond(spine, found, label_time=LABEL_TIME)
        if self.request.beyond_reach == BeyondReach.REFUSE:
            refuse_beyond(beyond.messages, f"training set '{self.name}'")
        return beyond

    def _join(self, spine: DataFrame, histories: Sequence[History]) -> DataFrame:
        request = self.request
        return join_with_evidence(
            spine, histories, label_time=LABEL_TIME, knowledge=request.knowledge, strategy=request.strategy
        )

    def _inputs(self, spine: DataFrame, spine_hash: ContentHash, released: Released) -> Inputs:
        return Inputs(
            self.request.service.name,
            service_fingerprint(self.request.service),
            tables=tables_of(self.request.service, released, self.continued),
            spine=SpinePart(tuple(spine.columns), spine_hash.rows, spine_hash.hex),
            options=self.request.options,
        )

    def _built(
        self,
        spine: DataFrame,
        histories: Sequence[History],
        views: Mapping[str, ViewPart],
        split: SplitPart | None,
        before: Manifest | None,
    ) -> BuildResult:
        current = CurrentVersion.of(self.context, before)
        return Extension(
            context=self.context,
            spine=spine,
            histories=histories,
            features=[column.name for column in self.request.service.columns],
            points=points_of(views),
            split=Split.of_part(split),
            current=current,
            reusable=current.reusable(views, self.request.knowledge, spine) if current else set(),
            join=self._join,
            staged=self._staged,
        ).build()

    def _joined(
        self,
        origin: str,
        spine: DataFrame,
        spine_hash: ContentHash,
        result: BuildResult,
        histories: Sequence[History],
        released: Released,
        beyond: RowsBeyond,
    ) -> Joined:
        """The audit covers the whole set, also the rows and columns that were taken over."""
        columns = result.rows.columns
        # Each of these small jobs leaves a core idle: side by side they take half the time.
        with ThreadPoolExecutor(self.context.options.workers, thread_name_prefix="audit") as pool:
            auditing = pool.submit(measured, result.rows, columns, profiled=columns)
            rehashing = pool.submit(measured, result.rows, spine.columns)
            gathering = pool.submit(gather_evidence, result.evidence, histories, label_time=LABEL_TIME)
        content = auditing.result()
        return Joined(
            name=self.name,
            service=self.request.service,
            origin=origin,
            knowledge=self.request.knowledge,
            histories=histories,
            spine=spine,
            rows=result.rows,
            columns=columns,
            profile=content.profile,
            content=hash_of(content),
            spine_before=spine_hash,
            spine_after=hash_of(rehashing.result()),
            evidence=gathering.result(),
            released=released,
            continued=self.continued,
            beyond=beyond,
            made_at=self.context.now_text(),
        )

    def _manifest(self, joined: Joined, inputs: Inputs, split: SplitPart | None) -> Manifest:
        """Raises NotCertified when a check of the certificate failed."""
        certificate = gather_certificate(joined)
        if broken := [check for check in certificate.checks if not check.passed]:
            findings = "; ".join(f"{check.promise}: {check.found}" for check in broken)
            raise NotCertified(
                f"training set '{self.name}' breaks a promise of its certificate ({findings}). Nothing was published; "
                "please report this."
            )
        return Manifest(
            name=self.name,
            run_id=self.run_id,
            made_at=joined.made_at,
            service=inputs.service,
            service_fingerprint=inputs.service_fingerprint,
            features=service_features(self.request.service),
            release=joined.released.release_id,
            tables=inputs.tables,
            origin=joined.origin,
            spine=inputs.spine,
            options=inputs.options,
            data=DataPart(None, joined.content.rows, joined.content.hex),
            split=split,
            certificate=certificate,
            card=gather_card(joined, certificate, list(self.request.key_types), split=split),
        )

    def _staged(self, frame: DataFrame, name: str) -> DataFrame:
        """The rows as they are now. Once the spine, which comes first, proves to be large, all are written."""
        rows, self.is_small = kept(frame, self._staging(name), may_be_few=self.is_small)
        return rows

    def _staging(self, name: str) -> str:
        return f"{self.context.warehouse.staging(data_key(self.name), self.run_id)}/{name}"

    def _phase(self, name: str) -> None:
        self.context.listener.phase(data_key(self.name), name)


def _with_gap(context: Context, request: TrainingSetRequest) -> TrainingSetRequest:
    """The request with the gap of its split; for the spine of a label that is the label's horizon."""
    if request.split is None:
        return request
    names = {label.name: label for label in context.registry.labels}
    label = names.get(request.spine) if isinstance(request.spine, str) else None
    if label is not None and not exists(context.spark, context.warehouse.spine(label.name).path):
        label = None
    return replace(request, split=with_gap(request.split, label))
