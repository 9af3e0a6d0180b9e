"""Which note of a layout counts, and which dates of its table changed since."""

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from lakehouse.layouts import LayoutNote, changed_dates, find_layout


def noted(folder: Path, name: str, rows: int) -> None:
    note = LayoutNote("raw/rides", rows, 8, {}, rows=rows, schema={"type": "struct", "fields": []})
    (folder / "_notes").mkdir(exist_ok=True)
    (folder / "_notes" / name).write_text(json.dumps(asdict(note)), "utf-8")


def test_the_newest_placed_note_counts_and_a_draft_of_a_killed_upkeep_does_not(tmp_path: Path) -> None:
    noted(tmp_path, f"{0:020}.json", rows=1)
    noted(tmp_path, f"{1:020}.json", rows=2)
    (tmp_path / "_notes" / f"{2:020}.json.draft").write_text('{"of": "raw/ri', "utf-8")
    laid, older = find_layout(str(tmp_path)), find_layout(str(tmp_path), up_to=1)
    assert laid is not None
    assert older is not None
    assert (laid.note.rows, older.note.rows) == (2, 1)


def test_a_folder_without_a_placed_note_is_no_layout(tmp_path: Path) -> None:
    (tmp_path / "_notes").mkdir()
    (tmp_path / "_notes" / f"{0:020}.json.draft").write_text("", "utf-8")
    assert find_layout(str(tmp_path)) is None


def test_dates_of_a_raw_table_from_which_rows_were_removed_are_not_told_by_its_files(spark, tmp_path: Path) -> None:
    days = pa.array([date(2024, 3, 1), date(2024, 3, 2), date(2024, 3, 2)], pa.date32())
    rows, path = pa.table({"ride_id": [1, 2, 3], "event_date": days}), str(tmp_path / "rides")
    write_deltalake(path, rows.slice(0, 1), partition_by=["event_date"])
    write_deltalake(path, rows.slice(1), mode="append")
    DeltaTable(path).delete("ride_id = 2")
    assert changed_dates(spark, path, 0, 1, is_append_only=True) == {"2024-03-02"}
    assert changed_dates(spark, path, 1, 2, is_append_only=True) is None
    assert changed_dates(spark, path, 1, 2) == {"2024-03-02"}
