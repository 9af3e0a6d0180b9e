"""Text files read in Spark's tasks, one task a file, for deliveries that are too large for this process.

A task writes what it reads as parquet into scratch, once: each pass over the records then reads only the columns that
it needs, and what makes a file unreadable comes back as a value, not as a stack of Python's and Spark's.
"""

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from lakehouse.files.text_file import TextFile, TextFormat, file_batches
from lakehouse.files.text_stream import Unreadable
from lakehouse.tables import known_filesystem

_MOST_TASKS = 10_000
_RESULT = "file bigint, rows bigint, part string, seen string, problem string"


@dataclass(frozen=True)
class FileResult:
    """part: the name of the file that was written, empty where there are no records. problem: why it can't be read."""

    file: TextFile
    rows: int
    part: str
    seen: frozenset[str]
    problem: str


@dataclass(frozen=True)
class FileTask:
    """Reads the files of the numbers that it gets, and gives a result for each."""

    files: tuple[TextFile, ...]
    format_: TextFormat
    columns: tuple[str, ...]
    location: str
    scratch: str

    def __call__(self, numbers: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in numbers:
            results = [self._read(number) for number in batch.column(0).to_pylist()]
            columns = list(zip(*results, strict=True))
            types = (pa.int64(), pa.int64(), pa.string(), pa.string(), pa.string())
            arrays = [pa.array(column, type_) for column, type_ in zip(columns, types, strict=True)]
            yield pa.record_batch(arrays, ["file", "rows", "part", "seen", "problem"])

    def _read(self, number: int) -> tuple[int, int, str, str, str]:
        system, _ = known_filesystem(self.location)
        target, folder = known_filesystem(self.scratch)
        # A name of its own for each attempt: of a repeated task, one result is used.
        part, seen, rows = f"{number:05d}-{uuid.uuid4().hex}.parquet", set[str](), 0
        batches = file_batches(system, self.files[number], self.format_, self.columns, seen=seen)
        try:
            first = next(batches, None)
            if first is None:
                return number, 0, "", json.dumps(sorted(seen)), ""
            with pq.ParquetWriter(f"{folder}/{part}", first.schema, filesystem=target) as writer:
                batch: pa.RecordBatch | None = first
                while batch is not None:
                    writer.write_batch(batch)
                    rows += batch.num_rows
                    batch = next(batches, None)
        except Unreadable as error:
            return number, rows, "", "[]", str(error)
        return number, rows, part, json.dumps(sorted(seen)), ""


def read_in_tasks(
    spark: SparkSession,
    files: Sequence[TextFile],
    format_: TextFormat,
    columns: Sequence[str],
    *,
    location: str,
    scratch: str,
) -> list[FileResult]:
    """Writes the records of each file into a part below `scratch`. One job."""
    target, folder = known_filesystem(scratch)
    target.create_dir(folder)
    task = FileTask(tuple(files), format_, tuple(columns), location, scratch)
    numbers = spark.range(0, len(files), 1, min(len(files), _MOST_TASKS))
    rows = numbers.mapInArrow(task, _RESULT).collect()
    return [
        FileResult(files[row["file"]], row["rows"], row["part"], frozenset(json.loads(row["seen"])), row["problem"])
        for row in sorted(rows, key=lambda row: row["file"])
    ]


def read_parts(spark: SparkSession, results: Sequence[FileResult], schema: T.StructType, *, scratch: str) -> DataFrame:
    """The records that the tasks wrote. Parts of attempts that failed are removed first."""
    target, folder = known_filesystem(scratch)
    parts = {result.part for result in results}
    for info in target.get_file_info(fs.FileSelector(folder)):
        if info.base_name not in parts:
            target.delete_file(info.path)
    return spark.read.schema(schema).parquet(scratch)
