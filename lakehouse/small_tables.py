"""Tables of few rows, read and written in this process where that can be, else by Spark: the same rows either way."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from lakehouse.commit_notes import CommitNote
from lakehouse.commits import TABLE_PROPERTIES, Published, append, commit, replace_slices
from lakehouse.leases.leases import Lease
from lakehouse.reader import DeltaReader, NeedsSpark
from lakehouse.slices import WholeSlices
from lakehouse.tables import TableAddress, commit_versions, local_folder, read
from lakehouse.writer import MOST_ROWS, SmallCommit, write

_DEFAULTS = "spark.databricks.delta.properties.defaults."
_INSTANT = pa.timestamp("us", tz="UTC")


def read_rows(spark: SparkSession, path: str, *, version: int | None) -> DataFrame:
    """What `tables.read` gives. Of a small table its rows, which cost Spark no look at the log or at files."""
    try:
        return spark.createDataFrame(DeltaReader().small_table(path, version=version, most_rows=MOST_ROWS))
    except NeedsSpark:
        return read(spark, path, version=version)


def replace_slices_by_rows(
    spark: SparkSession,
    rows: pa.Table,
    table: TableAddress,
    *,
    replaces: WholeSlices,
    sort_by: Sequence[str],
    lease: Lease,
    note: CommitNote,
) -> Published:
    """What `commits.replace_slices` does; partitioned by `event_date`.

    Raises ValueError for rows outside the slices.
    """
    strays = rows.num_rows - replaces.rows_of(rows).num_rows
    if strays:
        raise ValueError(f"{strays} of {rows.num_rows} rows lie outside the slices of {table} that they replace.")
    small = _small(table, _sorted(rows, sort_by), ["event_date"], replaces)
    try:
        return _written(spark, small, table, lease, note)
    except NeedsSpark:
        return replace_slices(
            spark,
            spark.createDataFrame(rows),
            table,
            predicate=replaces.predicate,
            partition_by=["event_date"],
            sort_by=sort_by,
            lease=lease,
            note=note,
        )


def append_rows(
    spark: SparkSession,
    rows: pa.Table,
    table: TableAddress,
    *,
    partition_by: Sequence[str],
    lease: Lease,
    note: CommitNote,
) -> Published:
    """What `commits.append` does: one file in each partition."""
    try:
        return _written(spark, _small(table, rows, partition_by), table, lease, note)
    except NeedsSpark:
        frame = spark.createDataFrame(rows)
        frame = frame.repartition(*partition_by) if partition_by else frame.coalesce(1)
        return append(spark, frame, table, partition_by=partition_by, lease=lease, note=note)


def append_frame(
    spark: SparkSession,
    frame: DataFrame,
    table: TableAddress,
    *,
    partition_by: Sequence[str],
    lease: Lease,
    note: CommitNote,
) -> Published:
    """What `commits.append` does; of a frame with few rows, by the note, it collects them."""
    rows = frame.limit(MOST_ROWS + 1).toArrow() if note.rows <= MOST_ROWS else None
    if rows is not None:
        with suppress(NeedsSpark):
            return _written(spark, _small(table, rows, partition_by), table, lease, note)
    return append(spark, frame, table, partition_by=partition_by, lease=lease, note=note)


def write_small(spark: SparkSession, path: str, small: SmallCommit) -> None:
    """One commit without Spark. Raises NeedsSpark, also where the session gives new tables properties of its own."""
    is_new = local_folder(path) is not None and not commit_versions(path)
    if is_new and any(name.startswith(_DEFAULTS) for name in _conf(spark)):
        raise NeedsSpark("the session sets defaults for the properties of new tables")
    write(path, replace(small, rows=_in_utc(small.rows)))


def _small(
    table: TableAddress, rows: pa.Table, partition_by: Sequence[str], replaces: WholeSlices | None = None
) -> SmallCommit:
    """The commit, before the lease gives it its token."""
    return SmallCommit(
        rows=rows,
        transaction=(table.key, 0),
        properties=TABLE_PROPERTIES,
        partition_by=partition_by,
        replaces=replaces,
    )


def _written(spark: SparkSession, small: SmallCommit, table: TableAddress, lease: Lease, note: CommitNote) -> Published:
    def save(signed: CommitNote, _before: int | None) -> None:
        write_small(spark, table.path, replace(small, transaction=(table.key, signed.token), note=signed.to_json()))

    return commit(spark, save, table, lease=lease, note=note)


def _conf(spark: SparkSession) -> Mapping[str, str]:
    return spark.conf.getAll


def _sorted(rows: pa.Table, by: Sequence[str]) -> pa.Table:
    return rows.sort_by([(name, "ascending") for name in by]) if by else rows


def _in_utc(rows: pa.Table) -> pa.Table:
    """Instants under the one name of their zone: a session may call it Etc/UTC."""
    fields = [
        pa.field(f.name, _INSTANT if pa.types.is_timestamp(f.type) and f.type.tz is not None else f.type)
        for f in rows.schema
    ]
    return rows.cast(pa.schema(fields))
