"""A manifest that can't be read says what to do, and what it says works."""

import shutil
from pathlib import Path

import pytest

from jobs.training_set.manifest import Manifest, find_manifest, write_manifest
from lakehouse.storage_errors import StorageError
from lakehouse.tables import Warehouse


def manifest(version: int) -> Manifest:
    return Manifest(
        name="churn",
        version=version,
        run_id=f"run-{version}",
        made_at="2024-03-01T00:00:00Z",
        service="churn_v1",
        service_fingerprint="",
        features={},
        release=1,
        tables={},
        origin="label churn_30d",
        spine={},
        options={},
        data={},
    )


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    found = Warehouse(str(tmp_path / "warehouse"))
    for version in range(1, 11):
        write_manifest(found, manifest(version))
    return found


def test_a_damaged_manifest_names_the_copy_that_mends_it(warehouse: Warehouse) -> None:
    folder = Path(warehouse.training_set("churn").path)
    (folder / "manifest.json").write_text('{"format": 2, "na')
    with pytest.raises(StorageError) as refused:
        find_manifest(warehouse, "churn")
    copy = folder / "manifests/10.json"  # the newest by number, not by name
    assert f"Copy {copy} over it" in str(refused.value)
    shutil.copy(copy, folder / "manifest.json")
    assert find_manifest(warehouse, "churn") == manifest(10)


def test_a_damaged_older_version_has_no_copy(warehouse: Warehouse) -> None:
    (Path(warehouse.training_set("churn").path) / "manifests/3.json").write_text("")
    with pytest.raises(StorageError, match=r"manifests/3\.json is damaged.*from a backup"):
        find_manifest(warehouse, "churn", 3)
    assert find_manifest(warehouse, "churn", 4) == manifest(4)
