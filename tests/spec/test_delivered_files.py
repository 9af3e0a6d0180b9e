"""What a delivered file may look like: each case is its bytes, and what is kept, quarantined or refused (S31, S37)."""

import gzip
import os
from functools import reduce
from pathlib import Path

import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from compute.delivered_schema import require_columns
from compute.delivery import REASON, typed
from definitions.errors import SourceError, SourceUnreadable
from lakehouse.files import text_records
from lakehouse.files.deliveries import open_delivery
from lakehouse.files.location import Location
from lakehouse.files.records import FILE, ORIGINAL
from tests.spec.delivered.case import COLUMNS, Case
from tests.spec.delivered.cases import CASES


@pytest.fixture(scope="module")
def answers(spark_session, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list | str]:
    """The rows of every case, or the error; all cases in one job."""
    found: dict[str, list | str] = {case.says: [] for case in CASES}
    frames = []
    for number, case in enumerate(CASES):
        folder = tmp_path_factory.mktemp("delivered") / "these files"
        written(case, folder)
        try:
            frames.append(opened(spark_session, case, folder).withColumn("number", F.lit(number)))
        except SourceError as error:
            found[case.says] = str(error).replace(str(folder), "{folder}")
    for row in reduce(DataFrame.unionByName, frames).collect():
        found[CASES[row["number"]].says].append(row)
    return found


def written(case: Case, folder: Path) -> None:
    for name, content in case.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def opened(spark, case: Case, folder: Path) -> DataFrame:
    location = Location(str(folder / case.path), case.format, case.options)
    names = case.source.delivered_names
    scratch = str(folder.with_name("scratch"))
    delivered = open_delivery(spark, "things", location, scratch=scratch, columns=names)
    for records in delivered:
        require_columns(records, case.source)
    rows = reduce(DataFrame.unionByName, [typed(records, case.source) for records in delivered])
    values = F.array(*[F.col(column.name).cast("string") for column in case.columns])
    return rows.select(values.alias("values"), F.col(REASON).alias("reason"), ORIGINAL, FILE)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_s31_what_is_delivered_is_kept_quarantined_or_refused(case: Case, answers: dict[str, list | str]) -> None:
    answer = answers[case.says]
    if case.refused or isinstance(answer, str):
        assert isinstance(answer, str)
        assert case.refused.replace("{{", "{").replace("}}", "}") in answer
        assert case.refused
        assert "\n" not in answer
        return
    kept = [tuple(row["values"]) for row in answer if row["reason"] is None]
    assert sorted(kept, key=str) == sorted(case.kept, key=str)
    bad = [(row["reason"], row[ORIGINAL]) for row in answer if row["reason"] is not None]
    assert sorted(bad) == sorted(case.quarantined)


def test_a_large_delivery_is_read_in_tasks_with_the_same_records(
    spark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = [case for case in CASES if (case.format, case.columns) == ("csv", COLUMNS)]
    plain = [case for case in plain if not (case.options or case.path or case.refused)]
    for number, case in enumerate(plain):
        written(case, tmp_path / "in" / str(number))
    location = Location(str(tmp_path / "in"), "csv")
    names = [column.name for column in COLUMNS]
    answers = []
    for small in (text_records.SMALL_BYTES, 0):
        monkeypatch.setattr(text_records, "SMALL_BYTES", small)
        scratch = str(tmp_path / f"scratch {small}")
        (records,) = open_delivery(spark, "things", location, scratch=scratch, columns=names)
        answers.append(sorted(map(tuple, records.frame.collect()), key=str))
    assert answers[0] == answers[1]
    assert len(answers[0]) == sum(len(case.kept) + len(case.quarantined) for case in plain)
    (tmp_path / "in" / "cut.csv.gz").write_bytes(gzip.compress(b"id,name,price\n" + os.urandom(10_000))[:-50])
    with pytest.raises(SourceUnreadable, match=r"cut\.csv\.gz is no whole gzip file"):
        open_delivery(spark, "things", location, scratch=str(tmp_path / "scratch"), columns=names)
