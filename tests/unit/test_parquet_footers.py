"""Parquet files that can't be read, or not for the declared columns, are refused in one sentence, without Spark."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from definitions.errors import SourceSchemaError, SourceUnreadable
from lakehouse.files.deliveries import open_delivery
from lakehouse.files.listing import data_files
from lakehouse.files.location import Location
from lakehouse.files.parquet_footers import read_footers
from lakehouse.files.parquet_groups import Group, groups
from lakehouse.tables import filesystem


def refused(folder: Path, name: str, content: bytes) -> str:
    (folder / name).write_bytes(content)
    with pytest.raises(SourceUnreadable) as error:
        open_delivery(None, "things", Location(str(folder)), scratch=str(folder / "_scratch"), columns=["x"])
    (folder / name).unlink()
    return str(error.value)


def test_a_damaged_file_is_named_with_what_is_wrong_and_what_to_do(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1, 2]}), tmp_path / "good.parquet")
    whole = (tmp_path / "good.parquet").read_bytes()
    assert refused(tmp_path, "empty.parquet", b"") == (
        f"source 'things': {tmp_path}/empty.parquet is no whole parquet file: it is empty (0 bytes). Deliver it again; "
        "nothing was written."
    )
    for content in (whole[:-10], bytes(1000), b"a,b\n1,2\n", whole[:-4] + b"PAR2"):
        assert "bytes are not those of a parquet file. Deliver" in refused(tmp_path, "bad.parquet", content)
    assert "its footer can't be read" in refused(tmp_path, "bad.parquet", whole[:20] + bytes(60) + whole[-8:])


def test_a_file_that_is_damaged_inside_is_named_too(tmp_path: Path) -> None:
    times = pa.table({"x": pa.array(range(10_000), pa.timestamp("ns"))})
    pq.write_table(times, tmp_path / "good.parquet", use_deprecated_int96_timestamps=True, use_dictionary=False)
    whole = (tmp_path / "good.parquet").read_bytes()
    (tmp_path / "good.parquet").unlink()
    message = refused(tmp_path, "bad.parquet", whole[:10] + bytes(500) + whole[510:])
    assert message.startswith(f"source 'things': {tmp_path}/bad.parquet is damaged inside (")
    assert message.endswith("Deliver it again; nothing was written.")
    assert "\n" not in message


def grouped(folder: Path, *columns: str, nanos: frozenset[str] = frozenset()) -> list[Group]:
    location = Location(str(folder))
    system, _ = filesystem(location.path)
    return groups("things", read_footers("things", system, data_files("things", location)), columns, nanos)


def found(folder: Path, *columns: str) -> list[dict[str, str]]:
    return [group.needed for group in grouped(folder, *columns)]


def test_files_are_grouped_by_the_types_of_what_is_read_alone(tmp_path: Path) -> None:
    for number in range(4):
        table = pa.table({"x": pa.array([1], pa.int32() if number % 2 else pa.int64()), f"other{number}": [number]})
        pq.write_table(table, tmp_path / f"{number}.parquet")
    assert found(tmp_path, "x") == [{"x": "bigint"}, {"x": "int"}]
    assert found(tmp_path, "other3") == [{}, {"other3": "bigint"}]


def test_a_column_that_occurs_twice_is_refused_if_it_is_read(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["x", "x"]), tmp_path / "a.parquet")
    assert found(tmp_path, "y") == [{}]
    with pytest.raises(SourceSchemaError, match=r"a\.parquet has two columns called 'x'"):
        found(tmp_path, "x")


def test_types_are_those_of_the_file_itself(tmp_path: Path) -> None:
    columns = {
        "text": pa.array(["a"]),
        "bytes": pa.array([b"a"]),
        "zoned": pa.array([1], pa.timestamp("ms", "Europe/Vienna")),
        "local": pa.array([1], pa.timestamp("us")),
        "fine": pa.array([1], pa.timestamp("ns", "UTC")),
        "huge": pa.array([2**63], pa.uint64()),
        "clock": pa.array([1], pa.time64("us")),
        "deep": pa.array([{"a": [1]}]),
        "nothing": pa.nulls(1),
        "no number": pa.array([None], pa.float64()),
    }
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    assert found(tmp_path, *columns) == [
        {
            "text": "string",
            "bytes": "binary",
            "zoned": "timestamp",
            "local": "timestamp_ntz",
            "fine": "timestamp_ns",
            "huge": "decimal(20,0)",
            "clock": "time",
            "deep": "nested",
            "nothing": "void",
            "no number": "void",
        }
    ]


def test_a_column_holds_nothing_only_where_every_row_group_says_so(tmp_path: Path) -> None:
    rows = pa.table({"x": pa.array([None, None, 3, None], pa.int32()), "y": pa.nulls(4, pa.int32())})
    pq.write_table(rows, tmp_path / "a.parquet", row_group_size=2)
    assert found(tmp_path, "x", "y") == [{"x": "int", "y": "void"}]
    pq.write_table(rows, tmp_path / "a.parquet", row_group_size=2, write_statistics=False)  # nothing says it
    assert found(tmp_path, "x", "y") == [{"x": "int", "y": "int"}]


def test_files_that_spark_would_not_read_as_they_are_are_copied(tmp_path: Path) -> None:
    """Names that differ in case alone, a hidden column of Spark, a colon in the file, times finer than its own."""
    columns = {"plain": ["x"], "case": ["x", "X"], "hidden": ["x", "_metadata"], "co:lon": ["x"], "fine": ["x"]}
    for name, names in columns.items():
        pq.write_table(pa.table({column: [1] for column in names}), tmp_path / f"{name}.parquet")
    nanos = frozenset({str(tmp_path / "fine.parquet")})
    read = {"x": ["case", "co:lon", "fine"], "X": ["case", "co:lon", "fine"], "_metadata": ["co:lon", "fine", "hidden"]}
    for column, expected in read.items():
        copied = [g for g in grouped(tmp_path, column, nanos=nanos) if g.is_copied]
        assert sorted(f.file.relative.removesuffix(".parquet") for g in copied for f in g.footers) == expected, column


def test_a_file_without_rows_is_a_group_of_its_own(tmp_path: Path) -> None:
    for name, rows in (("a", 0), ("b", 1), ("c", 0)):
        pq.write_table(pa.table({"x": pa.array([1] * rows, pa.int64())}), tmp_path / f"{name}.parquet")
    assert [(group.is_empty, len(group.footers)) for group in grouped(tmp_path, "x")] == [(True, 2), (False, 1)]


def test_a_column_in_the_file_and_in_the_name_of_its_folder_is_refused_if_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "x=7").mkdir()
    pq.write_table(pa.table({"x": [1], "y": [2]}), tmp_path / "x=7" / "a.parquet")
    assert found(tmp_path, "y") == [{"y": "bigint"}]
    with pytest.raises(SourceSchemaError, match=r"a\.parquet has a column 'x', which the name of its folder has, too"):
        found(tmp_path, "x")


def test_undeclared_columns_are_kept_where_all_files_of_the_group_have_them_alike(tmp_path: Path) -> None:
    """Under one name in any case, and with one type that can be read."""
    first = {"x": [1], "same": [1], "type": [1], "Case": [1], "_metadata": [1], "deep": [{"a": 1}], "alone": ["a"]}
    second = {"x": [2], "same": [2], "type": ["a"], "case": [2]}
    for name, columns in (("a", first), ("b", second)):
        pq.write_table(pa.table(columns), tmp_path / f"{name}.parquet")
    (group,) = grouped(tmp_path, "x")
    assert (group.needed, group.others) == ({"x": "bigint"}, {"same": "bigint", "alone": "string"})
