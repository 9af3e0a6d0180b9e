"""Layouts: a history a second time, in hash buckets sorted by key, as a Delta table that may be deleted at any time.

Rows are partitioned by run and bucket. A run is what one upkeep added; time spans in it that a later run holds again
are masked. A note, written after the commit, lists the files. So a join reads one small file to find all of them, and
never reads a run whose note was not written.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any
from urllib.parse import unquote

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from lakehouse.commits import TABLE_PROPERTIES
from lakehouse.leases.leases import Lease
from lakehouse.storage_errors import StorageError, translated_storage_errors
from lakehouse.tables import current_version, names_in, place_text, read, read_text, sql_name

FORMAT = 1
_NOTES = "_notes"  # Delta leaves folders alone that begin so
_PLACED = re.compile(r"/run=(\d+)/bucket=(\d+)/[^/]+$")
# One file per run and bucket, sorted as it was written; its minima and maxima are not used. No manifest names a
# layout's versions, so VACUUM may delete what compaction replaced.
_PROPERTIES = TABLE_PROPERTIES | {
    "delta.autoOptimize.optimizeWrite": "false",
    "delta.dataSkippingNumIndexedCols": "0",
    "delta.deletedFileRetentionDuration": "interval 7 days",
}

Span = tuple[int, int]  # [from, to) in µs


@dataclass(frozen=True)
class LayoutNote:
    """What a layout holds: the history `of` at `of_version`, as `declared`. `runs`: per run its masked spans.

    `rows` were written for all of them, the masked ones too. begun_us, ended_us: of its newest upkeep.
    files: run, bucket and path inside the layout. schema: of the rows, as Spark writes it in JSON.
    """

    of: str
    of_version: int | None
    buckets: int
    declared: Mapping[str, Any]
    runs: Mapping[str, Sequence[Sequence[int]]] = field(default_factory=dict)
    rows: int = 0
    begun_us: int = 0
    ended_us: int = 0
    files: Sequence[tuple[int, int, str]] = ()
    schema: Mapping[str, Any] = field(default_factory=dict)
    format: int = FORMAT


@dataclass(frozen=True)
class StoredLayout:
    """A layout's newest state. `files`: per bucket its files in the order of their runs, with their masked spans."""

    path: str
    note: LayoutNote
    files: Mapping[int, Sequence[tuple[str, Sequence[Span]]]]
    schema: StructType

    @property
    def upkeep_seconds(self) -> float:
        """How long the newest upkeep took."""
        return (self.note.ended_us - self.note.begun_us) / 1e6


def find_layout(path: str, *, up_to: int | None = None) -> StoredLayout | None:
    """The newest state, or the newest that was not made from a later version than `up_to`; None where there is none.

    Reads one small file. Raises StorageError for one that can't be read.
    """
    notes = [name for name in names_in(f"{path}/{_NOTES}") if name.endswith(".json")]  # no drafts of a killed upkeep
    for name in reversed(notes):
        note = _note(f"{path}/{_NOTES}/{name}")
        if note is not None and (up_to is None or (note.of_version or 0) <= up_to):
            return _stored(path, note)
    return None


def write_run(
    frame: DataFrame,
    path: str,
    note: LayoutNote,
    *,
    is_first: bool,
    clock: Callable[[], int],
    lease: Lease | None = None,
) -> StoredLayout:
    """Adds a run, or with is_first makes it the only one, in one commit. `frame` is sorted, and says each `bucket`.

    The note's runs are those that stay; the new one is named by its commit. `clock` gives the time in µs.
    """
    spark = frame.sparkSession
    before = current_version(spark, path)
    run = 0 if before is None else before + 1
    writer = frame.withColumn("run", F.lit(run)).write.format("delta").options(**_PROPERTIES)
    writer = writer.partitionBy("run", "bucket")
    if is_first:
        writer = writer.option("overwriteSchema", "true")
    if lease is not None:
        lease.check()
        writer = writer.options(txnAppId=lease.table, txnVersion=str(lease.token))
    with translated_storage_errors(path):
        writer.mode("overwrite" if is_first else "append").save(path)
    there = read(spark, path)
    runs = {**note.runs, str(run): ()}
    files = tuple(placed for placed in map(_placed, there.inputFiles()) if str(placed[0]) in runs)
    whole = replace(note, runs=runs, files=sorted(files), schema=there.schema.jsonValue(), ended_us=clock())
    place_text(json.dumps(asdict(whole), ensure_ascii=False), f"{path}/{_NOTES}/{run:020}.json")
    return _stored(path, whole)


def changed_dates(
    spark: SparkSession, path: str, before: int, now: int, *, is_append_only: bool = False
) -> set[str] | None:
    """Partitions by `event_date` whose files differ between two versions; None if the table has no such partitions.

    Reads two file lists and no data. Every write of ours replaces or appends whole files of a date. is_append_only:
    None, too, where files are gone: others removed rows, and with them perhaps the end of a version of another date.
    """
    then, since = (set(read(spark, path, version=version).inputFiles()) for version in (before, now))
    if is_append_only and then - since:
        return None
    dates = [re.search(r"/event_date=([^/]+)/", unquote(file)) for file in then ^ since]
    return None if not all(dates) else {match[1] for match in dates if match}


def size_of(spark: SparkSession, path: str) -> tuple[int, int]:
    """Files and bytes of the newest version."""
    detail = spark.sql(f"DESCRIBE DETAIL {sql_name(path)}").select("numFiles", "sizeInBytes").collect()
    return int(detail[0][0]), int(detail[0][1])


def _stored(path: str, note: LayoutNote) -> StoredLayout:
    files: dict[int, list[tuple[str, Sequence[Span]]]] = {}
    for run, bucket, file in sorted((int(run), int(bucket), str(file)) for run, bucket, file in note.files):
        spans = tuple((int(start), int(end)) for start, end in note.runs[str(run)])
        files.setdefault(bucket, []).append((f"{path}/{file}", spans))
    return StoredLayout(path, note, files, StructType.fromJson(dict(note.schema)))


def _note(path: str) -> LayoutNote | None:
    """None for one of another format: then the layout is written anew."""
    try:
        fields = json.loads(read_text(path) or "")
        return LayoutNote(**fields) if fields["format"] == FORMAT else None
    except (ValueError, TypeError, KeyError) as error:
        folder = path.rpartition(f"/{_NOTES}/")[0]
        raise StorageError(
            f"The layout {folder} can't be read ({error}). Delete the folder: joins go without; "
            "`ziggurat layout build` writes it again."
        ) from error


def _placed(file: str) -> tuple[int, int, str]:
    """Run, bucket and path inside the layout of one of its files."""
    where = _PLACED.search(unquote(file))
    if where is None:
        raise ValueError(f"{file} is no file of a layout: its folders must say run and bucket")
    return int(where[1]), int(where[2]), where[0][1:]
