"""Manifests on disk: every format stays readable, the JSON stays as it is, and a damaged one says what to do."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.training_set.leak_tested import with_result
from jobs.training_set.manifest import (
    DataPart,
    EvidencePart,
    Manifest,
    ManifestOptions,
    ParquetPart,
    SpinePart,
    SplitPart,
    SplitRequest,
    SplitRows,
)
from jobs.training_set.manifest_files import find_manifest, manifest_fields, write_manifest
from jobs.training_set.pages import write_pages
from lakehouse.storage_errors import StorageError
from lakehouse.tables import Warehouse
from reports.training_set import LeakTestChange, LeakTestInstant, LeakTestResult
from tests.support.stored_manifest import CERTIFICATE_FILE, FILE, stored_manifest

HASH, SPINE_HASH = "33a8e5b70d14c2f9" * 4, "9f2c41d07b5e8a33" * 4


def manifest(version: int) -> Manifest:
    return replace(stored_manifest(), name="churn", version=version, run_id=f"run-{version}")


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    warehouse = Warehouse(str(tmp_path / "warehouse"))
    for version in range(1, 11):
        write_manifest(warehouse, manifest(version))
    return warehouse


def folder_of(warehouse: Warehouse, name: str = "churn") -> Path:
    return Path(warehouse.training_set(name).path)


def placed(warehouse: Warehouse, name: str, fields: dict[str, object]) -> Manifest | None:
    file = folder_of(warehouse, name) / "manifest.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(fields), "utf-8")
    return find_manifest(warehouse, name)


def test_a_manifest_of_format_2_is_read_into_typed_parts() -> None:
    manifest = stored_manifest()
    assert manifest.spine == SpinePart(("customer", "label_time", "has_ridden"), 6, SPINE_HASH)
    assert manifest.data == DataPart(2, 6, HASH)
    assert manifest.evidence == EvidencePart(4, 6)
    split = SplitRequest(at=("2024-06-03T00:00:00Z", "2024-06-08T00:00:00Z"), gap="1d")
    assert manifest.options == ManifestOptions(
        knowledge="at_label", keys={"rider_id": "customer"}, split=split, format="parquet"
    )
    assert manifest.parquet == ParquetPart("parquet/3", 6)
    assert isinstance(manifest.split, SplitPart)
    assert manifest.split.parts["train"] == SplitRows(2, "2024-06-01T12:00:00Z", "2024-06-01T12:00:00Z")
    assert manifest.split.parts["gap"] == SplitRows(0, None, None)
    view = manifest.views["rider_activity"]
    assert (view.keys, view.spine_keys, view.max_age) == ((("rider_id", "string"),), ("customer",), "8d")
    assert manifest.card.balance[1].unknown == 2
    assert manifest.card.columns[2].mean == 7.125


def test_the_leak_test_is_read_from_the_names_that_the_json_has_for_it() -> None:
    result = stored_manifest().certificate.leak_test
    assert (result.verdict, result.perturbations, result.changed_cells) == ("broken", ("removed", "replaced"), 1)
    assert result.instants[0] == LeakTestInstant("2024-06-01T12:00:00Z", rows=2, unknowable={"raw/rides/v1": 6})
    assert result.changes == (
        LeakTestChange(
            "rider_activity__fare_sum_30d",
            keys="customer=R01",
            label_time="2024-06-01T12:00:00Z",
            perturbation="removed",
            stored="12.00",
            rebuilt="9.50",
        ),
    )


def test_what_is_written_is_byte_for_byte_what_was_read(tmp_path: Path) -> None:
    warehouse = Warehouse(str(tmp_path))
    write_manifest(warehouse, stored_manifest())
    assert (folder_of(warehouse, "survey") / "manifest.json").read_bytes() == FILE.read_bytes()


def test_the_certificate_s_json_keeps_its_names(tmp_path: Path) -> None:
    warehouse = Warehouse(str(tmp_path))
    write_pages(warehouse, stored_manifest())
    written = json.loads((folder_of(warehouse, "survey") / "certificate.json").read_text("utf-8"))
    before = json.loads(CERTIFICATE_FILE.read_text("utf-8"))
    for certificate in (written, before):
        assert certificate["proof"].pop("told").startswith("1 of 24 cells of 4 rows about 2 entities at 2 label times")
    assert written == before
    assert list(written) == list(before)


def test_parts_that_were_not_requested_are_empty_and_options_that_were_not_given_are_left_out(tmp_path: Path) -> None:
    plain = replace(
        stored_manifest(),
        options=ManifestOptions(knowledge="latest"),
        evidence=None,
        split=None,
        parquet=None,
    )
    fields = manifest_fields(plain)
    assert fields["options"] == {"knowledge": "latest", "keys": {}}
    assert (fields["evidence"], fields["split"], fields["parquet"]) == ({}, {}, {})
    warehouse = Warehouse(str(tmp_path))
    write_manifest(warehouse, plain)
    assert find_manifest(warehouse, "survey") == plain
    shares = replace(plain, options=replace(plain.options, split=SplitRequest(shares=("0.7", "0.2", "0.1"), gap="1d")))
    assert manifest_fields(shares)["options"]["split"] == {"shares": ["0.7", "0.2", "0.1"], "gap": "1d"}


def test_a_manifest_of_format_1_is_read_and_has_no_evidence_no_views_and_no_leak_test(warehouse: Warehouse) -> None:
    fields = json.loads(FILE.read_text("utf-8"))
    for newer in ("version", "evidence", "views", "split", "parquet"):
        del fields[newer]
    del fields["certificate"]["proof"]
    fields |= {"format": 1, "options": {"knowledge": "at_label", "keys": {}}}
    manifest = placed(warehouse, "older", fields)
    assert manifest is not None
    assert (manifest.format, manifest.version, manifest.evidence, manifest.views, manifest.split) == (
        1,
        1,
        None,
        {},
        None,
    )
    assert manifest.certificate.leak_test == LeakTestResult()
    assert manifest.data == DataPart(2, 6, HASH)


def test_a_newer_format_and_an_unknown_part_are_refused(warehouse: Warehouse) -> None:
    fields = json.loads(FILE.read_text("utf-8"))
    with pytest.raises(StorageError, match="has format 3, and this version reads 2"):
        placed(warehouse, "newer", {**fields, "format": 3})
    with pytest.raises(StorageError, match=r"is damaged \('sparkle'\)"):
        placed(warehouse, "other", {**fields, "sparkle": 1})


def test_the_reason_of_an_earlier_leak_test_is_replaced_whatever_it_was_called() -> None:
    broken = stored_manifest()
    assert broken.certificate.reasons[0].startswith("future-poison test: ")
    again = with_result(broken, replace(broken.certificate.leak_test, rows=5))
    assert [reason.split(":")[0] for reason in again.certificate.reasons] == ["leak test"]
    assert again.card.reasons == again.certificate.reasons
    held = with_result(again, LeakTestResult(verdict="held", rows=4, cells=24))
    assert (held.certificate.is_certified, held.certificate.reasons, held.card.is_certified) == (True, (), True)


def test_a_damaged_manifest_names_the_copy_that_restores_it(warehouse: Warehouse) -> None:
    folder = folder_of(warehouse)
    (folder / "manifest.json").write_text('{"format": 2, "na')
    with pytest.raises(StorageError) as refused:
        find_manifest(warehouse, "churn")
    copy = folder / "manifests/10.json"  # the newest by number, not by name
    assert f"Copy {copy} over it" in str(refused.value)
    shutil.copy(copy, folder / "manifest.json")
    assert find_manifest(warehouse, "churn") == manifest(10)


def test_a_damaged_older_version_has_no_copy(warehouse: Warehouse) -> None:
    (folder_of(warehouse) / "manifests/3.json").write_text("")
    with pytest.raises(StorageError, match=r"manifests/3\.json is damaged.*from a backup"):
        find_manifest(warehouse, "churn", 3)
    assert find_manifest(warehouse, "churn", 4) == manifest(4)
