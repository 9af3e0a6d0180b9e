"""What commits state about their tables: the keys on disk, and what older versions left out."""

import json

import pytest

from lakehouse.commit_notes import CommitNote
from lakehouse.ledger.records import SliceRecord, slice_row
from lakehouse.table_state import RawState, TableState, ViewState

STORED = {
    "raw": {
        "loaded_at_us": 5,
        "rows_in": 20,
        "again": 2,
        "quarantined": {"no key": 1},
        "has_versions": True,
        "has_late": False,
        "newest_event_us": None,
        "columns": {"rider_id": "ab"},
    },
    "raw that reaches": {
        "loaded_at_us": 9,
        "rows_in": 20,
        "again": 0,
        "quarantined": {},
        "has_versions": False,
        "has_late": False,
        "newest_event_us": 8,
        "reach_us": 6,
        "columns": {},
    },
    "raw that others wrote to": {
        "loaded_at_us": 9,
        "rows_in": 20,
        "again": 20,
        "quarantined": {},
        "has_versions": False,
        "has_late": False,
        "newest_event_us": 8,
        "rewritten_at_us": 9,
        "columns": {},
    },
    "snapshot that was published late": {
        "published_us": {"2024-03-04": 7},
        "loads": {"raw/rides/v1": 5},
        "columns": {},
    },
    "derived": {"built_to_us": 7, "known_to_us": 9, "loads": {"raw/rides/v1": 5}, "columns": {"speed": "cd"}},
    "snapshot": {"loads": {"raw/rides/v1": 5}, "columns": {"trips_count_7d": "ef"}},
    "unknown": {},
}


@pytest.mark.parametrize("name", STORED)
def test_the_keys_on_disk_are_read_and_written_as_they_were(name: str) -> None:
    stored = STORED[name]
    assert TableState.from_json(json.loads(json.dumps(stored))).to_json() == stored


def test_a_state_answers_typed_questions() -> None:
    raw, derived, unknown = (TableState.from_json(STORED[name]) for name in ("raw", "derived", "unknown"))
    assert (raw.loaded_at_us, raw.has_versions) == (5, True)
    assert (derived.built_to_us, derived.known_to_us, derived.loads) == (7, 9, {"raw/rides/v1": 5})
    assert (raw.built_to_us, raw.known_to_us) == (None, None)
    # Of a table that nothing is known of, a fact may have several versions.
    assert (unknown.is_known, unknown.has_versions) == (False, True)
    assert "columns" not in raw.figures


@pytest.mark.parametrize(
    ("raw", "reach"),
    [
        ({"newest_event_us": 4}, 4),
        ({"newest_event_us": 5}, 5),
        # An earlier version kept an event that is dated later than every load: the data reach the newest load at most.
        ({"newest_event_us": 2099}, 5),
        ({"newest_event_us": 4, "reach_us": 3}, 3),
        ({"newest_event_us": None}, None),
    ],
)
def test_the_data_of_a_source_reach_its_newest_load_at_most(raw: dict[str, int | None], reach: int | None) -> None:
    assert TableState.from_json({"loaded_at_us": 5, **raw}).reach_us == reach


def test_missing_keys_take_their_defaults_and_unknown_keys_are_dropped() -> None:
    assert TableState.from_json({"loaded_at_us": 5, "flavour": "new"}) == TableState(raw=RawState(loaded_at_us=5))
    assert TableState.from_json({"built_to_us": 7}) == TableState(view=ViewState(built_to_us=7))
    assert TableState.from_json({"not_seen": 3, "start_us": None}) == TableState()


def test_a_note_and_a_ledger_row_carry_the_same_state() -> None:
    note = CommitNote("run", "derived/trips/v1", "fp", extra=STORED["derived"])
    read = CommitNote.from_json(note.to_json())
    assert read is not None
    assert read.state == TableState.from_json(STORED["derived"])
    row = slice_row("run", None, SliceRecord("derived/trips/v1", "a", "published", 1, state=read.state))  # type: ignore[arg-type]
    assert json.loads(row["detail"])["extra"] == STORED["derived"]
