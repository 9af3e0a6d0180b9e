"""Stage, then publish: each published partition appears whole, once, from the newest run, or not at all.

`replace_slices`, `append` and `replace_all` make one Delta commit each, under a lease. `txnAppId` is the table and
`txnVersion` the lease's token: Delta silently skips a token that is not above the last one, so each commit is read
back.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.readwriter import DataFrameWriter

from definitions.errors import DefinitionChanged
from lakehouse.commit_notes import CommitNote, SliceNote
from lakehouse.crash_points import crash_point
from lakehouse.leases.leases import Lease, fenced
from lakehouse.slices import WholeSlices
from lakehouse.storage_errors import StorageError, translated_storage_errors
from lakehouse.tables import TableAddress, current_version, history, read

__all__ = [
    "CommitNote",
    "Published",
    "SliceNote",
    "StagedVersion",
    "append",
    "commit",
    "crash_point",
    "replace_all",
    "replace_slices",
    "slices_at",
    "stage",
]

# Only what a table needs to be read for years by anything that knows Delta: readers that open the files
# of a pinned version themselves understand neither deletion vectors nor column mapping; commit notes
# and pinned versions must outlive Delta's 30 days of log, and VACUUM's 7 days of replaced files (S36).
TABLE_PROPERTIES = {
    "delta.enableDeletionVectors": "false",
    "delta.columnMapping.mode": "none",
    "delta.logRetentionDuration": "interval 3650 days",
    "delta.deletedFileRetentionDuration": "interval 3650 days",
}
# A staged copy is read whole, so minima and maxima of its columns would skip no file.
WITHOUT_STATISTICS = {"delta.dataSkippingNumIndexedCols": "0"}
Save: TypeAlias = Callable[[CommitNote, int | None], None]  # makes a commit on top of a version, None: of no table


@dataclass(frozen=True)
class StagedVersion:
    """What was staged, pinned: `read(spark, path, version=version)` always gives the same rows."""

    path: str
    version: int


@dataclass(frozen=True)
class Published:
    """The table's version that holds our rows. `is_repeated`: the same commit had been made already."""

    version: int
    rows: int
    is_repeated: bool = False


def stage(frame: DataFrame, path: str, *, partition_by: Sequence[str]) -> StagedVersion:
    """Writes a run's own, unchecked copy of a view; replaces the copy of an earlier attempt."""
    view = path.rpartition("/")[2]
    crash_point("before_stage", view)
    writer = _writer(frame, partition_by).options(**WITHOUT_STATISTICS).mode("overwrite")
    with translated_storage_errors(path):
        writer.option("overwriteSchema", "true").save(path)
    crash_point("after_stage", view)
    version = current_version(frame.sparkSession, path)
    if version is None:
        raise StorageError(f"Staged to {path}, but no table is there. Is it written to the same path that is read?")
    return StagedVersion(path, version)


def replace_slices(
    spark: SparkSession,
    staged_frame: DataFrame,
    table: TableAddress,
    *,
    predicate: str,
    partition_by: Sequence[str],
    sort_by: Sequence[str],
    lease: Lease,
    note: CommitNote,
    files_per_partition: int = 1,
) -> Published:
    """Replaces the table's rows where `predicate` holds by the staged ones, in one commit.

    Every staged row must satisfy the predicate, else nothing is written (DELTA_REPLACE_WHERE_MISMATCH).
    The note's slices must count the staged rows; its token is set to the lease's. One shuffle: rows of
    a partition lie sorted in `files_per_partition` files. Raises Fenced when a newer run took the table
    over, DefinitionChanged for a column that is gone or has another type, StorageError when the disk
    refuses the write.
    """
    placed = _placed(staged_frame, partition_by, sort_by, files_per_partition)
    writer = _writer(placed, partition_by).mode("overwrite").option("replaceWhere", predicate)
    return commit(spark, _saving(spark, writer, staged_frame, table), table, lease=lease, note=note)


def append(
    spark: SparkSession,
    frame: DataFrame,
    table: TableAddress,
    *,
    partition_by: Sequence[str],
    lease: Lease,
    note: CommitNote,
) -> Published:
    """Adds rows to a raw table, which never loses any, in one commit.

    Files come as `frame` is partitioned. Errors as in `replace_slices`.
    """
    writer = _writer(frame, partition_by).mode("append")
    return commit(spark, _saving(spark, writer, frame, table), table, lease=lease, note=note)


