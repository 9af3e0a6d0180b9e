"""Where a source's files lie, whether they changed, and how they are opened: Delta, parquet, CSV or JSON."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import fs
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from definitions.errors import SourceMissing, SourceUnreadable
from lakehouse.tables import filesystem, read

CORRUPT, FILE, NANOS_LOST = "_corrupt", "_file", "_nanos_lost"
TEXT_FORMATS = ("csv", "json")
_DELTA = "delta@"
VersionOf = Callable[[str], int | None]  # the newest version of the Delta table at a path


@dataclass(frozen=True)
class Location:
    """Where a source is delivered; `options` go to Spark's reader."""

    path: str
    format: str = "parquet"
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_text(self) -> bool:
        return self.format in TEXT_FORMATS


def fingerprint(source: str, location: Location, *, version_of: VersionOf) -> str:
    """Changes when the delivered files do: names, sizes and times of change, or Delta's version. Reads no content."""
    if location.format == "delta":
        version = version_of(location.path)
        if version is None:
            raise _missing(source, location)
        return f"{_DELTA}{version}"
    listing = "\n".join(f"{info.path} {info.size} {info.mtime_ns}" for info in _files(source, location))
    return hashlib.sha256(listing.encode()).hexdigest()[:16]


def size(location: Location) -> int:
    """Bytes delivered, 0 where that is not known; the largest source is read first."""
    located = filesystem(location.path)
    if located is None:
        return 0
    system, inner = located
    top = system.get_file_info(inner)
    if top.type is fs.FileType.File:
        return int(top.size)
    found = system.get_file_info(fs.FileSelector(inner, recursive=True, allow_not_found=True))
    return sum(info.size or 0 for info in found)


def open_delivery(
    spark: SparkSession, source: str, location: Location, *, scratch: str, delivered: str = ""
) -> DataFrame:
    """The delivered rows as they are, plus `_file`; text formats as text, plus `_corrupt`, a line that did not parse.

    Parquet times finer than a microsecond, which Spark would cut in silence, are found first: then a copy in `scratch`
    is read, with `_nanos_lost` where a value was not whole (S1). `delivered` is the fingerprint that was
    taken: of a Delta table that version is read. Raises SourceMissing and SourceUnreadable.
    """
    path = location.path
    if location.format == "delta":
        return read(spark, path, version=int(delivered.removeprefix(_DELTA)) if delivered else None)
    if location.format == "parquet":
        path = _whole_microseconds(source, location, scratch)
    else:
        _files(source, location)
    try:
        frame = _text(spark, location) if location.is_text else spark.read.options(**location.options).parquet(path)
        return frame.withColumn(FILE, F.col("_metadata.file_path"))
    except AnalysisException as error:
        raise SourceUnreadable(
            f"source '{source}' at {location.path} can't be read as {location.format}: {error.getCondition() or error}."
        ) from error


def _text(spark: SparkSession, location: Location) -> DataFrame:
    """All columns as text, so that a value that does not fit its type can be quarantined instead of lost."""
    options = (
        {"header": "true", **location.options}
        if location.format == "csv"
        else {"primitivesAsString": "true", **location.options}
    )
    names = spark.read.format(location.format).options(**options).load(location.path).columns
    schema = T.StructType(
        [T.StructField(name, T.StringType()) for name in [*(n for n in names if n != "_corrupt_record"), CORRUPT]]
    )
    options |= {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": CORRUPT}
    if location.format == "csv":
        options["enforceSchema"] = "false"  # files whose header differs are refused, not read by position
    return spark.read.format(location.format).options(**options).schema(schema).load(location.path)


def _missing(source: str, location: Location) -> SourceMissing:
    return SourceMissing(
        f"source '{source}': nothing lies at {location.path}. Put the {location.format} files there, or correct "
        f"sources.{source}.path in the configuration."
    )


def _files(source: str, location: Location) -> list[fs.FileInfo]:
    located = filesystem(location.path)
    if located is None:
        return []
    system, inner = located
    top = system.get_file_info(inner)
    found = (
        [top]
        if top.type is fs.FileType.File
        else system.get_file_info(fs.FileSelector(inner, recursive=True, allow_not_found=True))
    )
    # Spark ignores names that begin with _ or a dot.
    files = sorted(
        (f for f in found if f.type is fs.FileType.File and f.base_name[0] not in "_."), key=lambda f: f.path
    )
    if not files:
        raise _missing(source, location)
    return files


def _whole_microseconds(source: str, location: Location, scratch: str) -> str:
    located = filesystem(location.path)
    if located is None:
        return location.path
    system, _ = located
    files = _files(source, location)
    finest = {info.path: _nanosecond_columns(source, system, info.path) for info in files}
    if not any(_must_copy(system, path, columns) for path, columns in finest.items()):
        return location.path
    target, inner = filesystem(scratch) or (system, scratch)
    target.create_dir(inner)
    for number, info in enumerate(files):
        table = pq.read_table(info.path, filesystem=system)
        pq.write_table(_marked(table, finest[info.path]), f"{inner}/{number:05d}.parquet", filesystem=target)
    return scratch


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
    return table.append_column(NANOS_LOST, lost)
