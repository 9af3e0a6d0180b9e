"""Parquet files: read by Spark, after their times were checked for parts finer than a microsecond (S1)."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import fs
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from definitions.errors import SourceUnreadable
from lakehouse.files.listing import DataFile, data_files
from lakehouse.files.location import Location
from lakehouse.files.records import Records, typed_records
from lakehouse.tables import filesystem

_NANOS_LOST = "_nanos_lost"
_FINER = "a time is finer than a microsecond"


def parquet_records(spark: SparkSession, source: str, location: Location, *, scratch: str) -> tuple[Records, ...]:
    """Spark would cut times finer than a microsecond in silence: then a copy in `scratch` is read, with the rows that
    have such a time marked as a problem.
    """
    path = _whole_microseconds(source, location, scratch)
    frame = spark.read.parquet(path)
    problem = F.when(F.col(_NANOS_LOST), F.lit(_FINER)) if _NANOS_LOST in frame.columns else None
    file = literal_path(F.col("_metadata.file_path"))
    return (typed_records(frame, location.path, without=_NANOS_LOST, file=file, problem=problem),)


def literal_path(uri: Column) -> Column:
    """The path that Spark's URI of a file stands for: nothing percent-encoded, local ones without a scheme."""
    return F.regexp_replace(F.url_decode(F.replace(uri, F.lit("+"), F.lit("%2B"))), "^file:/+", "/")


def _whole_microseconds(source: str, location: Location, scratch: str) -> str:
    located = filesystem(location.path)
    if located is None:
        return location.path
    system, _ = located
    files = data_files(source, location)
    finest = {file.path: _nanosecond_columns(source, system, file.path) for file in files}
    if not any(_must_copy(system, path, columns) for path, columns in finest.items()):
        return location.path
    _copy(system, files, finest, scratch)
    return scratch


def _copy(system: fs.FileSystem, files: Sequence[DataFile], finest: dict[str, dict[str, bool]], scratch: str) -> None:
    target, inner = filesystem(scratch) or (system, scratch)
    target.create_dir(inner)
    for number, file in enumerate(files):
        table = pq.read_table(file.path, filesystem=system)
        pq.write_table(_marked(table, finest[file.path]), f"{inner}/{number:05d}.parquet", filesystem=target)


def _nanosecond_columns(source: str, system: fs.FileSystem, path: str) -> dict[str, bool]:
    """The columns in nanoseconds; True: in the old INT96, which Spark reads, and which means instants."""
    try:
        with pq.ParquetFile(path, filesystem=system) as opened:
            schema, stored = opened.schema_arrow, opened.schema
    except (pa.ArrowInvalid, OSError) as error:
        raise SourceUnreadable(
            f"source '{source}': {path} is not a readable parquet file ({str(error).splitlines()[0]}). Deliver it "
            "again; nothing was written."
        ) from error
    physical = {stored.column(n).path: stored.column(n).physical_type for n in range(len(stored.names))}
    nanos = [f.name for f in schema if pa.types.is_timestamp(f.type) and f.type.unit == "ns"]
    return {name: physical.get(name) == "INT96" for name in nanos}


def _must_copy(system: fs.FileSystem, path: str, columns: dict[str, bool]) -> bool:
    """Spark refuses nanoseconds that are not INT96, and cuts those that are."""
    if not all(columns.values()):
        return True
    table = pq.read_table(path, columns=list(columns), filesystem=system)
    return any(pc.any(_finer(table[name])).as_py() for name in columns)


def _finer(column: pa.ChunkedArray) -> pa.ChunkedArray:
    nanos = column.cast(pa.int64())
    whole = pc.multiply(pc.divide(nanos, 1000), 1000)
    return pc.fill_null(pc.not_equal(nanos, whole), False)


def _marked(table: pa.Table, columns: dict[str, bool]) -> pa.Table:
    lost = pa.array([False] * table.num_rows)
    for name, is_int96 in columns.items():
        lost = pc.or_(lost, _finer(table[name]).combine_chunks())
        index = table.column_names.index(name)
        zone = table[name].type.tz or ("UTC" if is_int96 else None)
        whole = table[name].cast(pa.timestamp("us", tz=zone), safe=False)
        table = table.set_column(index, name, whole)
    return table.append_column(_NANOS_LOST, lost)