def replace_all(
    spark: SparkSession, frame: DataFrame, table: TableAddress, *, lease: Lease, note: CommitNote
) -> Published:
    """Makes `frame` the whole content of the table, whatever columns it had, in one commit.

    Errors as in `replace_slices`.
    """
    writer = _writer(frame, []).mode("overwrite").option("overwriteSchema", "true")
    return commit(spark, _saving(spark, writer, frame, table, keeps_columns=False), table, lease=lease, note=note)


def slices_at(instants: Sequence[datetime]) -> str:
    """The predicate that names whole snapshots: by partition first, then by the instant itself."""
    return WholeSlices.of_instants(instants).predicate


def _writer(frame: DataFrame, partition_by: Sequence[str]) -> DataFrameWriter:
    return frame.write.format("delta").options(**TABLE_PROPERTIES).partitionBy(*partition_by)


def _placed(frame: DataFrame, partition_by: Sequence[str], sort_by: Sequence[str], files: int) -> DataFrame:
    spread = [F.pmod(F.xxhash64(*sort_by), F.lit(files))] if files > 1 else []
    shuffled = frame.repartition(*partition_by, *spread) if partition_by or spread else frame.coalesce(1)
    return shuffled.sortWithinPartitions(*partition_by, *sort_by)


def _saving(
    spark: SparkSession, writer: DataFrameWriter, frame: DataFrame, table: TableAddress, *, keeps_columns: bool = True
) -> Save:
    """The commit as Spark makes it."""

    def save(note: CommitNote, before: int | None) -> None:
        has_more = keeps_columns and before is not None and _adds_columns(spark, frame, table)
        merging = writer.option("mergeSchema", "true") if has_more else writer
        options = {"txnAppId": table.key, "txnVersion": str(note.token), "userMetadata": note.to_json()}
        merging.options(**options).save(table.path)

    return save


def commit(spark: SparkSession, save: Save, table: TableAddress, *, lease: Lease, note: CommitNote) -> Published:
    """Make a commit under the lease by `save`, given the note with the lease's token, and read it back."""
    if lease.table != table.key or lease.run_id != note.run_id:
        raise ValueError(f"Run {note.run_id} writes {table}, but its lease is run {lease.run_id}'s on {lease.table}.")
    signed = replace(note, token=lease.token)
    before = current_version(spark, table.path)
    lease.check()
    crash_point("before_publish", table.key)
    with translated_storage_errors(table.path):
        save(signed, before)
    crash_point("after_publish", table.key)
    return _read_back(spark, table, signed, before)


def _adds_columns(spark: SparkSession, frame: DataFrame, table: TableAddress) -> bool:
    """True for new columns. A column that is gone or changed its type is no addition and raises."""
    published = {field.name: field.dataType.simpleString() for field in read(spark, table.path).schema}
    written = {field.name: field.dataType.simpleString() for field in frame.schema}
    for name, published_type in published.items():
        if written.get(name) != published_type:
            raise DefinitionChanged(
                f"{table} is published with {name} as {published_type}, and is now to be written with "
                f"{name + ' as ' + written[name] if name in written else 'no such column'}. "
                f"Give the view a new version: both are then kept side by side."
            )
    return set(written) > set(published)


def _read_back(spark: SparkSession, table: TableAddress, note: CommitNote, before: int | None) -> Published:
    newest, *older = history(spark, table.path, limit=10)
    found = CommitNote.from_json(newest.user_metadata)
    if not _is_same(found, note):
        by = f"run {found.run_id}, token {found.token}," if found else f"a foreign {newest.operation}"
        is_in = any(_is_same(CommitNote.from_json(commit.user_metadata), note) for commit in older)
        raise fenced(table.key, note.run_id, note.token, f"{by} at version {newest.version}", was_published=is_in)
    is_repeated = newest.version == before
    if is_repeated and found != note:
        by = "another commit of the same token; renew the lease between two"
        raise fenced(table.key, note.run_id, note.token, by)
    rows = newest.rows or 0
    if rows != note.rows:
        raise StorageError(
            f"Version {newest.version} of {table} holds {rows} new rows, but {note.rows} were audited. "
            f"Restore version {before} (`RESTORE TABLE`) and report this run: it should not be possible."
        )
    return Published(newest.version, rows, is_repeated)


def _is_same(found: CommitNote | None, note: CommitNote) -> bool:
    return found is not None and (found.run_id, found.token) == (note.run_id, note.token)
