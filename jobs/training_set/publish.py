"""Put a training set in force: evidence, rows, the copy in parquet, and last the manifest that names them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.run.context import Context
from jobs.training_set.manifest import Manifest, find_manifest, folder_of, write_manifest
from jobs.training_set.pages import write_pages
from jobs.training_set.request import PARQUET
from jobs.training_set.reuse import data_key, evidence_key, rows_of
from jobs.training_set.split_request import SPLIT
from kernels.content_hash import ContentHash
from lakehouse.commit_notes import CommitNote, SliceNote
from lakehouse.commits import append, replace_all
from lakehouse.crash_points import crash_point
from lakehouse.leases.leases import Lease
from lakehouse.storage_errors import TableMissing, translated_storage_errors
from quality.measure import SLICE, Measured, measure
from temporal.comparable import quoted


@dataclass(frozen=True)
class BuildResult:
    """The staged rows to be written, with their evidence, and the whole set that results, each row once.

    added: how many rows are appended to those that stand; None: the written rows are all of them. computed: the views
    that were joined for every row.
    """

    written: DataFrame
    rows: DataFrame
    evidence: DataFrame
    added: int | None
    computed: tuple[str, ...]


class Publishing:
    """One commit per table, and none where nothing of it changed; readers follow the manifest, which comes last."""

    def __init__(self, context: Context, leases: Mapping[str, Lease], manifest: Manifest, made: BuildResult) -> None:
        self.context, self.leases, self.manifest, self.made = context, leases, manifest, made
        self.before = find_manifest(context.warehouse, manifest.name)

    def publish(self) -> Manifest:
        """Evidence goes first: rows without it can't be extended, evidence without rows hurts nobody."""
        name = self.manifest.name
        evidence = {"version": self._evidence(), "rows": self.manifest.data["rows"]}
        data = {**self.manifest.data, "version": self._data()}
        finished = replace(self.manifest, data=data, evidence=evidence)
        if self.manifest.options.get("format") == PARQUET:
            finished = replace(finished, parquet=self._copied(finished))
        crash_point("before_manifest", data_key(name))
        write_manifest(self.context.warehouse, finished)
        crash_point("after_manifest", data_key(name))
        write_pages(self.context.warehouse, finished)
        return finished

    def _evidence(self) -> int:
        if self.before is not None and self.made.added == 0:
            return int(self.before.evidence["version"])
        columns = self.made.evidence.columns
        return self._written(evidence_key(self.manifest.name), columns)

    def _data(self) -> int:
        """Rows that come out as they stand already need no commit, whatever was computed anew."""
        if self.before is not None and self._stands(self.before):
            return int(self.before.data["version"])
        return self._written(data_key(self.manifest.name), self.made.rows.columns)

    def _stands(self, before: Manifest) -> bool:
        if self.made.added == 0:
            return True
        if (before.data["hash"], before.data["rows"]) != (self.manifest.data["hash"], self.manifest.data["rows"]):
            return False
        try:
            return rows_of(self.context, before).dtypes == self.made.rows.dtypes
        except TableMissing:
            return False

    def _written(self, key: str, columns: Sequence[str]) -> int:
        rows = self.made.written.select(*map(quoted, columns))
        table, lease, spark = self.context.warehouse.address(key), self.leases[key], self.context.spark
        if self.made.added is None:
            note = self._note(key, lease, self.manifest.data["rows"], self.manifest.data["hash"])
            return replace_all(spark, rows, table, lease=lease, note=note).version
        content = hash_of(measured(self.made.written, self.made.rows.columns))
        note = self._note(key, lease, content.rows, content.hex)
        return append(spark, rows, table, partition_by=[], lease=lease, note=note).version

    def _note(self, key: str, lease: Lease, rows: int, content_hash: str) -> CommitNote:
        """The hash is of the training set's rows; evidence tells of which rows it is."""
        manifest = self.manifest
        slices = {manifest.name: SliceNote(rows, content_hash)}
        return CommitNote(lease.run_id, key, manifest.service_fingerprint, inputs=manifest.tables, slices=slices)

    def _copied(self, finished: Manifest) -> dict[str, Any]:
        """A folder per version, in its whole before the manifest names it; what a killed run left is replaced."""
        folder = f"parquet/{finished.version}"
        path = f"{folder_of(self.context.warehouse, finished.name)}/{folder}"
        rows = rows_of(self.context, finished)
        parts = [SPLIT] if finished.split else []
        with translated_storage_errors(path):
            rows.write.mode("overwrite").partitionBy(*parts).parquet(path)
        crash_point("after_parquet", data_key(finished.name))
        return {"folder": folder, "rows": self.context.spark.read.schema(rows.schema).parquet(path).count()}


def measured(frame: DataFrame, columns: Sequence[str], *, profiled: Sequence[str] = ()) -> Measured:
    return measure(frame.withColumn(SLICE, F.lit(0).cast("bigint")), keys=[], profiled=profiled, hashed=columns)


def hash_of(found: Measured) -> ContentHash:
    return found.hashes.get(0, ContentHash("0" * 64, 0))
