"""Which versions a table has, by its log alone."""

from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from lakehouse.storage_errors import StorageError
from lakehouse.tables import Warehouse, commit_versions


def test_an_emptied_commit_stops_whoever_asks_for_the_versions(tmp_path: Path) -> None:
    path = tmp_path / "raw" / "rides" / "v1"
    for n in range(2):
        write_deltalake(path, pa.table({"n": [n]}), mode="append")
    assert sorted(commit_versions(str(path))) == [0, 1]
    commit = path / "_delta_log" / "00000000000000000001.json"
    commit.write_bytes(b"")
    with pytest.raises(StorageError, match=r"0000001\.json is empty, so it is not known what the table .* holds"):
        Warehouse(str(tmp_path)).published_tables()
