"""What a delivered file may look like: each case is its bytes, and what is kept, quarantined or refused (S31, S37)."""

import gzip
import os
from functools import reduce
from pathlib import Path

import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from definitions.errors import SourceError, SourceUnreadable
from lakehouse.files import text_records
from lakehouse.files.deliveries import open_delivery
from lakehouse.files.location import Location
from tests.spec.delivered.case import COLUMNS, Case
from tests.spec.delivered.cases import CASES
from tests.spec.delivered.reading import answered, opened, written


@pytest.fixture(scope="module")
def answers(spark_session, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list | str]:
    """The rows of every case, or the error; all cases in one job."""
    found: dict[str, list | str] = {case.says: [] for case in CASES}
    frames = []
    for number, case in enumerate(CASES):
        folder = tmp_path_factory.mktemp("delivered") / "these files"
        written(case, folder)
        try:
            frames.append(
                opened(spark_session, case, str(folder), scratch=str(folder.with_name("scratch"))).withColumn(
                    "number", F.lit(number)
                )
            )
        except SourceError as error:
            found[case.says] = str(error).replace(str(folder), "{folder}")
    for row in reduce(DataFrame.unionByName, frames).collect():
        found[CASES[row["number"]].says].append(row)
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_s31_what_is_delivered_is_kept_quarantined_or_refused(case: Case, answers: dict[str, list | str]) -> None:
    answered(case, answers[case.says])


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
