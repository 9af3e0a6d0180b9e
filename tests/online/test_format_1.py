"""Snapshots of format 1 are read on: the golden one, any that its library wrote, and damaged ones as errors."""

import hashlib
import json
import random
import shutil
import tarfile
from pathlib import Path

import lmdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from definitions.durations import instant_us
from online_store.answer import answer
from online_store.answer_json import answer_json
from online_store.embedded.format_1 import Format1Records
from online_store.embedded.lmdb_file import LmdbFile
from online_store.embedded.reader import EmbeddedReader
from online_store.embedded.records_file import Damage
from online_store.embedded.store import EmbeddedStore
from online_store.errors import StoreDamaged
from online_store.record import RecordForm, Tally
from tests.online.examples import a_view

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture(scope="module")
def golden(tmp_path_factory) -> EmbeddedStore:
    home = tmp_path_factory.mktemp("golden")
    with tarfile.open(GOLDEN / "warehouse.tar.xz") as archive:
        members = [member for member in archive.getmembers() if "/warehouse/online" in member.name]
        archive.extractall(home, members, filter="data")
    return EmbeddedStore(home / "golden bikes" / "warehouse" / "online")


def answers(reader: EmbeddedReader) -> dict[str, object]:
    at_us = instant_us("2024-06-08T12:00:00Z")
    rows = {rider: answer(reader, "rides_v1", {"rider_id": rider}, at_us) for rider in EXPECTED}
    return {rider: json.loads(answer_json(row)) for rider, row in rows.items()}


EXPECTED = json.loads((GOLDEN / "expected.json").read_text("utf-8"))["online"]


def test_the_golden_snapshot_answers_as_it_did(golden) -> None:
    with golden.open() as reader:
        assert answers(reader) == EXPECTED
        reader.verify()


def test_no_damage_changes_an_answer_or_ends_the_process(golden, tmp_path) -> None:
    """400 bytes of data.mdb in turn, each of its pages as zeros, and as its first page."""
    shutil.copytree(golden.folder.root, tmp_path / "online")
    store = EmbeddedStore(tmp_path / "online")
    path, drawn = store.folder.current() / "data.mdb", random.Random(17)
    content = path.read_bytes()
    damages = []
    for at in drawn.sample(range(len(content)), 400):
        damages.append(content[:at] + bytes([content[at] ^ drawn.randrange(1, 256)]) + content[at + 1 :])
    for at in range(0, len(content), 4096):
        damages += [content[:at] + other + content[at + 4096 :] for other in (bytes(4096), content[:4096])]
    errors = []
    for damage in damages:
        path.write_bytes(damage)
        try:
            with EmbeddedReader(path.parent) as reader:
                assert answers(reader) == EXPECTED
        except StoreDamaged as damaged:
            errors.append(str(damaged))
    assert len(errors) > 20
    assert all("Export it again" in error for error in errors)


keys = st.binary(min_size=1, max_size=500)
values = st.binary(max_size=300) | st.integers(1, 20_000).map(lambda n: b"v" * n)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(keys, values, max_size=60), st.integers(1, 3))
def test_what_the_library_wrote_is_read_as_it_reads_it(tmp_path_factory, records, transactions) -> None:
    folder = tmp_path_factory.mktemp("lmdb")
    wrote(folder, {b"records": list(records.items())}, transactions=transactions)
    file = LmdbFile(folder / "data.mdb")
    assert list(file.pairs(file.trees[b"records"])) == sorted(records.items())
    for key, value in records.items():
        assert file.get(file.trees[b"records"], key) == value
        assert file.get(file.trees[b"records"], key + b"\0") == records.get(key + b"\0")
    file.close()


def test_a_large_snapshot_with_long_keys_is_read(tmp_path) -> None:
    """Several levels of pages, and keys that are kept by their hash."""
    view = a_view("aggregate/any/v1", keys={"k": "string"}, columns={"n": "int"}, rows=3_000)
    form, counts, kept, long_keys = RecordForm(view), Tally(), [], []
    for n in range(3_000):
        key, value = form.key([name(n)]), b"[1,2,%d]" % n
        counts.add(key, value)
        short = key if len(key) <= 511 else form.prefix + b"\1" + hashlib.sha256(key).digest()
        kept.append((short, value))
        long_keys += [(short, key)] if short != key else []
    wrote(tmp_path, {b"records": kept, b"long_keys": long_keys}, transactions=7)
    records = Format1Records(tmp_path / "data.mdb", {view.table: form}, {view.table: counts.to_fields()})
    for n in (0, 1, 699, 1_234, 2_999):
        assert records.get(view.table, form.key([name(n)])) == b"[1,2,%d]" % n
        assert records.get(view.table, form.key(["y" + name(n)])) is None
    assert {form.keys(key) for key, _ in records.pairs(view.table)} == {(name(n),) for n in range(3_000)}
    wrong = {**counts.to_fields(), "records": 3_001}
    with pytest.raises(Damage, match="found 3,000 of 3,001 records as written"):
        Format1Records(tmp_path / "data.mdb", {view.table: form}, {view.table: wrong})


def name(n: int) -> str:
    return "x" * (n % 700) + str(n)


def wrote(folder: Path, trees: dict[bytes, list[tuple[bytes, bytes]]], *, transactions: int) -> None:
    with lmdb.open(str(folder), map_size=2**26, lock=False, sync=False, max_dbs=2) as environment:
        for name, records in trees.items():
            tree = environment.open_db(name)
            for part in range(transactions):
                with environment.begin(write=True) as writing:
                    for key, value in records[part::transactions]:
                        writing.put(key, value, db=tree)
