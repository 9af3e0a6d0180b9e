"""Addresses, versions and reads."""

from pathlib import Path

import pytest

from lakehouse.storage_errors import StorageError, TableMissing, translated_storage_errors
from lakehouse.tables import Warehouse, current_version, exists, history, read
from tests.lakehouse.nightly import households


def test_a_view_has_the_path_layer_name_and_version():
    warehouse = Warehouse("s3a://lake/prefix/")
    table = warehouse.table("aggregate", "household_spend", 2)
    assert (table.key, table.path) == (
        "aggregate/household_spend/v2",
        "s3a://lake/prefix/aggregate/household_spend/v2",
    )
    assert warehouse.staging("run-1", "household_spend") == "s3a://lake/prefix/staging/run-1/household_spend"
    assert warehouse.quarantine("transactions").path == "s3a://lake/prefix/quarantine/transactions"


def test_a_relative_warehouse_is_taken_from_the_working_directory_once(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    warehouse = Warehouse("ware house")
    monkeypatch.chdir("/")
    assert warehouse.root == str(tmp_path / "ware house")


def test_versions_are_read_from_the_log_and_nothing_is_no_table(spark, tmp_warehouse: Path):
    warehouse = Warehouse(str(tmp_warehouse / "it's `here`"))
    table = warehouse.table("derived", "lines", 1)
    assert current_version(spark, table.path) is None
    assert not exists(spark, table.path)
    assert warehouse.published_tables() == history(spark, table.path) == ()
    with pytest.raises(TableMissing, match="There is no table") as raised:
        read(spark, table.path)
    assert isinstance(raised.value, StorageError)
    for rows in (2, 3):
        households(spark, rows).write.format("delta").mode("overwrite").save(table.path)
    assert current_version(spark, table.path) == current_version(spark, f"file:{table.path}") == 1
    assert [commit.version for commit in history(spark, table.path)] == [1, 0]
    assert [read(spark, table.path, version=version).count() for version in (0, 1)] == [2, 3]
    with pytest.raises(TableMissing, match="at version 7"):
        read(spark, table.path, version=7)
    assert warehouse.published_tables() == (table,)


def test_what_the_disk_refuses_inside_spark_is_one_sentence(spark, tmp_path: Path):
    (tmp_path / "file").write_text("no folder")
    path = str(tmp_path / "file" / "table")
    with pytest.raises(StorageError, match="the folder can't be created") as raised, translated_storage_errors(path):
        households(spark, 1).write.format("delta").save(path)
    assert path in str(raised.value)
    assert len(str(raised.value)) < 300 + len(path)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("java.io.IOException: No space left on device", "the disk is full"),
        ("AccessControlException: Permission denied: user=x", "this user may not write there"),
        ("AmazonS3Exception: Access Denied (Status Code: 403)", "this user may not write there"),
        ("Read-only file system", "the file system is read-only"),
    ],
)
def test_storage_errors_are_known_by_their_words_also_deep_in_the_causes(words: str, what: str):
    failed = RuntimeError("Task failed while writing rows")
    failed.__cause__ = OSError(words)
    with pytest.raises(StorageError, match=what), translated_storage_errors("/here"):
        raise failed


def test_other_errors_pass_through_as_they_are():
    with pytest.raises(KeyError, match="bug"), translated_storage_errors("/here"):
        raise KeyError("bug")
