"""CSV and JSON deliveries as records: each file by its own names, every record counted."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from definitions.errors import SourceError, SourceSchemaError, SourceUnreadable
from lakehouse.files.file_set import FileSet
from lakehouse.files.location import Location
from lakehouse.files.records import Records
from lakehouse.files.text_batches import LINE
from lakehouse.files.text_file import TextFile, columns_of, file_batches, file_schema, text_format
from lakehouse.files.text_stream import COMPRESSIONS, Unreadable, WrongColumns
from lakehouse.files.text_tasks import read_in_tasks, read_parts

# What is read in this process: no Python workers to start, and no copy in scratch.
SMALL_BYTES = 16 << 20
_EXPANSION = 10  # what compressed text may become
_THREADS = 8


@dataclass(frozen=True, kw_only=True)
class TextDelivery:
    """CSV or JSON files to be read. scratch: where large deliveries are copied to."""

    spark: SparkSession
    source: str
    location: Location
    delivery: FileSet
    scratch: str

    def records(self, columns: Sequence[str] | None) -> Records:
        """All records of the files. columns: the delivered names that are needed; None: all of them.

        Where a CSV file lacks a needed column, or all JSON records, the answer is the columns that are there, without
        rows, so that S37 stops the run. Raises SourceMissing, SourceUnreadable.
        """
        files = [TextFile.of(file) for file in self.delivery.files]
        if columns is not None and self.location.format == "json":
            frame, seen = self._read(files, columns)
            if seen and not seen >= set(columns):
                return self._records(self._frame([], len(seen)), sorted(seen))
            return self._records(frame, columns)
        found = self._columns(files, columns)
        if columns is None:
            names = self._all(found)
        elif lacking := next((file for file, names in found.items() if not set(columns) <= set(names)), None):
            return self._records(self._frame([], len(found[lacking])), found[lacking], path=lacking.shown)
        else:
            names = list(columns) if found else []
        frame, _ = self._read(list(found), names)
        return self._records(frame, names)

    def _columns(self, files: Sequence[TextFile], wanted: Sequence[str] | None) -> Mapping[TextFile, list[str]]:
        """The columns of every file that is not empty."""

        def columns(file: TextFile) -> list[str] | None:
            with self._naming(file):
                return columns_of(self.delivery.system, file, text_format(self.location), wanted)

        with ThreadPoolExecutor(_THREADS) as pool:
            found = list(pool.map(columns, files))
        return {file: names for file, names in zip(files, found, strict=True) if names is not None}

    def _all(self, found: Mapping[TextFile, list[str]]) -> list[str]:
        """The columns of all files: of JSON those of any file, of CSV the same ones in every file."""
        names = list(dict.fromkeys(name for columns in found.values() for name in columns))
        for file, columns in found.items():
            if self.location.format == "csv" and (lacks := [name for name in names if name not in columns]):
                raise self._error(file, WrongColumns(f"has no column '{lacks[0]}', which other files have"))
        return names

    def _read(self, files: Sequence[TextFile], columns: Sequence[str]) -> tuple[DataFrame, set[str]]:
        """The records, and of JSON the columns that they have; none where there are no objects."""
        format_ = text_format(self.location)
        if sum(file.size * (_EXPANSION if _is_compressed(file) else 1) for file in files) > SMALL_BYTES:
            return self._read_in_tasks(files, columns)
        seen: set[str] = set()
        batches: list[pa.RecordBatch] = []
        for file in files:
            with self._naming(file):
                batches += file_batches(self.delivery.system, file, format_, columns, seen=seen)
        return self._frame(batches, len(columns)), seen

    def _read_in_tasks(self, files: Sequence[TextFile], columns: Sequence[str]) -> tuple[DataFrame, set[str]]:
        format_, folder, scratch = text_format(self.location), self.delivery.folder, f"{self.scratch}/read"
        results = read_in_tasks(self.spark, files, format_, columns, location=folder, scratch=scratch)
        for result in results:
            if result.problem:
                raise self._error(result.file, Unreadable(result.problem))
        seen = set[str]().union(*(result.seen for result in results))
        if not any(result.rows for result in results):
            return self._frame([], len(columns)), seen
        return read_parts(self.spark, results, _spark_schema(len(columns)), scratch=scratch), seen

    def _frame(self, batches: Sequence[pa.RecordBatch], columns: int) -> DataFrame:
        table = pa.Table.from_batches(batches, file_schema(columns))
        return self.spark.createDataFrame(table, _spark_schema(columns))

    def _records(self, frame: DataFrame, names: Sequence[str], *, path: str = "") -> Records:
        types = dict.fromkeys(names, "string")
        return Records(frame=frame, types=types, path=path or self.location.path, is_text=True)

    @contextmanager
    def _naming(self, file: TextFile) -> Iterator[None]:
        try:
            yield
        except Unreadable as error:
            raise self._error(file, error) from error

    def _error(self, file: TextFile, why: Unreadable) -> SourceError:
        sentence = f"source '{self.source}': {file.shown} {why}. Correct it, or deliver it again; nothing was written."
        return SourceSchemaError(sentence) if isinstance(why, WrongColumns) else SourceUnreadable(sentence)


def _is_compressed(file: TextFile) -> bool:
    return any(file.path.lower().endswith(end) for end in COMPRESSIONS)


def _spark_schema(columns: int) -> T.StructType:
    types = {LINE: T.LongType()}
    return T.StructType([T.StructField(name, types.get(name, T.StringType())) for name in file_schema(columns).names])
