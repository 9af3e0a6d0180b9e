"""Writes the bytes of a case, and reads them as a source is read."""

from functools import reduce
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from compute.delivered_schema import require_columns
from compute.delivery import REASON, typed
from lakehouse.files.deliveries import open_delivery
from lakehouse.files.location import Location
from lakehouse.files.records import FILE, ORIGINAL
from tests.spec.delivered.case import Case


def written(case: Case, folder: Path) -> None:
    for name, content in case.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def opened(spark: Any, case: Case, folder: str, *, scratch: str) -> DataFrame:
    """values, reason, `_original` and `_file` of each record of the case in the folder."""
    location = Location(f"{folder}/{case.path}" if case.path else folder, case.format, case.options)
    delivered = open_delivery(spark, "things", location, scratch=scratch, columns=case.source.delivered_names)
    for records in delivered:
        require_columns(records, case.source)
    rows = reduce(DataFrame.unionByName, [typed(records, case.source) for records in delivered])
    values = F.array(*[F.col(column.name).cast("string") for column in case.columns])
    return rows.select(values.alias("values"), F.col(REASON).alias("reason"), ORIGINAL, FILE)


def answered(case: Case, answer: list[Any] | str) -> None:
    """Asserts that the rows, or the sentence of the error, are those of the case."""
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
