"""`ziggurat doctor --content`: whatever changes in a published table's files is found, without Spark."""

import contextlib
import random
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from definitions.registry import Registry, load
from jobs.inputs.content_check import check_content
from jobs.run.published import PublishedState
from lakehouse.ledger.reduction import reduced_state
from lakehouse.reader import DeltaReader
from lakehouse.tables import Warehouse
from tests.e2e.small.bikes import Bikes
from tests.support.commands import run

GOLDEN = Path(__file__).parents[1] / "golden" / "warehouse.tar.xz"
RIDES, TRIPS, ACTIVITY = "raw/rides/v1", "derived/trips/v1", "aggregate/rider_activity/v1"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("golden")
    with tarfile.open(GOLDEN) as archive:
        archive.extractall(home, filter="data")
    return home / "golden bikes"


@pytest.fixture
def files(project: Path) -> Iterator[dict[str, Path]]:
    """A data file of each table, put back after the test."""
    tables = {table: project / "warehouse" / table for table in (RIDES, TRIPS, ACTIVITY)}
    newest = {t: max(f.rglob("*.parquet"), key=lambda path: path.stat().st_mtime) for t, f in tables.items()}
    before = {path: path.read_bytes() for path in newest.values()}
    yield newest
    for path, content in before.items():
        path.write_bytes(content)


def check(project: Path) -> tuple[int, str]:
    said = run(project, "doctor", "--content", "--conf", "conf.yaml")
    return said.code, said.out + said.err


def test_what_was_published_is_found_whole(project: Path) -> None:
    code, text = check(project)
    assert code == 0, text
    for line in (f"✓ {RIDES}: 5 files whole", f"✓ {ACTIVITY}: 2 files whole, 2 slices of the same content hash"):
        assert line in text


@pytest.mark.parametrize("table", [RIDES, TRIPS, ACTIVITY])
def test_a_file_that_is_gone_cut_or_other_is_named(project: Path, files: dict[str, Path], table: str) -> None:
    path = files[table]
    content = path.read_bytes()
    damages = {"gone": None, "empty": b"", "cut": content[:-1], "other": b"x" * len(content)}
    for damage in damages.values():
        path.unlink() if damage is None else path.write_bytes(damage)
        code, text = check(project)
        assert (code, f"✗ {table}: {path} can't be read: " in text) == (42, True), text


def findings(project: Path, registry: Registry) -> dict[str, tuple[str, ...]]:
    reader, warehouse = DeltaReader(), Warehouse(str(project / "warehouse"))
    ledger = reduced_state(
        reader.rows(warehouse.runs.path), lambda table: reader.version(warehouse.address(table).path)
    )
    tables = check_content(warehouse, registry, PublishedState(ledger), reader)
    return {table.table: table.findings for table in tables}


@pytest.fixture(scope="module")
def registry(project: Path) -> Iterator[Registry]:
    bikes = Bikes(project)
    with bikes.at_home():
        yield load(bikes.package)


def test_a_changed_byte_in_a_page_is_found_in_facts_too(
    project: Path, files: dict[str, Path], registry: Registry
) -> None:
    """Of a raw table, whose rows have no content hash, the checksums of pages tell. What they miss changes no row."""
    path, drawn, found = files[RIDES], random.Random(17), 0
    content, rows = path.read_bytes(), pq.read_table(path)
    pages = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    for at in drawn.sample(range(4, pages), 60):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1 << drawn.randrange(8)]) + content[at + 1 :])
        is_found = bool(findings(project, registry)[RIDES])
        found += is_found
        assert is_found or pq.read_table(path) == rows, at
    assert found > 30


def test_other_values_in_a_whole_file_are_found_by_the_content_hash(
    project: Path, files: dict[str, Path], registry: Registry
) -> None:
    path = files[ACTIVITY]
    size, table = path.stat().st_size, pq.read_table(path)
    log = next(log for log in (path.parents[1] / "_delta_log").glob("*.json") if path.name in log.read_text())
    text, count = log.read_text(), table["ride_count_30d"]
    changed = table.set_column(table.column_names.index("ride_count_30d"), "ride_count_30d", pc.add(count, 1))
    cases = {"has the content hash": changed, f"{table.num_rows} were published": table.slice(1)}
    try:
        for words, other in cases.items():
            pq.write_table(other, path)
            now = text.replace(f'"size":{size}', f'"size":{path.stat().st_size}')
            log.write_text(now.replace(f'numRecords\\":{table.num_rows}', f'numRecords\\":{other.num_rows}'))
            (finding,) = findings(project, registry)[ACTIVITY]
            assert words in finding
    finally:
        log.write_text(text)


def test_table_versions_that_a_manifest_names_and_that_are_lost_are_named(project: Path) -> None:
    """A file, a commit of the log, a table; of the training set's own rows it is damage."""
    folder = project / "warehouse"
    assert "✓ 2 manifests: all can be read" in check(project)[1]
    cases = {
        "aggregate/rider_activity/v1": "of its 2 files are gone (part-",
        "cross_entity/rider_vs_plan/v1/_delta_log/00000000000000000000.json": "its log no longer has that version",
        "raw/riders/v1": "there is no table any more",
    }
    with moved_away(project, next((folder / ACTIVITY).rglob("*.parquet")), *map(folder.joinpath, list(cases)[1:])):
        code, text = check(project)
        for path, what in cases.items():
            table = path.partition("/_delta_log")[0]
            version = 0 if "riders" in table else 1
            named = f"{table} can no longer be read at version {version}, which its manifest names: "
            assert {f"! {name}@1: {named}" in text for name in ("again", "copied")} == {True}, text
            assert what in text
        default = run(project, "doctor", "--conf", "conf.yaml")
        summary = "6 table versions that manifests name are lost, first of again@1: "
        assert (default.code, summary in default.out) == (0, True)
    rows = folder / "training_sets" / "again" / "data"
    with moved_away(project, next(rows.glob("*.parquet"))):
        code, text = check(project)
        assert (code, "rows of training set again@1 are lost" in text) == (42, True)
        assert "✗ again@1: training_sets/again/data can no longer be read at version 0" in text


@contextlib.contextmanager
def moved_away(project: Path, *paths: Path) -> Iterator[None]:
    away = project / "away"
    away.mkdir()
    for number, path in enumerate(paths):
        path.rename(away / str(number))
    try:
        yield
    finally:
        for number, path in enumerate(paths):
            (away / str(number)).rename(path)
        away.rmdir()
