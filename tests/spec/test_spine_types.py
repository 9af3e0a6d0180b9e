"""Columns of a CSV spine by their types: keys, label times and what is declared; all others stay text (S15)."""

from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import functions as F

from definitions.errors import SpineColumnsError, SpineKeyError, UsageError, ZigguratError
from jobs.spines.types import SpineTypes, parsed_types, typed_text
from lakehouse.files.deliveries import open_delivery
from lakehouse.files.location import Location
from lakehouse.files.records import Records

TYPES = SpineTypes(
    {"day": "date", "fee": "decimal(6,2)"},
    {"score": "double", "price": "decimal(8,2)", "count": "bigint", "is_new": "boolean", "at": "timestamp"},
)
HEADER = b"day,fee,label_time,score,price,count,is_new,at,note\n"
FIRST = b"2024-06-03,1.50,2024-06-03T12:00:00Z, 1.5 ,12.30,007,yes,2024-06-03 14:00+02,1E5\n"
SECOND = b"2024-6-4,2,2024-06-03T12:00:00+02:00,,,,,,01234\n"


def records(spark: Any, folder: Path, *lines: bytes) -> Records:
    (folder / "spine.csv").write_bytes(HEADER + b"".join(lines))
    (found,) = open_delivery(
        spark, "spine", Location(str(folder / "spine.csv"), "csv"), scratch=str(folder / "scratch")
    )
    return found


def test_what_is_declared_is_read_as_sources_read_it_and_everything_else_is_text(spark, tmp_path: Path) -> None:
    rows = typed_text(records(spark, tmp_path, FIRST, SECOND), TYPES)
    assert dict(rows.dtypes) == {**TYPES.keys, "label_time": "timestamp", **TYPES.others, "note": "string"}
    shown = rows.select(*[F.col(name).cast("string") for name in rows.columns]).collect()
    assert [tuple(row) for row in shown] == [
        ("2024-06-03", "1.50", "2024-06-03 12:00:00", "1.5", "12.30", "7", "true", "2024-06-03 12:00:00", "1E5"),
        ("2024-06-04", "2.00", "2024-06-03 10:00:00", None, None, None, None, None, "01234"),
    ]


@pytest.mark.parametrize(
    ("line", "error", "message"),
    [
        (FIRST.replace(b" 1.5 ", b"12d"), SpineColumnsError, "values of column 'score' are no double, first '12d'"),
        (FIRST.replace(b"12.30", b"12.305"), SpineColumnsError, "column 'price' are no decimal(8,2), first '12.305'"),
        (FIRST.replace(b"007", b"1.0"), SpineColumnsError, "column 'count' are no bigint, first '1.0'"),
        (FIRST.replace(b"yes", b"maybe"), SpineColumnsError, "column 'is_new' are no boolean, first 'maybe'"),
        (FIRST.replace(b"+02", b""), SpineColumnsError, "column 'at' are no timestamp, first '2024-06-03 14:00'"),
        (FIRST.replace(b"2024-06-03,", b"2024,"), SpineKeyError, "values of key 'day' are no date, first '2024'"),
        (FIRST.replace(b"1.50", b"1.505"), SpineKeyError, "key 'fee' are no decimal(6,2), first '1.505'"),
    ],
)
def test_a_value_that_is_none_is_named_with_file_line_and_column(
    spark, tmp_path: Path, line: bytes, error: type[ZigguratError], message: str
) -> None:
    with pytest.raises(error) as raised:
        typed_text(records(spark, tmp_path, FIRST, line, SECOND), TYPES)
    assert str(raised.value).startswith(f"{tmp_path}/spine.csv, line 3: 1 values of ")
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["score"], "--type score names no type; write --type price=double."),
        (["=double"], "--type =double names no type"),
        (["score=double", "score=int"], "--type gives 'score' the types double and int; give it one."),
        (["score=number"], "--type score: type 'number' is unknown; use "),
        (["day=date"], "column 'day' is a join key and has its type already"),
        (["label_time=timestamp"], "column 'label_time' is the label time and has its type already"),
    ],
)
def test_what_can_be_no_type_is_refused_before_anything_is_read(words: list[str], message: str) -> None:
    with pytest.raises(UsageError) as error:
        SpineTypes({"day": "date"}, parsed_types(words))
    assert message in str(error.value)
