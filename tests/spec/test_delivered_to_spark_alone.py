"""Deliveries on file systems that only Spark knows are read by the same rules (S31, S37)."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial, reduce
from pathlib import Path

import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from compute.delivery import REASON
from definitions.errors import SourceError, SourceMissing, SourceUnreadable
from lakehouse.files import listing, spark_files, text_records
from lakehouse.files.deliveries import open_delivery
from lakehouse.files.listing import data_files, fingerprint
from lakehouse.files.location import Location
from lakehouse.files.records import FILE
from lakehouse.files.spark_files import found_files
from lakehouse.reader import NeedsSpark
from tests.spec.delivered.case import Case
from tests.spec.delivered.cases import CASES
from tests.spec.delivered.reading import answered, opened, written
from tests.spec.test_delivered_parquet import CASES as PARQUET_CASES
from tests.spec.test_delivered_parquet import REFUSED, read, source
from tests.spec.test_delivered_parquet import written as parquet_written
from tests.support.mounted import mounted

# Hadoop knows no file with a colon in its name.
CASES_THERE = [case for case in CASES if not any(":" in name for name in case.files)]


@pytest.fixture(scope="module")
def answers(spark_session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list | str]]:
    """The rows of every case, or the error; all rows in one job."""
    home = tmp_path_factory.mktemp("delivered")
    (home / "in").mkdir()
    for number, case in enumerate(CASES_THERE):
        written(case, home / "in" / str(number))
    with mounted(spark_session, home / "in") as address, ThreadPoolExecutor(4) as pool:

        def rows_of(number: int) -> DataFrame | str:
            folder = f"{address}/{number}"
            try:
                rows = opened(spark_session, CASES_THERE[number], folder, scratch=str(home / f"scratch {number}"))
            except SourceError as error:
                return str(error).replace(folder, "{folder}")
            return rows.withColumn("number", F.lit(number))

        given = list(pool.map(rows_of, range(len(CASES_THERE))))
        found: dict[str, list | str] = {
            case.says: [] if isinstance(answer, DataFrame) else answer
            for case, answer in zip(CASES_THERE, given, strict=True)
        }
        frames = [answer for answer in given if isinstance(answer, DataFrame)]
        for row in reduce(DataFrame.unionByName, frames).collect():
            assert row[FILE].startswith(f"{address}/{row['number']}")
            found[CASES_THERE[row["number"]].says].append(row)
        yield found


@pytest.mark.parametrize("case", CASES_THERE, ids=lambda case: case.says)
def test_the_rules_of_delivered_files_hold_there(case: Case, answers: dict[str, list | str]) -> None:
    answered(case, answers[case.says])


def test_parquet_is_read_by_each_files_own_schema_there(spark, tmp_path: Path) -> None:
    names = ["int32 and int64", "zoned and local", "nanoseconds", "INT96", "INT96 of other years", "folders", "no rows"]
    with mounted(spark, tmp_path) as address:
        parts = []
        for name in names:
            case = PARQUET_CASES[name]
            folder = tmp_path / name.replace(" ", "_")
            parquet_written(folder, case.files, is_int96=case.is_int96)
            rows = read(
                spark, Location(f"{address}/{folder.name}"), source(case.column), scratch=str(tmp_path / f"_{name}")
            )
            parts.append(rows.select(F.lit(name).alias("case"), FILE, F.col("x").cast("string").alias("x"), REASON))
        found = reduce(DataFrame.unionByName, parts).collect()
        for name in names:
            rows = sorted((row for row in found if row["case"] == name), key=lambda row: row[FILE])
            assert tuple(row[REASON] or row["x"] for row in rows) == PARQUET_CASES[name].kept, name
        files, column, message = REFUSED["one file lacks the column"]
        parquet_written(tmp_path / "refused", files)
        with pytest.raises(SourceError) as error:
            read(spark, Location(f"{address}/refused"), source(column), scratch=str(tmp_path / "_refused"))
        assert message.replace("{folder}", f"{address}/refused") in str(error.value)


def test_a_new_or_changed_file_is_noticed_there(spark, tmp_path: Path) -> None:
    with mounted(spark, tmp_path) as address:
        location = Location(address, "csv")

        def taken() -> str:
            return fingerprint("things", location, version_of=lambda _: None, files_of=partial(found_files, spark))

        with pytest.raises(NeedsSpark):
            fingerprint("things", location, version_of=lambda _: None)
        with pytest.raises(SourceMissing, match="nothing lies at viewfs://"):
            taken()
        file = tmp_path / "a b+%25ü.csv"
        file.write_text("id\n1\n")
        first = taken()
        assert taken() == first
        (tmp_path / "_hidden.csv").write_text("id\n1\n")
        assert taken() == first
        (tmp_path / "empty.csv").write_text("")
        second = taken()
        assert second != first
        os.utime(file, (0, 0))
        third = taken()
        assert third != second
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub" / "b.csv").write_text("id\n2\n")
        assert taken() not in (first, second, third)
        files = data_files("things", location, files_of=partial(found_files, spark))
        assert [(file.shown.removeprefix(address), file.relative, file.size) for file in files] == [
            ("/a b+%25ü.csv", "a b+%25ü.csv", 5),
            ("/empty.csv", "empty.csv", 0),
            ("/sub/b.csv", "sub/b.csv", 5),
        ]
        assert listing.size(location, files_of=partial(found_files, spark)) == 10


def test_what_cant_be_read_there_is_one_sentence(spark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("id,name\n1,oak\n")
    scratch = str(tmp_path / "_scratch")
    with mounted(spark, tmp_path) as address:
        monkeypatch.setattr(text_records, "SMALL_BYTES", 0)
        (records,) = open_delivery(spark, "things", Location(address, "csv"), scratch=scratch)
        assert [row.asDict() for row in records.named().collect()] == [{"id": "1", "name": "oak"}]
        monkeypatch.setattr(spark_files, "MOST_BYTES", 13)
        with pytest.raises(SourceUnreadable, match=r"/in/a\.csv has 14 bytes; .* up to 13 bytes are read") as error:
            open_delivery(spark, "things", Location(address, "csv"), scratch=scratch)
        assert "\n" not in str(error.value)
    with pytest.raises(SourceUnreadable, match=r"^nowhere://x/y can't be read by Spark \(.*nowhere.*\)\.") as error:
        found_files(spark, "nowhere://x/y")
    assert "\n" not in str(error.value)
