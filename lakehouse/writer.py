"""Small Delta commits on a local disk, made without Spark through delta-rs: milliseconds, where Spark takes a second.

`NeedsSpark` is raised, with nothing visible to readers, for what it does not write: other file systems, tables with
features beyond Delta's first, other columns than the table has, slices that lie in files with other rows. Spark then
makes the same commit. Statistics of files are our own: those that delta-rs takes of wide decimals are wrong.
"""

import json
import math
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lakehouse.checksums import keep_checksum
from lakehouse.reader import NeedsSpark
from lakehouse.slices import WholeSlices
from lakehouse.tables import commit_versions, local_folder

MOST_ROWS = 20_000  # of one commit: some MB at the most
_MOST_BYTES = 16 * 1024 * 1024  # of a file that is read to see which instants it holds
_CHECKPOINT_EVERY = 10  # as Spark does
_LONGEST_TEXT, _EXACT_DIGITS = 32, 15  # of longer texts, bounds are their beginnings; longer decimals have none
_LAST_LETTER = "\U0010ffff"
_DAY, _INSTANT = pa.date32(), pa.timestamp("us", tz="UTC")
_PLAIN = {pa.string(), pa.bool_(), pa.int32(), pa.int64(), pa.float64(), pa.binary(), _DAY, _INSTANT}


@dataclass(frozen=True, kw_only=True)
class SmallCommit:
    """One commit. transaction: Delta's application id and version; one that is not above the last adds nothing.

    properties: of the table, where this commit makes it. replaces: what the rows take the place of; None: nothing.
    """

    rows: pa.Table
    transaction: tuple[str, int]
    properties: Mapping[str, str]
    partition_by: Sequence[str] = ()
    replaces: WholeSlices | None = None
    note: str | None = None

    @property
    def schema(self) -> pa.Schema:
        """Every column may be null, as in tables that Spark makes."""
        return pa.schema([pa.field(column.name, column.type) for column in self.rows.schema])


def write(path: str, commit: SmallCommit) -> None:
    """Make the commit, or find that its transaction is in already. Only as the version after the one looked at."""
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    folder = _writable(path, commit)
    try:
        table = DeltaTable(str(folder)) if commit_versions(str(folder)) else None
        app, version = commit.transaction
        done = table.transaction_version(app) if table is not None else None
        if done is None or done < version:
            _write(folder, table, commit)
    except DeltaError as error:  # another was faster, or delta-rs can't read the log: Spark looks at the table anew
        raise NeedsSpark(f"{path} can't be written without Spark: {type(error).__name__}") from error


def _writable(path: str, commit: SmallCommit) -> Path:
    folder = local_folder(path)
    if folder is None or "%" in path or "\\" in path:
        raise NeedsSpark(f"delta-rs can't write {path}")
    strange = [column.name for column in commit.schema if not _is_plain(column.type)]
    if strange or commit.rows.num_rows > MOST_ROWS or list(commit.partition_by) not in ([], ["event_date"]):
        raise NeedsSpark(f"{commit.rows.num_rows:,} rows of {path} with {', '.join(strange) or 'plain columns'}")
    return folder


def _is_plain(type_: pa.DataType) -> bool:
    if pa.types.is_list(type_):
        return _is_plain(type_.value_type)
    return type_ in _PLAIN or pa.types.is_decimal128(type_)


def _write(folder: Path, table: Any, commit: SmallCommit) -> None:
    from deltalake import DeltaTable

    if table is not None:
        _require_plain(table, commit)
    removed = _removed(table, folder, commit.replaces) if table is not None and commit.replaces is not None else []
    added = [_data_file(folder, commit, day, rows) for day, rows in _partitions(commit)]
    version = _committed(folder, table, commit, added, removed)
    keep_checksum(folder / f"_delta_log/{version:020d}.json")
    if version and version % _CHECKPOINT_EVERY == 0:
        DeltaTable(str(folder)).create_checkpoint()


def _require_plain(table: Any, commit: SmallCommit) -> None:
    from deltalake import Schema

    protocol, metadata = table.protocol(), table.metadata()
    found, wanted = (_columns(schema) for schema in (table.schema(), Schema.from_arrow(commit.schema)))
    is_first_protocol = protocol.min_reader_version == 1 and protocol.min_writer_version <= 2
    is_append_only = metadata.configuration.get("delta.appendOnly", "false") != "false"
    is_alike = found == wanted and list(metadata.partition_columns) == list(commit.partition_by)
    if not is_alike or not is_first_protocol or is_append_only:
        raise NeedsSpark("the table has other columns, or features that delta-rs is not trusted with")


def _columns(schema: Any) -> dict[str, Any]:
    """By name, all that Delta records of a column: its type, and constraints, which only Spark checks."""
    return {column["name"]: column for column in json.loads(schema.to_json())["fields"]}


def _removed(table: Any, folder: Path, replaces: WholeSlices) -> list[Any]:
    """The files whose rows all lie in the slices that are replaced."""
    from deltalake._internal import RemoveAction

    now = int(time.time() * 1000)
    files = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    return [
        RemoveAction(file["path"], True, now, file["size_bytes"], {"event_date": str(day)})
        for file in files
        if (day := file.get("partition.event_date")) in replaces.dates and _is_replaced(folder, file, replaces)
    ]


def _is_replaced(folder: Path, file: Mapping[str, Any], replaces: WholeSlices) -> bool:
    if "%" in file["path"] or file["size_bytes"] > _MOST_BYTES:
        raise NeedsSpark(f"{file['path']} is not looked into")
    if not replaces.instants:
        return True
    times = pq.read_table(folder / file["path"], columns=["event_time"], partitioning=None)["event_time"]
    inside = pc.sum(replaces.has_instant(times)).as_py() or 0
    if 0 < inside < len(times):
        raise NeedsSpark(f"{file['path']} holds other instants, too")
    return bool(inside)


