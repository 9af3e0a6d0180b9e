"""A damaged file or log of a table: one sentence with code 42, whatever reads it, and nothing is published."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.small.bike_models import LABEL, SERVICE, released_models
from tests.e2e.small.bikes import SECOND, Bikes

RIDES, ACTIVITY = "raw/rides/v1", "aggregate/rider_activity/v1"
BUILD = ("build", "--as-of", "2024-06-07T12:00:00Z")
TRAINING_SET = ("training-set", "--service", SERVICE, "--spine", "spine.csv", "--out", "new")
EXPORT, BATCH = ("export", "--as-of", SECOND), ("batch-frame", "--service", SERVICE, "--as-of", SECOND)


@pytest.fixture(scope="module")
def released(spark_session, tmp_path_factory: pytest.TempPathFactory) -> Bikes:
    bikes = released_models(tmp_path_factory, tmp_path_factory.mktemp("damaged"))
    (bikes.folder / "spine.csv").write_text("rider_id,label_time\nR01,2024-06-08T12:00:00Z\n")
    return bikes


@pytest.fixture
def bikes(released: Bikes, spark) -> Iterator[Bikes]:
    """Put back afterwards, as if nothing had been."""
    warehouse, copy = Path(released.warehouse.root), Path(f"{released.warehouse.root}.copy")
    shutil.copytree(warehouse, copy)
    yield released
    shutil.rmtree(warehouse)
    copy.rename(warehouse)


def data(bikes: Bikes, table: str) -> Path:
    """The largest data file; Hadoop's own checksum of it is gone, as after a copy."""
    folder = Path(bikes.warehouse.root, table)
    file = max((p for p in folder.rglob("*.parquet") if "_delta_log" not in p.parts), key=lambda p: p.stat().st_size)
    file.with_name(f".{file.name}.crc").unlink(missing_ok=True)
    return file


def log(bikes: Bikes, table: str) -> Path:
    """The newest commit."""
    file = max(Path(bikes.warehouse.root, table, "_delta_log").glob("*.json"))
    for name in (f".{file.name}.crc", f"{file.stem}.crc", f".{file.stem}.crc.crc"):
        file.with_name(name).unlink(missing_ok=True)
    return file


def middle(content: bytes) -> bytes:
    """A byte of the first page is another."""
    return content[:60] + bytes([content[60] ^ 1]) + content[61:]


DAMAGES: dict[str, Callable[[bytes], bytes | None]] = {
    "gone": lambda content: None,
    "empty": lambda content: b"",
    "cut short": lambda content: content[: len(content) // 2],
    "one bit": middle,
}


@pytest.mark.parametrize(
    ("table", "where", "damage", "words"),
    [
        (RIDES, data, "gone", BUILD),
        (RIDES, data, "one bit", BUILD),
        (RIDES, log, "cut short", BUILD),
        (RIDES, log, "empty", ("labels", LABEL)),
        (ACTIVITY, data, "empty", TRAINING_SET),
        (ACTIVITY, data, "gone", EXPORT),
        (ACTIVITY, data, "cut short", BATCH),
        ("runs", log, "cut short", BUILD),
        ("runs", data, "gone", ("runs", "list")),
    ],
)
def test_damage_is_one_sentence(
    bikes: Bikes, table: str, where: Callable[..., Path], damage: str, words: tuple[str, ...]
) -> None:
    path = where(bikes, table)
    changed = DAMAGES[damage](path.read_bytes())
    path.unlink() if changed is None else path.write_bytes(changed)
    tables = bikes.releases() if table not in ("runs", "releases") else []
    said = bikes.ziggurat(*words)
    assert said.code == 42, said.err + said.out
    assert str(bikes.warehouse.root) in said.sentence
    assert table in said.sentence
    assert "Exception" not in said.sentence
    assert not tables or bikes.releases() == tables
