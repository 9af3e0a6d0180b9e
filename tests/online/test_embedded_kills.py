"""The embedded store while its writers are killed, wait, run out of disk or replace the pointer during a read."""

import signal

import pytest

from online_store.errors import OnlineStoreError, StoreLocked
from online_store.store import STEPS
from tests.online.examples import SPEND, never_read, nightly
from tests.online.processes import finished, started


def answers_from(embedded):
    with embedded.open() as reader:
        reader.verify()
        return reader.get(SPEND, [22]).values[0]


def files_of(embedded):
    """Every file and folder but the snapshots' own files, which `verify` checks."""
    root = embedded.folder.root
    return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.name not in ("records.bin", "snapshot.json"))


def clean_files(*days):
    return sorted([".lock", "CURRENT", "snapshots", *(f"snapshots/{nightly(day)[0].snapshot_id}" for day in days)])


@pytest.mark.parametrize("point", ["rows", *STEPS])
def test_a_killed_export_changes_nothing_for_readers_and_the_next_one_succeeds(embedded, point):
    embedded.export(*nightly(0))
    code, said = finished("exporter.py", embedded.folder.root, 1, "kill", point)
    assert code == -signal.SIGKILL, said
    assert answers_from(embedded) == (1 if point == "clean" else 0)

    description, rows = nightly(1)
    again = embedded.export(description, never_read(*rows) if point == "clean" else rows)

    assert again.is_unchanged == (point == "clean")
    assert answers_from(embedded) == 1
    assert files_of(embedded) == clean_files(0, 1)


def test_the_first_export_of_all_can_be_killed_too(embedded):
    code, said = finished("exporter.py", embedded.folder.root, 0, "kill", "flip")
    assert code == -signal.SIGKILL, said
    embedded.export(*nightly(0))
    assert answers_from(embedded) == 0
    assert files_of(embedded) == clean_files(0)


def test_an_export_of_another_day_takes_away_what_a_killed_one_left(embedded):
    code, said = finished("exporter.py", embedded.folder.root, 1, "kill", "verify")
    assert code == -signal.SIGKILL, said
    assert any(".draft-" in name for name in files_of(embedded))
    embedded.export(*nightly(2))
    assert files_of(embedded) == clean_files(2)


def test_a_second_export_at_once_is_refused_and_names_the_first(embedded):
    embedded.export(*nightly(0))
    with started("exporter.py", embedded.folder.root, 1, "wait", "verify") as writer:
        assert writer.stdout.readline() == "waiting\n"
        with pytest.raises(StoreLocked, match=f"is being written by process {writer.pid}; export again"):
            embedded.export(*nightly(2))
        assert answers_from(embedded) == 0
        writer.communicate("go on\n", timeout=60)
    assert writer.returncode == 0
    assert answers_from(embedded) == 1
    embedded.export(*nightly(2))
    assert answers_from(embedded) == 2


def test_a_full_disk_is_reported_in_a_sentence_and_changes_nothing(embedded):
    embedded.export(*nightly(0))
    code, said = finished("exporter.py", embedded.folder.root, 1, "limit", 500_000)
    assert code == OnlineStoreError.exit_code, said
    assert "can't be written (" in said
    assert "Free space on that disk" in said
    assert answers_from(embedded) == 0
    assert files_of(embedded) == clean_files(0)


def test_a_folder_that_is_a_file_is_reported_in_a_sentence(embedded):
    embedded.folder.root.write_text("not a folder")
    with pytest.raises(OnlineStoreError, match=r"can't be written \(.*exists"):
        embedded.export(*nightly(0))
    with pytest.raises(OnlineStoreError, match="can't be read"):
        embedded.open()


def test_a_failed_export_leaves_no_draft(embedded):
    description, rows = nightly(0)
    with pytest.raises(LookupError, match="the rows were read"):
        embedded.export(description, {**rows, **never_read(SPEND)})
    assert files_of(embedded) == [".lock", "snapshots"]


def test_readers_see_one_whole_snapshot_while_the_pointer_is_replaced(embedded):
    embedded.export(*nightly(0))
    with started("looping_reader.py", embedded.folder.root, 20) as reader:
        assert reader.stdout.readline() == "reading\n"
        for day in range(1, 21):
            embedded.export(*nightly(day))
        out, err = reader.communicate(timeout=60)
    assert reader.returncode == 0, err
    opened, days = map(int, out.split())
    assert opened > days > 2
