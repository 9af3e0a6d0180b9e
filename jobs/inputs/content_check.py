"""Is what the tables hold still what was published? Every file is read, and compared with the log and the ledger."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from definitions.durations import day_or_instant, instant_us
from definitions.registry import Registry, key_of
from definitions.versions import fingerprints
from definitions.views import Definition
from jobs.run.published import PublishedState
from kernels.content_hash import ContentHash, combine, partial_sums
from lakehouse.reader import DataFile, DeltaReader
from lakehouse.tables import Warehouse, filesystem

_SLICE = "_slice"


@dataclass(frozen=True)
class TableContent:
    """One table's findings, in words; none: it is what was published. slices: how many were compared by their hash."""

    table: str
    files: int
    slices: int
    findings: tuple[str, ...]


def check_content(
    warehouse: Warehouse, registry: Registry, published: PublishedState, reader: DeltaReader
) -> Iterator[TableContent]:
    """Every published table of these definitions at its newest version, one after the other. Starts no Spark.

    Each data file is there with the size and the rows that the log says, and the checksums of its pages hold. A raw
    table has no fewer rows than the ledger says, and each slice of a view has the content hash that was taken when it
    was built (S34); slices of columns that are defined otherwise now are only read. Raises NeedsSpark for a table that
    only Spark can open. Cost: all files are read once, one at a time in memory.
    """
    for definition in registry.definitions:
        table, path = key_of(definition), warehouse.address(key_of(definition)).path
        version = reader.version(path)
        if version is not None:
            yield _checked(definition, published, reader.files(path, version=version), table)


def _checked(definition: Definition, published: PublishedState, files: Sequence[DataFile], table: str) -> TableContent:
    findings: list[str] = []
    hashes: dict[str, ContentHash] = {}
    rows = 0
    for file in files:
        try:
            content = _read(file)
            rows += content.num_rows
            for name, part in _hashes(definition, file, content).items():
                hashes[name] = hashes.get(name, ContentHash("0" * 64, 0)) + part
        except (OSError, pa.ArrowException, UnicodeDecodeError, KeyError) as damage:
            reason = " ".join((str(damage).splitlines() or [type(damage).__name__])[0].split())
            findings.append(f"{file.path} can't be read: {reason}")
    if findings:
        return TableContent(table, len(files), 0, tuple(findings))
    if definition.is_delivered:
        # A delivery that was read again is recorded with the rows that it then added, so this is a lower bound.
        counted = published.rows(table)
        different = [f"it holds {rows:,} rows, and {counted:,} were published"] if rows < counted else []
        return TableContent(table, len(files), 0, tuple(different))
    compared = [name for name in published.slices(table) if _is_comparable(definition, published, name)]
    return TableContent(table, len(files), len(compared), tuple(_differences(published, table, compared, hashes)))


def _differences(
    published: PublishedState, table: str, names: Sequence[str], hashes: Mapping[str, ContentHash]
) -> Iterator[str]:
    for name in sorted(names):
        found = hashes.get(name, ContentHash("0" * 64, 0))
        rows, written = published.rows(table, name), published.hash(table, name)
        if found.rows != rows:
            yield f"{name} has {found.rows:,} rows, and {rows:,} were published"
        elif found.hex != written:
            yield f"{name} has the content hash {found.hex[:12]}…, and {written[:12]}… was published"


def _is_comparable(definition: Definition, published: PublishedState, name: str) -> bool:
    table = key_of(definition)
    same_columns = published.state(table, name).columns == fingerprints(definition)
    return same_columns and bool(published.hash(table, name))


def _read(file: DataFile) -> pa.Table:
    """All rows of a file that is there and whole, with the checksums of its pages compared."""
    system, path = filesystem(file.path) or (fs.LocalFileSystem(), file.path)
    info = system.get_file_info(path)
    if info.type is not fs.FileType.File:
        raise FileNotFoundError("it is not there")
    if info.size != file.bytes:
        raise OSError(f"it has {info.size:,} bytes, and {file.bytes:,} were written")
    content = pq.read_table(path, filesystem=system, partitioning=None, page_checksum_verification=True)
    content.validate(full=True)
    if file.rows is not None and content.num_rows != file.rows:
        raise OSError(f"it has {content.num_rows:,} rows, and {file.rows:,} were written")
    return content


def _hashes(definition: Definition, file: DataFile, content: pa.Table) -> dict[str, ContentHash]:
    """By slice, laid out as the build hashes them: a snapshot's slices are instants, a derived view's partitions."""
    if definition.is_delivered:
        return {}
    if definition.is_snapshot:
        clocks = ("event_time", "known_at", "available_time")
        columns = [*definition.key_names, *clocks, *(f.name for f in definition.published)]
        slices = content["event_time"].cast(pa.int64())
    else:
        columns = [*definition.schema, "superseded_at"]
        first = instant_us(date.fromisoformat(str(file.event_date)).isoformat())
        slices = pa.chunked_array([pa.array([first] * content.num_rows, pa.int64())])
    if missing := [name for name in columns if name not in content.column_names]:
        raise KeyError(f"it has no column '{missing[0]}'")
    table = content.select(columns).add_column(0, _SLICE, slices)
    parts = combine(partial_sums(table, slice_column=_SLICE))
    return {day_or_instant(us): part for us, part in parts.items()}
