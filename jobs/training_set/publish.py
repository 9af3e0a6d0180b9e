"""Publish a training set: evidence, rows, the copy in parquet, and last the manifest that names them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from jobs.run.context import Context
from jobs.training_set.manifest import PARQUET, EvidencePart, Manifest, ParquetPart, data_key, evidence_key
from jobs.training_set.manifest_files import find_manifest, folder_of, write_manifest
from jobs.training_set.rows import BuildResult, hash_of, measured, rows_of
from jobs.training_set.split import SPLIT
from lakehouse.commit_notes import CommitNote, SliceNote
from lakehouse.commits import replace_all
from lakehouse.crash_points import crash_point
from lakehouse.leases.leases import Lease
from lakehouse.small_tables import append_frame
from lakehouse.storage_errors import TableMissing, translated_storage_errors
from lakehouse.tables import exists
from temporal.comparable import quoted


class Publishing:
    """One commit per table, and none where nothing of it changed; readers follow the manifest, which comes last."""

    def __init__(self, context: Context, leases: Mapping[str, Lease], manifest: Manifest, result: BuildResult) -> None:
        self.context, self.leases, self.manifest, self.result = context, leases, manifest, result
        self.before = find_manifest(context.warehouse, manifest.name)

    def publish(self) -> Manifest:
        """Evidence goes first: rows without evidence could not be extended, and evidence without rows is not read."""
        name = self.manifest.name
        evidence = EvidencePart(self._evidence(), self.manifest.data.rows)
        data = replace(self.manifest.data, version=self._data())
        finished = replace(self.manifest, data=data, evidence=evidence)
        if self.manifest.options.format == PARQUET:
            finished = replace(finished, parquet=self._copy(finished))
        crash_point("before_manifest", data_key(name))
        write_manifest(self.context.warehouse, finished)
        crash_point("after_manifest", data_key(name))
        return finished

    def _evidence(self) -> int:
        if self.before is not None and self.before.evidence is not None and self.result.added == 0:
            return self.before.evidence.version
        return self._written(evidence_key(self.manifest.name), self.result.evidence.columns)

    def _data(self) -> int:
        """Rows that are equal to the stored ones need no commit, even where they were computed anew."""
        if self.before is not None and self.before.data.version is not None and self._is_stored(self.before):
            return self.before.data.version
        return self._written(data_key(self.manifest.name), self.result.rows.columns)

    def _is_stored(self, before: Manifest) -> bool:
        if self.result.added == 0:
            return True
        if (before.data.hash, before.data.rows) != (self.manifest.data.hash, self.manifest.data.rows):
            return False
        try:
            return rows_of(self.context, before).dtypes == self.result.rows.dtypes
        except TableMissing:
            return False

    def _written(self, key: str, columns: Sequence[str]) -> int:
        rows = self.result.written.select(*map(quoted, columns))
        table, lease, spark = self.context.warehouse.address(key), self.leases[key], self.context.spark
        if self.result.added is None:
            note = self._note(key, lease, self.manifest.data.rows, self.manifest.data.hash)
            if not exists(spark, table.path):
                return append_frame(spark, rows, table, partition_by=[], lease=lease, note=note).version
            return replace_all(spark, rows, table, lease=lease, note=note).version
        content = hash_of(measured(self.result.written, self.result.rows.columns))
        note = self._note(key, lease, content.rows, content.hex)
        return append_frame(spark, rows, table, partition_by=[], lease=lease, note=note).version

    def _note(self, key: str, lease: Lease, rows: int, content_hash: str) -> CommitNote:
        """The hash is that of the training set's rows; in the evidence's table it names the rows that it is of."""
        manifest = self.manifest
        slices = {manifest.name: SliceNote(rows, content_hash)}
        return CommitNote(lease.run_id, key, manifest.service_fingerprint, inputs=manifest.tables, slices=slices)

    def _copy(self, finished: Manifest) -> ParquetPart:
        """A folder per version, complete before the manifest names it; the remains of a killed run are replaced."""
        folder = f"parquet/{finished.version}"
        path = f"{folder_of(self.context.warehouse, finished.name)}/{folder}"
        rows = rows_of(self.context, finished)
        parts = [SPLIT] if finished.split else []
        with translated_storage_errors(path):
            rows.write.mode("overwrite").partitionBy(*parts).parquet(path)
        crash_point("after_parquet", data_key(finished.name))
        return ParquetPart(folder, self.context.spark.read.schema(rows.schema).parquet(path).count())
