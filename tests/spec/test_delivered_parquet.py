"""Parquet files of any writer: each read by its own schema, cast to the declared type or refused (S1, S3, S31, S37)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import reduce
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import functions as F

from compute.delivered_schema import require_columns
from compute.delivery import REASON, typed
from definitions.errors import SourceError
from lakehouse.files.deliveries import open_delivery
from lakehouse.files.folders import NULL_FOLDER
from lakehouse.files.location import Location
from lakehouse.files.records import FILE, ORIGINAL
from ziggurat.model import Column, Kind, Source

VIENNA = "Europe/Vienna"


@dataclass(frozen=True)
class Case:
    """Files of one folder, the column that is declared over them, and what becomes of it: value or reason, in order."""

    files: Mapping[str, pa.Table]
    column: Column
    kept: tuple[str | None, ...]
    is_int96: bool = False


def x(*values: Any, type_: pa.DataType | None = None) -> pa.Table:
    return pa.table({"x": pa.array(values, type_)})


def not_checked(*values: bytes | None) -> pa.Table:
    """A column of text with these bytes, as writers leave it that do not look."""
    return pa.table({"x": pa.array(values, pa.binary()).view(pa.string())})


def at(*texts: str) -> list[datetime]:
    return [datetime.fromisoformat(text) for text in texts]


def with_schema_of(table: pa.Table, other: pa.Schema, spark_type: str) -> pa.Table:
    """A table whose footer says what Arrow and Spark would have written for another one."""
    import base64

    spark = {"type": "struct", "fields": [{"name": "x", "type": spark_type, "nullable": True, "metadata": {}}]}
    return table.replace_schema_metadata(
        {
            "ARROW:schema": base64.b64encode(other.serialize().to_pybytes()),
            "org.apache.spark.sql.parquet.row.metadata": json.dumps(spark),
        }
    )


US, NS, NTZ, NTZ_NS = pa.timestamp("us", "UTC"), pa.timestamp("ns", "UTC"), pa.timestamp("us"), pa.timestamp("ns")
MICRO = 1_500_000_000_000_001
FINER = "a time is finer than a microsecond"
NOT_UTF8 = "x is not UTF-8"
OUTSIDE = "x lies outside the years 1900 to 2200"
INSTANT, LOCAL = Column("x", "timestamp"), Column("x", "timestamp", zone=VIENNA)
CASES = {
    "int32 and int64": Case(
        {"a": x(1, type_=pa.int32()), "b": x(2**40), "c": x(3, type_=pa.int8())},
        Column("x", "bigint"),
        ("1", str(2**40), "3"),
    ),
    "text and nulls only": Case(
        {"a": x(None, type_=pa.null()), "b": x("R01   ", "é"), "c": x(None, type_=pa.float64())},
        Column("x", "string"),
        (None, "R01   ", "é", None),
    ),
    "text, trimmed": Case({"a": x("\t R01 ", "  ")}, Column("x", "string", trim=True), ("R01", None)),
    "decimals of two widths": Case(
        {"a": x(Decimal("1.20"), type_=pa.decimal128(5, 2)), "b": x(Decimal("12345.67"), type_=pa.decimal128(7, 2))},
        Column("x", "decimal(6,2)"),
        ("1.20", "x does not fit decimal(6,2)"),
    ),
    "23 digits": Case(
        {"a": x(Decimal("12345678901234567890123"), type_=pa.decimal128(38, 0))},
        Column("x", "decimal(38,0)"),
        ("12345678901234567890123",),
    ),
    "a 19th decimal": Case(
        {"a": x(Decimal("0.1234567890123456789"), Decimal("0.5"), type_=pa.decimal128(38, 19))},
        Column("x", "decimal(38,18)"),
        ("x is not a whole number of 0.000000000000000001", "0.500000000000000000"),
    ),
    "unsigned": Case(
        {
            "a": x(2**32 - 1, type_=pa.uint32()),
            "b": x(2**63 - 1, 2**63, type_=pa.uint64()),
            "c": x(255, type_=pa.uint8()),
        },
        Column("x", "bigint"),
        ("4294967295", str(2**63 - 1), "x is not bigint", "255"),
    ),
    "bytes": Case(
        {"a": x(b"caf\xc3\xa9", b"K\xfcse"), "b": x("text")}, Column("x", "string"), ("café", "x is not UTF-8", "text")
    ),
    "text that is not UTF-8": Case(
        {"a": not_checked(b"caf\xc3\xa9", b"K\xfcse", b"K\xf6se", None), "b": x("text")},
        Column("x", "string"),
        ("café", NOT_UTF8, NOT_UTF8, None, "text"),
    ),
    "dictionary": Case(
        {"a": pa.table({"x": pa.array(["a", "b", "a"]).dictionary_encode()})},
        Column("x", "string"),
        ("a", "b", "a"),
    ),
    "floats": Case(
        {"a": x(0.5, type_=pa.float32()), "b": x(0.1, float("nan"), -0.0)},
        Column("x", "double"),
        ("0.5", "0.1", "x is NaN, infinite or not a number", "0.0"),
    ),
    "zoned and local": Case(
        {"a": x(*at("2017-07-01T12:00:00+00:00"), type_=US), "b": x(*at("2017-07-01T12:00"), type_=NTZ)},
        LOCAL,
        ("2017-07-01 12:00:00", "2017-07-01 10:00:00"),
    ),
    "units": Case(
        {"a": x(0, type_=pa.timestamp("ms", "UTC")), "b": x(0, type_=US), "c": x(1000, type_=NS)},
        INSTANT,
        ("1970-01-01 00:00:00", "1970-01-01 00:00:00", "1970-01-01 00:00:00.000001"),
    ),
    "nanoseconds": Case(
        {"a": x(1000 * MICRO, 1000 * MICRO + 1, -1000, -1, None, type_=NS), "b": x(0, type_=US)},
        INSTANT,
        ("2017-07-14 02:40:00.000001", FINER, "1969-12-31 23:59:59.999999", FINER, None, "1970-01-01 00:00:00"),
    ),
    "local nanoseconds": Case({"a": x(0, 1, type_=NTZ_NS)}, LOCAL, ("1969-12-31 23:00:00", FINER)),
    "INT96": Case(
        {"a": x(1000 * MICRO, type_=NS), "b": x(1000 * MICRO, 1000 * MICRO + 1, -1, type_=NS)},
        INSTANT,
        ("2017-07-14 02:40:00.000001", "2017-07-14 02:40:00.000001", FINER, FINER),
        is_int96=True,
    ),
    "INT96 of other years": Case(
        {"a": x(*at("1600-01-01", "2017-01-01", "2300-01-01"), type_=NTZ)},
        INSTANT,
        (OUTSIDE, "2017-01-01 00:00:00", OUTSIDE),
        is_int96=True,
    ),
    "days of other years": Case(
        {"a": x(date(1600, 1, 1), date(1582, 10, 10), date(9999, 12, 31), date(1, 1, 1))},
        Column("x", "date"),
        ("1600-01-01", "1582-10-10", "9999-12-31", "0001-01-01"),
    ),
    "another writer's schema": Case(
        {
            "a": with_schema_of(x(5), pa.schema({"x": pa.string()}), "string"),
            "b": with_schema_of(x(6), pa.schema({"x": US}), "timestamp"),
        },
        Column("x", "bigint"),
        ("5", "6"),
    ),
    "epochs": Case(
        {
            "a": x(1_500_000_000, type_=pa.int32()),
            "b": x(Decimal("1500000000.000001"), type_=pa.decimal128(20, 6)),
            "c": x(1.5e9, 1e-7),
        },
        Column("x", "timestamp", epoch="s"),
        ("2017-07-14 02:40:00", "2017-07-14 02:40:00.000001", "2017-07-14 02:40:00", FINER),
    ),
    "undeclared columns": Case(
        {
            "a": pa.table(
                {
                    "x": [1],
                    "when": pa.array([1], NS),
                    "_corrupt": ["c"],
                    "_metadata": [1],
                    "_file": ["f"],
                    "_problem": ["p"],
                    "column_0": [7],
                    "a.b": [1],
                    "`": [2],
                    "clock": pa.array([1], pa.time64("us")),
                    "nested": [{"x": 5}],
                    "list": [[1]],
                }
            ),
            "b": pa.table({"x": [2], "X": [3], "when": ["now"]}),
        },
        Column("x", "bigint"),
        ("1", "2"),
    ),
    "names that Spark keeps": Case(
        {"a": pa.table({"_metadata": [4], "x": ["no"]})},
        Column("x", "bigint", delivered="_metadata"),
        ("4",),
    ),
    "names with marks": Case(
        {"a": pa.table({"a.b": [4], "a": [{"b": 5}]})},
        Column("x", "bigint", delivered="a.b"),
        ("4",),
    ),
    "folders": Case(
        {f"x={folder}/a": pa.table({"y": [1]}) for folder in ("01001", "caf%C3%A9+1", NULL_FOLDER)},
        Column("x", "string"),
        ("01001", None, "café+1"),
    ),
    "folders however they are written": Case(
        {f"{folder}/a": pa.table({"y": [1]}) for folder in ("%78=2", "x=", "x=a%zz%20b", "x=c:d*{e}")},
        Column("x", "string"),
        ("2", None, "a%zz b", "c:d*{e}"),
    ),
    "folders of numbers": Case(
        {"x=1.50/a": pa.table({"y": [1]}), "x=free/b": pa.table({"y": pa.array([2], NS)})},
        Column("x", "decimal(8,2)"),
        ("1.50", "x is not a number"),
    ),
    "no rows": Case({"a": x(type_=NS), "b": x(0, type_=US)}, INSTANT, ("1970-01-01 00:00:00",)),
}


def source(*columns: Column) -> Source:
    return Source(name="things", kind=Kind.STATIC, version=1, owner="tests", columns=columns)


def written(folder: Path, files: Mapping[str, pa.Table], *, is_int96: bool = False) -> Location:
    for name, table in files.items():
        path = folder / (name if "." in name else f"{name}.parquet")
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(
            table,
            path,
            use_deprecated_int96_timestamps=is_int96,
            store_schema=b"ARROW:schema" not in (table.schema.metadata or {}),
        )
    return Location(str(folder))


def read(spark: Any, location: Location, declared: Source, *, scratch: str = "") -> Any:
    scratch = scratch or f"{location.path}.scratch"
    opened = open_delivery(spark, declared.name, location, scratch=scratch, columns=declared.delivered_names)
    for records in opened:
        require_columns(records, declared)
    return reduce(lambda a, b: a.unionByName(b), [typed(records, declared) for records in opened])


def test_each_file_is_read_by_its_own_schema(spark, tmp_path: Path) -> None:
    parts = []
    for name, case in CASES.items():
        rows = read(spark, written(tmp_path / name, case.files, is_int96=case.is_int96), source(case.column))
        parts.append(
            rows.select(F.lit(name).alias("case"), FILE, F.col("x").cast("string").alias("x"), REASON, ORIGINAL)
        )
    found = reduce(lambda a, b: a.unionByName(b), parts).collect()
    for name, case in CASES.items():
        # Files are in order within a case, and so are the rows of a file.
        rows = sorted((row for row in found if row["case"] == name), key=lambda row: row[FILE])
        assert tuple(row[REASON] or row["x"] for row in rows) == case.kept, name
    assert {Path(row[FILE]).name for row in found if row["case"] == "nanoseconds"} == {"a.parquet", "b.parquet"}
    originals = {(row["case"], row[REASON], row["x"]): json.loads(row[ORIGINAL]) for row in found}
    assert originals["nanoseconds", FINER, "1969-12-31 23:59:59.999999"] == {"x": "1969-12-31T23:59:59.999999999Z"}
    assert originals["INT96 of other years", OUTSIDE, "1600-01-01 00:00:00"] == {"x": "1600-01-01T00:00:00.000000Z"}
    invalid = {row[ORIGINAL] for row in found if (row["case"], row[REASON]) == ("text that is not UTF-8", NOT_UTF8)}
    assert invalid == {'{"x":"0x4BFC7365"}', '{"x":"0x4BF67365"}'}
    assert originals["undeclared columns", None, "1"] == {
        "x": 1,
        "when": "1970-01-01T00:00:00.000000001Z",
        "_corrupt": "c",
        "_file": "f",
        "_problem": "p",
        "column_0": 7,
        "a.b": 1,
        "`": 2,
    }


REFUSED = {
    "one file lacks the column": (
        {"a": x(1), "b": pa.table({"X": [2], "y": [1]})},
        Column("x", "bigint"),
        "source 'things' at {folder}/b.parquet has no column 'x'. Known: X, y.",
    ),
    "one file has another type": (
        {"a": x(1), "b": x("1"), "c": x(2)},
        Column("x", "bigint"),
        "source 'things' at {folder}/b.parquet: column 'x' is string, declared bigint.",
    ),
    "one file has local times": (
        {"a": x(0, type_=US), "b": x(0, type_=NTZ_NS)},
        INSTANT,
        "source 'things' at {folder}/b.parquet: column 'x' has local times; declare their zone",
    ),
    "a nested column": ({"a": x({"y": 1})}, Column("x", "string"), "column 'x' is nested, declared string"),
    "a time of day": ({"a": x(0, type_=pa.time64("us"))}, INSTANT, "column 'x' is time, declared timestamp"),
    "times where numbers are declared": (
        {"a": x(0, type_=US)},
        Column("x", "timestamp", epoch="s"),
        "column 'x' is timestamp, declared timestamp as a number of s since 1970",
    ),
    "in the file and its folder": (
        {"x=1/a": x(1)},
        Column("x", "bigint"),
        "source 'things': {folder}/x=1/a.parquet has a column 'x', which the name of its folder has, too",
    ),
    "in two folders": (
        {"x=1/x=2/a": pa.table({"y": [1]})},
        Column("x", "bigint"),
        "source 'things': {folder}/x=1/x=2/a.parquet lies in two folders that give the column 'x' a value",
    ),
    "a part of a time": (
        {"a": pa.table({"day": [True], "clock": ["9:30"]})},
        Column("x", "timestamp", zone=VIENNA, combined="{day} {clock}"),
        "column 'day' is boolean, declared part of timestamp 'x'",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_does_not_fit_is_refused_by_its_name_its_column_and_the_reason(
    spark, tmp_path: Path, case: str
) -> None:
    files, column, message = REFUSED[case]
    location = written(tmp_path / "delivered", files)
    with pytest.raises(SourceError) as error:
        read(spark, location, source(column))
    assert message.replace("{folder}", location.path) in str(error.value)
    assert "\n" not in str(error.value)


def test_parts_of_a_time_are_combined_whatever_their_types(spark, tmp_path: Path) -> None:
    parts = {"year": pa.array([2013, 2013, None], pa.int32()), "month": [1.0, 2.0, 1.0], "day": ["5", "30", "1"]}
    clocks = {"hour": pa.array([9, 9, 9], pa.int8()), "minute": pa.array([5, 5, 5], pa.int64())}
    location = written(tmp_path, {"a": pa.table({**parts, **clocks})})
    at = Column("x", "timestamp", zone="America/New_York", combined="{year}-{month}-{day} {hour}:{minute}")
    rows = read(spark, location, source(at)).select(F.col("x").cast("string"), REASON).collect()
    assert [tuple(row) for row in rows] == [
        ("2013-01-05 14:05:00", None),
        (None, "x is not a time"),
        (None, None),
    ]
