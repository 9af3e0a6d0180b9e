"""A damaged embedded store: reported in one sentence, and repaired by the next export."""

import json
import os
import shutil

import pytest

from online_store.embedded.store import EmbeddedStore
from online_store.errors import StoreDamaged, StoreOfAnotherVersion
from tests.online.examples import SPEND, a_snapshot, a_view, batch_of, nightly


@pytest.fixture
def exported(embedded) -> EmbeddedStore:
    embedded.export(*nightly(0))
    return embedded


def answers_from(store):
    with store.open() as reader:
        reader.verify()
        return reader.get(SPEND, [22]).values[0]


def overwritten(path, old, new):
    content = path.read_bytes()
    assert old in content
    assert len(old) == len(new)
    path.write_bytes(content.replace(old, new))


def another_format(snapshot, number):
    path = snapshot / "snapshot.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": number}))


DAMAGES = {
    "truncated data": (lambda s: os.truncate(s / "records.bin", 1_000), "records.bin' has 1,000 bytes, not the"),
    "empty data": (lambda s: os.truncate(s / "records.bin", 0), "records.bin' has 0 bytes"),
    "no data": (lambda s: (s / "records.bin").unlink(), "records.bin' is missing"),
    "other data": (
        lambda s: (s / "records.bin").write_bytes(b"x" * (s / "records.bin").stat().st_size),
        "does not begin as a file of records does",
    ),
    "no description": (lambda s: (s / "snapshot.json").unlink(), "snapshot.json' is missing"),
    "half a description": (lambda s: os.truncate(s / "snapshot.json", 300), "snapshot.json' is not what an export"),
    "a list for a description": (lambda s: (s / "snapshot.json").write_text("[]"), "is not what an export wrote"),
    "no snapshot": (shutil.rmtree, "CURRENT' names '2017-11-01-[0-9a-f]{12}', which is not there"),
    "an empty pointer": (lambda s: os.truncate(s.parents[1] / "CURRENT", 0), "does not hold the name of a snapshot"),
    "a pointer upwards": (lambda s: (s.parents[1] / "CURRENT").write_text("../x\n"), "does not hold the name of"),
    "binary in the pointer": (lambda s: (s.parents[1] / "CURRENT").write_bytes(b"\xff\n"), "does not hold the name of"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_reported_when_the_store_is_opened_and_repaired_by_the_next_export(exported, damage):
    do, message = DAMAGES[damage]
    do(exported.folder.current())
    with pytest.raises(StoreDamaged, match=message) as raised:
        exported.open()
    assert "Export it again" in str(raised.value)
    assert not exported.export(*nightly(0)).is_unchanged
    assert answers_from(exported) == 0


CHANGES = {"a value": b",23,null]", "a record cut short": b",22,nullx"}


@pytest.mark.parametrize("change", CHANGES)
def test_a_record_that_changed_on_the_disk_is_found_by_verify_and_replaced_by_the_next_export(exported, change):
    overwritten(exported.folder.current() / "records.bin", b",22,null]", CHANGES[change])
    found_by_verify_and_mended(exported)


def test_a_key_that_changed_on_the_disk_is_found_by_verify_too(exported):
    overwritten(exported.folder.current() / "records.bin", b"333", b"334")
    found_by_verify_and_mended(exported)


def found_by_verify_and_mended(exported):
    with exported.open() as reader, pytest.raises(StoreDamaged, match=r"household_spend.*Export it again"):
        reader.verify()
    assert not exported.export(*nightly(0)).is_unchanged
    assert answers_from(exported) == 0


def test_a_record_that_can_not_be_read_is_reported_when_it_is_looked_up(exported):
    overwritten(exported.folder.current() / "records.bin", b",22,null]", b",22,nullx")
    with exported.open() as reader:
        assert reader.get(SPEND, [1]).values[0] == 0
        with pytest.raises(
            StoreDamaged, match=r"household_spend/v1, key \(22,\): a record is not what an export wrote"
        ):
            reader.get(SPEND, [22])


def test_a_draft_that_does_not_read_back_as_written_is_never_published(exported):
    def spoil(step):
        if step == "verify":
            [draft] = exported.folder.snapshots.glob(".draft-*")
            overwritten(draft / "records.bin", b",23,null]", b",24,null]")

    with pytest.raises(StoreDamaged, match="household_spend/v1: a record is not what an export wrote"):
        exported.export(*nightly(1), step=spoil)
    assert answers_from(exported) == 0
    assert [path.name for path in exported.folder.snapshots.iterdir()] == [nightly(0)[0].snapshot_id]


def test_a_newer_format_is_not_read_and_not_replaced_by_accident(exported):
    another_format(exported.folder.current(), 99)
    for refused in (exported.open, lambda: exported.export(*nightly(1))):
        with pytest.raises(
            StoreOfAnotherVersion, match="is of format 99, and this version of ziggurat reads format 1 or 2"
        ):
            refused()
    exported.export(*nightly(1), rollback=True)
    assert answers_from(exported) == 1


def test_an_older_format_is_replaced_by_the_next_export(exported):
    another_format(exported.folder.current(), 0)
    with pytest.raises(StoreOfAnotherVersion, match="is of format 0"):
        exported.open()
    exported.export(*nightly(1))
    assert answers_from(exported) == 1


def test_the_three_newest_snapshots_stay_and_the_one_that_is_read(embedded):
    for day in range(5):
        embedded.export(*nightly(day))
    assert days_kept(embedded) == [2, 3, 4]
    embedded.export(*nightly(0), rollback=True)
    assert days_kept(embedded) == [0, 2, 3, 4]
    embedded.export(*nightly(6))
    assert days_kept(embedded) == [3, 4, 6]
    embedded.export(*nightly(3), rollback=True)
    assert days_kept(embedded) == [3, 4, 6]
    assert answers_from(embedded) == 3


def days_kept(embedded):
    days = {nightly(day)[0].snapshot_id: day for day in range(10)}
    return sorted(days[path.name] for path in embedded.folder.snapshots.iterdir())


def test_a_store_grows_to_whatever_is_exported(embedded):
    view = a_view("aggregate/long/v1", keys={"id": "bigint"}, columns={"text": "string"}, rows=40)
    embedded.export(a_snapshot(view), {view.table: [batch_of(view, [[n, str(n % 10) * 10**6] for n in range(40)])]})
    assert (embedded.folder.current() / "records.bin").stat().st_size > 40 * 10**6
    with embedded.open() as reader:
        assert reader.get(view.table, [39]).values == ("9" * 10**6,)


def test_the_pointer_is_replaced_and_never_rewritten(exported):
    with exported.folder.pointer.open() as seen_before_the_flip:
        exported.export(*nightly(1))
        assert seen_before_the_flip.read() == f"{nightly(0)[0].snapshot_id}\n"
    assert exported.folder.pointer.read_text() == f"{nightly(1)[0].snapshot_id}\n"


def test_an_unchanged_export_leaves_every_file_alone(embedded):
    embedded.export(*nightly(0))
    files = [path for path in embedded.folder.root.rglob("*") if path.name != ".lock"]
    before = [(path, path.stat().st_mtime_ns, path.stat().st_ino) for path in files]
    assert embedded.export(*nightly(0)).is_unchanged
    assert [(path, path.stat().st_mtime_ns, path.stat().st_ino) for path in files] == before
