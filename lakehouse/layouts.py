"""Layouts: a history a second time, in hash buckets sorted by key, as a Delta table that anyone may delete.

Rows lie by run and bucket. A run is what one upkeep added; time spans in it that a later run holds anew are masked. The
newest commit's note says what lies there: it and the files are read at one version, so that a join sees one state.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import unquote

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from features.durations import to_us
from lakehouse.commits import TABLE_PROPERTIES
from lakehouse.leases import Lease
from lakehouse.storage_errors import StorageError, storage_errors_told
from lakehouse.tables import current_version, history, read

FORMAT = 1
_PLACED = re.compile(r"/run=(\d+)/bucket=(\d+)/[^/]+$")
# Files stay one to a run and bucket, as sorted as they were written; nobody asks for minima and maxima.
_PROPERTIES = TABLE_PROPERTIES | {"delta.autoOptimize.optimizeWrite": "false", "delta.dataSkippingNumIndexedCols": "0"}

Span = tuple[int, int]  # [from, to) in µs


@dataclass(frozen=True)
class LayoutNote:
    """What a layout holds: the history `of` at `of_version`, as `declared`. `runs`: per run its masked spans.

    `rows` were written for all of them, the masked ones too; begun_us: when its newest upkeep began.
    """

    of: str
    of_version: int | None
    buckets: int
    declared: Mapping[str, Any]
    runs: Mapping[str, Sequence[Sequence[int]]] = field(default_factory=dict)
    rows: int = 0
    begun_us: int = 0
    format: int = FORMAT

    def to_json(self) -> str:
        return json.dumps({"layout": asdict(self)}, sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | None) -> "LayoutNote | None":
        """None for a commit that is not ours, or of another format: then the layout is built anew."""
        try:
            note = cls(**json.loads(text or "")["layout"])
        except (ValueError, TypeError, KeyError):
            return None
        return note if note.format == FORMAT else None


@dataclass(frozen=True)
class LaidOut:
    """A layout as it stands at one version. `files`: per bucket its files in the order of their runs, with masks."""

    path: str
    version: int
    note: LayoutNote
    files: Mapping[int, Sequence[tuple[str, Sequence[Span]]]]
    schema: StructType
    upkeep_seconds: float = 0.0


def find_layout(spark: SparkSession, path: str, *, up_to: int | None = None) -> LaidOut | None:
    """The newest state, or the newest that was not made from a later version than `up_to`; None where there is none.

    Raises StorageError for one that can't be read.
    """
    try:
        return _found(spark, path, up_to)
    except Exception as error:  # py4j and Spark Connect raise classes of their own
        told = str(error).strip().splitlines()[0]
        raise StorageError(
            f"The layout {path} can't be read ({told}). Delete the folder: joins go without; "
            "`ziggurat layout build` writes it again."
        ) from error


def _found(spark: SparkSession, path: str, up_to: int | None) -> LaidOut | None:
    for commit in history(spark, path):
        note = LayoutNote.from_json(commit.user_metadata)
        if note is not None and (up_to is None or (note.of_version or 0) <= up_to):
            frame = read(spark, path, version=commit.version)
            seconds = (to_us(commit.at) - note.begun_us) / 1e6
            return LaidOut(path, commit.version, note, _files(frame, note), frame.schema, seconds)
    return None


def write_run(
    frame: DataFrame, path: str, note: LayoutNote, *, run: int, is_first: bool, lease: Lease | None = None
) -> LaidOut:
    """Adds a run, or with is_first makes it the only one, in one commit. `frame` is sorted, and says each `bucket`."""
    writer = frame.withColumn("run", F.lit(run)).write.format("delta").options(**_PROPERTIES)
    writer = writer.partitionBy("run", "bucket").option("userMetadata", note.to_json())
    if is_first:
        writer = writer.option("overwriteSchema", "true")
    if lease is not None:
        lease.check()
        writer = writer.options(txnAppId=lease.table, txnVersion=str(lease.token))
    with storage_errors_told(path):
        writer.mode("overwrite" if is_first else "append").save(path)
    found = find_layout(frame.sparkSession, path)
    if found is None:
        raise ValueError(f"{path} was laid out, but its newest commit has no note")
    return found


def changed_dates(spark: SparkSession, path: str, before: int, now: int) -> set[str] | None:
    """Partitions by `event_date` whose files differ between two versions; None if the table has no such partitions.

    Reads two file lists and no data. Every write of ours replaces or appends whole files of a date.
    """
    then, since = (set(read(spark, path, version=version).inputFiles()) for version in (before, now))
    found = [re.search(r"/event_date=([^/]+)/", unquote(file)) for file in then ^ since]
    return None if not all(found) else {match[1] for match in found if match}


def size_of(spark: SparkSession, path: str) -> tuple[int, int]:
    """Files and bytes of the newest version."""
    told = spark.sql(f"DESCRIBE DETAIL delta.`{path.replace('`', '``')}`").select("numFiles", "sizeInBytes").collect()
    return int(told[0][0]), int(told[0][1])


def is_there(spark: SparkSession, path: str) -> bool:
    return current_version(spark, path) is not None


def _files(frame: DataFrame, note: LayoutNote) -> dict[int, list[tuple[str, Sequence[Span]]]]:
    placed: list[tuple[int, int, str]] = []
    for file in frame.inputFiles():
        where = _PLACED.search(unquote(file))
        if where is None:
            raise ValueError(f"{file} is no file of a layout: its folders must say run and bucket")
        placed.append((int(where[2]), int(where[1]), unquote(file)))
    files: dict[int, list[tuple[str, Sequence[Span]]]] = {}
    for bucket, run, path in sorted(placed):
        if str(run) in note.runs:
            spans = tuple((int(start), int(end)) for start, end in note.runs[str(run)])
            files.setdefault(bucket, []).append((path, spans))
    return files