def _partitions(commit: SmallCommit) -> Iterator[tuple[date | None, pa.Table]]:
    if not commit.partition_by:
        yield None, commit.rows
        return
    for day in pc.unique(commit.rows["event_date"]).to_pylist():
        if day is None:
            raise NeedsSpark("rows without a date")
        yield day, commit.rows.filter(pc.equal(commit.rows["event_date"], pa.scalar(day, _DAY))).drop(["event_date"])


def _data_file(folder: Path, commit: SmallCommit, day: date | None, rows: pa.Table) -> Any:
    from deltalake.transaction import AddAction

    inner = f"{'' if day is None else f'event_date={day}/'}part-00000-{uuid.uuid4()}-c000.snappy.parquet"
    file = folder / inner
    file.parent.mkdir(parents=True, exist_ok=True)
    # As Spark does, with a checksum for each page: Hadoop's own, beside the file, is lost when a file is copied.
    form = {"store_schema": False, "store_decimal_as_integer": True, "write_page_checksum": True}
    pq.write_table(rows, file, compression="snappy", **form)
    keep_checksum(file)
    found = file.stat()
    partition = {} if day is None else {"event_date": str(day)}
    return AddAction(inner, found.st_size, partition, found.st_mtime_ns // 1_000_000, True, _statistics(rows))


def _statistics(rows: pa.Table) -> str:
    """As Spark has them: delta-rs finds no row by a column that could have bounds and has none."""
    bounds = {name: _bounds(rows[name]) for name in rows.column_names}
    nulls = {name: rows[name].null_count for name in rows.column_names}
    low, high = ({name: found[at] for name, found in bounds.items() if found} for at in (0, 1))
    return json.dumps({"numRecords": rows.num_rows, "minValues": low, "maxValues": high, "nullCount": nulls})


def _bounds(column: pa.ChunkedArray) -> tuple[Any, Any] | None:
    """No value is less than the first, none greater than the second, as the log writes them; None where it can't."""
    if column.type != _INSTANT and not _has_bounds(column.type):
        return None
    found = pc.min_max(column).as_py()
    low, high = _as_written(found["min"], is_high=False), _as_written(found["max"], is_high=True)
    return None if low is None or high is None else (low, high)


def _has_bounds(type_: pa.DataType) -> bool:
    kinds = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_string, pa.types.is_date)
    return any(is_kind(type_) for is_kind in kinds)


def _as_written(value: Any, *, is_high: bool) -> Any:
    """Times cut to the millisecond, the latest too, which readers allow for; decimals that a double holds."""
    if isinstance(value, datetime):
        return _cut(value)
    if isinstance(value, date):
        return str(value)
    if isinstance(value, Decimal):
        return float(value) if len(value.as_tuple().digits) <= _EXACT_DIGITS else None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return _cut_text(value, is_high=is_high) if isinstance(value, str) and len(value) > _LONGEST_TEXT else value


def _cut_text(text: str, *, is_high: bool) -> str | None:
    """The beginning, which is no greater; above every text that begins so, it goes on with the last of all letters."""
    if not is_high:
        return text[:_LONGEST_TEXT]
    return None if text[_LONGEST_TEXT] == _LAST_LETTER else text[:_LONGEST_TEXT] + _LAST_LETTER


def _cut(instant: Any) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{instant.microsecond // 1000:03d}Z"


def _committed(folder: Path, table: Any, commit: SmallCommit, added: Sequence[Any], removed: Sequence[Any]) -> int:
    """The version that the commit became: the one after that which was looked at."""
    from deltalake import CommitProperties, PostCommitHookProperties, Schema, Transaction
    from deltalake.transaction import create_table_with_add_actions

    schema, partition_by = Schema.from_arrow(commit.schema), list(commit.partition_by)
    transaction = Transaction(*commit.transaction, int(time.time() * 1000))
    # Not made again on another version: what was looked at would no longer be what is changed.
    said = CommitProperties(dict(_info(commit, added, removed)), 0, [transaction])
    after = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)
    if table is None:
        create_table_with_add_actions(
            str(folder), schema, list(added), "error", partition_by, configuration=commit.properties,
            commit_properties=said, post_commithook_properties=after,
        )  # fmt: skip
        return 0
    version = int(table.version()) + 1  # delta-rs goes on giving the one before
    table.create_write_transaction(
        [*added, *removed], "append", schema, partition_by, commit_properties=said, post_commithook_properties=after
    )
    return version


def _info(commit: SmallCommit, added: Sequence[Any], removed: Sequence[Any]) -> Iterable[tuple[str, Any]]:
    """What the commit says of itself, in the words of Spark."""
    replaces = {"predicate": commit.replaces.predicate} if commit.replaces is not None else {}
    mode = "Append" if commit.replaces is None else "Overwrite"
    yield "operationParameters", {"mode": mode, "partitionBy": json.dumps(list(commit.partition_by)), **replaces}
    metrics = {"numFiles": len(added), "numRemovedFiles": len(removed), "numCopiedRows": 0}
    metrics |= {"numOutputRows": commit.rows.num_rows, "numOutputBytes": sum(action.size for action in added)}
    yield "operationMetrics", {name: str(count) for name, count in metrics.items()}
    yield "isolationLevel", "Serializable"
    yield "isBlindAppend", commit.replaces is None
    if commit.note is not None:
        yield "userMetadata", commit.note
