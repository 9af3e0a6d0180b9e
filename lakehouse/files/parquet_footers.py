"""What the footer of each parquet file says of its columns: by the file's own schema alone, read without Spark.

Spark and Arrow leave their own schema in a footer, of another file where a tool has copied it. It is not believed.
"""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from definitions.errors import SourceUnreadable
from lakehouse.files.folders import folder_columns
from lakehouse.files.listing import DataFile

NULLS = "void"  # the type of a column that holds nothing but nulls, whatever it was meant to be
NANOSECONDS, LOCAL_NANOSECONDS, INT96 = "timestamp_ns", "timestamp_ntz_ns", "int96"
NESTED = "nested"
_THREADS = 16
_UNSIGNED = {8: "smallint", 16: "int", 32: "bigint", 64: "decimal(20,0)"}
_SIGNED = {8: "tinyint", 16: "smallint", 32: "int", 64: "bigint"}
_PHYSICAL = {
    "BOOLEAN": "boolean",
    "INT32": "int",
    "INT64": "bigint",
    "INT96": INT96,
    "FLOAT": "float",
    "DOUBLE": "double",
    "BYTE_ARRAY": "binary",
    "FIXED_LEN_BYTE_ARRAY": "binary",
}
_LOGICAL = {"String": "string", "Enum": "string", "JSON": "string", "Date": "date", "Null": NULLS}
# What Spark reads as it is.
PLAIN = frozenset(
    {"boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "string", "binary", "date", "timestamp"}
) | {"timestamp_ntz", "decimal", "struct", "array", "map", NULLS}


@dataclass(frozen=True)
class Footer:
    """A file's columns at the top level: each name with its type, as Spark names it where Spark has it.

    Others are `timestamp_ns`, `timestamp_ntz_ns` and `int96`, which have to be looked at before Spark reads them, and
    the names of what can't be read: `nested`, `time`, `uuid` and so on. repeated: names that occur more than once.
    """

    file: DataFile
    types: dict[str, str]
    repeated: frozenset[str]
    rows: int = 0

    @cached_property
    def folders(self) -> dict[str, str | None]:
        """The columns in the names of its folders."""
        return folder_columns(self.file.relative)


@contextmanager
def damage_named(source: str, file: DataFile) -> Iterator[None]:
    """Raises SourceUnreadable with the file for what pyarrow finds while it reads the pages inside."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise SourceUnreadable(
            f"source '{source}': {file.shown} is damaged inside ({str(error).splitlines()[0].rstrip('.')}). Deliver it "
            "again; nothing was written."
        ) from error


def read_footers(source: str, system: fs.FileSystem, files: Sequence[DataFile]) -> list[Footer]:
    """The footers of all files, many at a time. Raises SourceUnreadable for a file that is no parquet."""
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(lambda file: _read(source, system, file), files))


def _read(source: str, system: fs.FileSystem, file: DataFile) -> Footer:
    try:
        with system.open_input_file(file.path) as opened:
            metadata = pq.read_metadata(opened)
            columns = [metadata.schema.column(index) for index in range(len(metadata.schema))]
    except (pa.ArrowException, OSError) as error:
        raise SourceUnreadable(
            f"source '{source}': {file.shown} is no whole parquet file: {_why(file, error)}. Deliver it again; nothing "
            "was written."
        ) from error
    names = [_top(column) for column in columns]
    flat = [name for name, column in zip(names, columns, strict=True) if column.name == column.path]
    types = {
        name: NULLS if type_ in PLAIN and _is_all_null(metadata, index) else type_
        for index, (name, column) in enumerate(zip(names, columns, strict=True))
        for type_ in [_type(column)]
    }
    repeated = frozenset(name for name in flat if flat.count(name) > 1)
    return Footer(file, types, repeated, metadata.num_rows)


def _why(file: DataFile, error: Exception) -> str:
    if not file.size:
        return "it is empty (0 bytes)"
    if "magic bytes" in str(error):
        return f"the last of its {file.size:,} bytes are not those of a parquet file"
    return f"its footer can't be read ({str(error).splitlines()[0].rstrip('.')})"


def _top(column: Any) -> str:
    """The name at the top level; one with a point in it differs from a path, since it is its own whole path."""
    return str(column.name if column.name == column.path else column.path.split(".")[0])


def _type(column: Any) -> str:
    if column.name != column.path or column.max_repetition_level:
        return NESTED
    logical = json.loads(column.logical_type.to_json())
    match logical["Type"]:
        case "None":
            return _PHYSICAL[column.physical_type]
        case "Int":
            return (_SIGNED if logical["isSigned"] else _UNSIGNED)[logical["bitWidth"]]
        case "Decimal":
            return f"decimal({column.precision},{column.scale})"
        case "Timestamp":
            local = "" if logical["isAdjustedToUTC"] else "_ntz"
            return f"timestamp{local}" + ("_ns" if logical["timeUnit"] == "nanoseconds" else "")
        case kind:
            return _LOGICAL.get(kind, str(kind).lower())


def _is_all_null(metadata: Any, index: int) -> bool:
    """Whether a column's statistics say so, of every row group."""
    return metadata.num_rows > 0 and all(_null_groups(metadata, index))


def _null_groups(metadata: Any, index: int) -> Iterator[bool]:
    for group in range(metadata.num_row_groups):
        chunk = metadata.row_group(group).column(index)
        statistics = chunk.statistics
        yield bool(statistics is not None and statistics.has_null_count and statistics.null_count == chunk.num_values)
