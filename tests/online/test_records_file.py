"""The embedded store's file of records: what is written is found again, and what changes on the disk is noticed."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from online_store.embedded.reader import EmbeddedReader
from online_store.embedded.records_file import ENTRIES, MAGIC, Damage, RecordsFile, Section, record_of
from online_store.embedded.records_writer import DuplicateKey, SectionWriter
from online_store.embedded.store import EmbeddedStore
from online_store.errors import StoreDamaged, StoreOfAnotherVersion
from tests.online.examples import DEALS, HOUSEHOLDS, PROFILE, SPEND, nightly

QUESTIONS = [*((SPEND, [h]) for h in (*HOUSEHOLDS, 4)), (DEALS, [22, "früh/1"]), (DEALS, [1, "no"]), (PROFILE, [22])]


def written(path: Path, views: dict[str, dict[bytes, bytes]]) -> dict[str, Section]:
    sections = {}
    with path.open("w+b") as file:
        for table, records in views.items():
            writer = SectionWriter(file)
            for key, value in records.items():
                writer.add(key, value)
            sections[table] = writer.finish()
    return sections


def read_whole(path: Path, sections: dict[str, Section], views: dict[str, dict[bytes, bytes]]) -> None:
    """Every record is found by its key and by reading all of them; a key that was not written is not found."""
    file = RecordsFile(path, sections)
    for table, records in views.items():
        assert dict(file.pairs(table)) == records
        assert list(file.pairs(table)) == list(records.items())
        file.check_index(table)
        for key, value in records.items():
            assert file.get(table, key) == value
            assert file.get(table, key + b"?") == records.get(key + b"?")
    file.close()


def test_a_record_lies_as_the_format_says() -> None:
    # length of the key, length of the value, both as they are, and the CRC-32 of all that
    assert record_of(b"ab", b"[1]") == b"\x02\0\0\0\x03\0\0\0ab[1]" + bytes.fromhex("d345b6d0")


records = st.dictionaries(st.binary(max_size=40), st.binary(max_size=60), max_size=30)


@settings(max_examples=80, deadline=None)
@given(st.lists(records, min_size=1, max_size=3))
def test_whatever_is_written_is_found(tmp_path_factory, parts) -> None:
    path = tmp_path_factory.mktemp("records") / "records.bin"
    views = {f"view {n}": part for n, part in enumerate(parts)}
    read_whole(path, written(path, views), views)


def test_full_pages_of_the_index_go_on_in_the_next_one(tmp_path) -> None:
    views = {"many": {b"key %d" % n: b"%d" % n * (n % 9) for n in range(20_000)}, "large": {b"": b"x" * 3_000_000}}
    sections = written(tmp_path / "records.bin", views)
    read_whole(tmp_path / "records.bin", sections, views)
    content, many = (tmp_path / "records.bin").read_bytes(), sections["many"]
    counts = [
        int.from_bytes(content[at + 2 : at + 4], "little") for at in range(many.index, sections["large"].start, 1008)
    ]
    assert counts.count(ENTRIES) > 1
    assert sum(counts) == 20_000


def test_one_key_twice_is_refused_and_named(tmp_path) -> None:
    with (tmp_path / "records.bin").open("w+b") as file:
        writer = SectionWriter(file)
        for key in (b"a", b"b", b"a"):
            writer.add(key, b"")
        with pytest.raises(DuplicateKey) as twice:
            writer.finish()
    assert twice.value.key == b"a"


def test_another_file_is_not_read(tmp_path) -> None:
    (tmp_path / "records.bin").write_bytes(b"PAR1" + MAGIC)
    with pytest.raises(Damage, match="does not begin as a file of records does"):
        RecordsFile(tmp_path / "records.bin", {})


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> EmbeddedStore:
    store = EmbeddedStore(tmp_path_factory.mktemp("online"))
    store.export(*nightly(0))
    return store


def answers(store: EmbeddedStore) -> list[object]:
    """Each answer, or the word for damage."""
    try:
        with EmbeddedReader(store.folder.current()) as reader:
            return [answer(reader, table, keys) for table, keys in QUESTIONS]
    except (StoreDamaged, StoreOfAnotherVersion):
        return ["damaged"] * len(QUESTIONS)


def answer(reader, table, keys) -> object:
    try:
        return reader.get(table, keys)
    except StoreDamaged:
        return "damaged"


def is_found_by_verify(store: EmbeddedStore) -> bool:
    try:
        with EmbeddedReader(store.folder.current()) as reader:
            reader.verify()
    except (StoreDamaged, StoreOfAnotherVersion):
        return True
    return False


@pytest.mark.parametrize("file", ["records.bin", "snapshot.json"])
def test_no_byte_can_change_without_being_noticed(exported, file) -> None:
    """Every answer is as before or an error, and `verify` finds it: in all records, and in a fifth of the rest."""
    path, right = exported.folder.current() / file, answers(exported)
    content = path.read_bytes()
    assert "damaged" not in right
    for at in sorted({*range(120 if file == "records.bin" else 0), *range(0, len(content), 5)}):
        changed = bytearray(content)
        changed[at] ^= 1 << at % 8
        path.write_bytes(changed)
        found = answers(exported)
        assert all(now in (was, "damaged") for now, was in zip(found, right, strict=True)), at
        is_space = file == "snapshot.json" and bytes(changed).split() == content.split()
        assert is_space or is_found_by_verify(exported), at
    path.write_bytes(content)
    assert answers(exported) == right


@pytest.mark.parametrize("block", [64, 512, 4096])
def test_a_zeroed_block_is_an_error_and_ends_no_process(exported, block) -> None:
    path, right = exported.folder.current() / "records.bin", answers(exported)
    content = path.read_bytes()
    for at in range(0, len(content), block):
        changed = content[:at] + bytes(len(content[at : at + block])) + content[at + block :]
        path.write_bytes(changed)
        found = answers(exported)
        assert all(now in (was, "damaged") for now, was in zip(found, right, strict=True)), at
        assert changed == content or is_found_by_verify(exported), at
    path.write_bytes(content)


def test_a_file_that_is_cut_while_it_is_open_is_an_error(exported) -> None:
    """A mapped file would end the process here (SIGBUS)."""
    path = exported.folder.current() / "records.bin"
    content = path.read_bytes()
    with exported.open() as reader:
        os.truncate(path, 20)
        with pytest.raises(
            StoreDamaged, match=r"records.bin', aggregate/household_spend/v1, key \(22,\): it ends too early"
        ):
            reader.get(SPEND, [22])
    path.write_bytes(content)
