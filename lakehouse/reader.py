"""Delta tables read without Spark, through delta-rs: versions, data files, small tables, and columns of some files.

It starts in milliseconds where a JVM takes seconds, so that a plan, and a build that finds nothing to do, need none.
`NeedsSpark` is raised for what it can't read: the caller then uses Spark.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from definitions.durations import to_us
from lakehouse.checksums import fits_checksum
from lakehouse.tables import commit_versions, filesystem, local_folder

MOST_BYTES = 256 * 1024 * 1024
_PRIMITIVES = {
    "string": pa.string(),
    "boolean": pa.bool_(),
    "byte": pa.int8(),
    "short": pa.int16(),
    "integer": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "binary": pa.binary(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}
# Delta cuts the largest time in a file's statistics to the millisecond.
_CUT_US = 1_000
# A bucket that it can't reach is left to Spark soon, instead of after minutes.
_IMPATIENT = {"connect_timeout": "5s", "timeout": "60s", "max_retries": "2", "retry_timeout": "20s"}


class NeedsSpark(Exception):
    """Only Spark can answer: an unknown file system, a newer table protocol, or too many bytes for one process."""


@dataclass(frozen=True, kw_only=True)
class DataFile:
    """One data file of a table's version, as the log describes it. rows: None where the log has no count.

    event_date: its partition, where the table has that one. newest: of each time column that has statistics, an
    instant in µs that no row of the file reaches.
    """

    path: str
    bytes: int
    rows: int | None
    event_date: str | None
    newest: Mapping[str, int]

    def may_pass(self, instants: Mapping[str, int]) -> bool:
        """False when, in each of these columns, no row can be later than the instant."""
        return any(name not in self.newest or self.newest[name] > us for name, us in instants.items())


@dataclass(frozen=True)
class DeltaReader:
    """Reads tables by path. most_bytes: the files that `columns` opens may not have more together."""

    most_bytes: int = MOST_BYTES

    def version(self, path: str) -> int | None:
        """The newest committed version, None where there is no table. One listing."""
        if filesystem(path) is None:
            raise NeedsSpark(f"no file system is known for {path}")
        return max(commit_versions(path), default=None)

    def files(self, path: str, *, version: int, times: Sequence[str] = ()) -> tuple[DataFile, ...]:
        """The data files of a version, from the table's log, with the statistics of some time columns."""
        with _translated(path):
            _, inner = filesystem(path) or (None, path)
            described = pa.table(_opened(path, version).get_add_actions(flatten=True))
            read = ["path", "size_bytes", "num_records", "partition.event_date", *(f"max.{name}" for name in times)]
            rows = described.select([name for name in read if name in described.column_names]).to_pylist()
            return tuple(_data_file(inner, row, times) for row in rows)

    def rows(self, path: str) -> list[dict[str, Any]]:
        """All rows of a small table (the ledger, the releases) at its newest version."""
        with _translated(path):
            table = _opened(path, None)
            size = sum(pa.table(table.get_add_actions(flatten=True))["size_bytes"].to_pylist())
            if size > self.most_bytes // 8:
                raise NeedsSpark(f"{size:,} bytes of {path} would be read")
            return [dict(row) for row in table.to_pyarrow_table().to_pylist()]

    def small_table(self, path: str, *, version: int | None, most_rows: int) -> pa.Table:
        """All rows of a version in the types of its schema, from a local disk; few rows, in files that are sound."""
        with _translated(path):
            if local_folder(path) is None:
                raise NeedsSpark(f"{path} is not on a local disk")
            table = _opened(path, version)
            files = pa.table(table.get_add_actions(flatten=True)).to_pylist()
            rows = sum(most_rows + 1 if file["num_records"] is None else file["num_records"] for file in files)
            if rows > most_rows or sum(file["size_bytes"] for file in files) > self.most_bytes // 8:
                raise NeedsSpark(f"{rows:,} rows of {path} would be read")
            schema = _plain_schema(table)
            return pa.concat_tables([schema.empty_table(), *(_file_rows(path, file, schema) for file in files)])

    def columns(self, path: str, names: Sequence[str], *, files: Sequence[DataFile]) -> pa.Table:
        """Some columns of some of the table's files, whole."""
        size = sum(file.bytes for file in files)
        if size > self.most_bytes:
            raise NeedsSpark(f"{size:,} bytes of {path} would be read")
        with _translated(path):
            system, _ = filesystem(path) or (None, "")
            options = {
                "columns": list(names),
                "filesystem": system,
                "partitioning": None,
                "page_checksum_verification": True,
            }
            tables = [pq.read_table(file.path, **options) for file in files]
            return pa.concat_tables(tables) if tables else pa.table({name: [] for name in names})


