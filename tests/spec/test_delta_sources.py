"""Delta tables of others as sources and spines: renamed and dropped columns, deleted rows, text that is not UTF-8."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from compute.delivered_schema import require_columns
from compute.delivery import REASON, typed
from definitions.errors import SourceSchemaError
from lakehouse.files.deliveries import open_delivery
from lakehouse.files.listing import fingerprint
from lakehouse.files.location import Location
from lakehouse.files.records import ORIGINAL
from lakehouse.reader import DeltaReader
from ziggurat.model import Column, Kind, Source


def source(*columns: Column) -> Source:
    return Source(name="things", kind=Kind.STATIC, version=1, owner="tests", columns=columns)


THINGS = source(Column("id", "bigint"), Column("name", "string"))


def read(spark: Any, path: Path, declared: Source, *, delivered: str = "") -> list[tuple[Any, ...]]:
    """The declared values of each row, and why it can't be used."""
    (records,) = open_delivery(spark, "things", Location(str(path), "delta"), scratch="", delivered=delivered)
    require_columns(records, declared)
    names = [column.name for column in declared.columns]
    return sorted(map(tuple, typed(records, declared).select(*names, REASON).collect()), key=str)


def test_renamed_and_dropped_columns_and_deleted_rows_are_seen_as_spark_wrote_them(spark, tmp_path: Path) -> None:
    """Column mapping and deletion vectors: data files hold other names, other columns and more rows than the table."""
    table = tmp_path / "things"
    rows = spark.createDataFrame([(1, "oak", 9), (2, "elm", 3), (3, "fir", 7)], "id bigint, label string, price int")
    properties = {
        "delta.columnMapping.mode": "name",
        "delta.enableDeletionVectors": "true",
        "delta.minReaderVersion": "3",
        "delta.minWriterVersion": "7",
    }
    writer = rows.coalesce(1).write.format("delta")
    for name, value in properties.items():
        writer = writer.option(name, value)
    writer.save(str(table))
    sql = f"delta.`{table}`"
    first = fingerprint("things", Location(str(table), "delta"), version_of=DeltaReader().version)
    spark.sql(f"ALTER TABLE {sql} RENAME COLUMN label TO name")
    spark.sql(f"ALTER TABLE {sql} DROP COLUMN price")
    spark.sql(f"DELETE FROM {sql} WHERE id = 2")
    log = "".join(file.read_text() for file in sorted((table / "_delta_log").glob("*.json")))
    assert '"deletionVector"' in log
    assert len(list(table.rglob("*.parquet"))) == 1  # nothing was rewritten

    newest = fingerprint("things", Location(str(table), "delta"), version_of=DeltaReader().version)
    assert newest != first
    assert read(spark, table, THINGS, delivered=newest) == [(1, "oak", None), (3, "fir", None)]
    with pytest.raises(SourceSchemaError, match="has no column 'price'"):
        read(spark, table, source(Column("id", "bigint"), Column("price", "int")), delivered=newest)
    with pytest.raises(SourceSchemaError, match=r"has no column 'name'. Known: id, label, price"):
        read(spark, table, THINGS, delivered=first)


def test_text_that_is_not_utf8_is_quarantined(spark, tmp_path: Path) -> None:
    names = pa.array([b"K\xfcse", b"K\xf6se", b"caf\xc3\xa9"], pa.binary()).view(pa.string())
    table = pa.table({"id": [1, 2, 3], "name": names})
    write_deltalake(tmp_path / "things", table)
    assert read(spark, tmp_path / "things", THINGS) == [
        (1, None, "name is not UTF-8"),
        (2, None, "name is not UTF-8"),
        (3, "café", None),
    ]
    (records,) = open_delivery(spark, "things", Location(str(tmp_path / "things"), "delta"), scratch="")
    assert sorted(row[ORIGINAL] for row in records.frame.collect())[:2] == [
        '{"id":1,"name":"0x4BFC7365"}',
        '{"id":2,"name":"0x4BF67365"}',
    ]
