"""Which note of a layout counts."""

import json
from dataclasses import asdict
from pathlib import Path

from lakehouse.layouts import LayoutNote, find_layout


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