def rows_on_disk(path: str) -> list[dict[str, Any]] | None:
    """All rows of a small table on a local disk, in milliseconds; None where Spark has to read it.

    A bucket is left to Spark, which is running by then and has its own credentials.
    """
    if local_folder(path) is None:
        return None
    try:
        return DeltaReader().rows(path)
    except NeedsSpark:
        return None


def _data_file(folder: str, row: Mapping[str, Any], times: Sequence[str]) -> DataFile:
    newest = {name: row.get(f"max.{name}") for name in times}
    day = row.get("partition.event_date")
    return DataFile(
        path=f"{folder}/{row['path']}",
        bytes=row["size_bytes"],
        rows=row.get("num_records"),
        event_date=None if day is None else str(day),
        newest={name: to_us(at) + _CUT_US for name, at in newest.items() if at is not None},
    )


def _plain_schema(table: Any) -> pa.Schema:
    """Of a table that any reader of Delta's first protocol understands, partitioned by `event_date` or not at all."""
    is_plain = table.protocol().min_reader_version == 1 and table.metadata().partition_columns in ([], ["event_date"])
    if not is_plain:
        raise NeedsSpark("the table has features that are not read here")
    return pa.schema(
        [pa.field(f["name"], _arrow_type(f["type"])) for f in json.loads(table.schema().to_json())["fields"]]
    )


def _arrow_type(name: Any) -> pa.DataType:
    if isinstance(name, dict) and name["type"] == "array":
        return pa.list_(_arrow_type(name["elementType"]))
    if name in _PRIMITIVES:
        return _PRIMITIVES[name]
    precision, scale = re.fullmatch(r"decimal\((\d+),(\d+)\)", str(name)).groups()  # type: ignore[union-attr]
    return pa.decimal128(int(precision), int(scale))


def _file_rows(path: str, file: Mapping[str, Any], schema: pa.Schema) -> pa.Table:
    """A file's rows in the table's columns; those that it lacks are null, and the partition's date is in the log."""
    located = Path(f"{local_folder(path)}/{file['path']}")
    if "%" in file["path"] or not fits_checksum(located):
        raise NeedsSpark(f"{located} is not read here")
    found = pq.read_table(located, partitioning=None, page_checksum_verification=True)
    date = pa.scalar(file.get("partition.event_date"), pa.date32())
    held = {name: found[name] for name in found.column_names}
    if "partition.event_date" in file:
        held["event_date"] = pa.repeat(date, len(found))
    missing = {f.name: pa.nulls(len(found), f.type) for f in schema if f.name not in held}
    return pa.table({name: (held | missing)[name] for name in schema.names}).cast(schema)


def _opened(path: str, version: int | None) -> Any:
    from deltalake import DeltaTable

    if "%" in path or "\\" in path:  # delta-rs takes them for an encoding, and would open another folder
        raise NeedsSpark(f"delta-rs can't open {path}")
    if not path.startswith(("s3://", "s3a://", "s3n://")):
        return DeltaTable(path, version=version)
    return DeltaTable(f"s3://{path.partition('://')[2]}", version=version, storage_options=_IMPATIENT)


@contextmanager
def _translated(path: str) -> Iterator[None]:
    """Any failure to read becomes NeedsSpark: Spark may be able to, and reports real damage in plain words."""
    if filesystem(path) is None:
        raise NeedsSpark(f"no file system is known for {path}")
    try:
        yield
    except NeedsSpark:
        raise
    except Exception as error:
        raise NeedsSpark(f"{path} can't be read without Spark: {type(error).__name__}") from error
