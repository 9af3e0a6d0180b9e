"""Killed (SIGKILL) at every step, a training set and an export leave readers what they had; the next run ends well."""

from collections.abc import Callable

import pytest

from definitions.durations import instant_us
from jobs.training_set.manifest_files import find_manifest
from online_store.answer import answer
from online_store.embedded.store import EmbeddedStore
from online_store.errors import NothingExported
from tests.e2e.oracle.joined import stored_hash
from tests.e2e.small.bike_models import SERVICE, released_models
from tests.e2e.small.bikes import FIRST, SECOND, Bikes
from tests.e2e.small.killing import kill

NAME = "again"
DATA = f"training_sets/{NAME}/data"
AT = instant_us("2024-06-08T12:00:00Z")  # no value is eight days old yet


@pytest.fixture(scope="module")
def bikes(spark_session, tmp_path_factory: pytest.TempPathFactory) -> Bikes:
    """Two as-ofs released, and two spines to join, one longer than the other."""
    bikes = released_models(tmp_path_factory, tmp_path_factory.mktemp("killed models"))
    lines = ["rider_id,label_time,is_asked"]
    lines += [f"{rider},2024-06-0{day}T12:00:00Z,true" for day in (3, 8) for rider in ("R01", "R02", "R05", "R99")]
    (bikes.folder / "short.csv").write_text("\n".join(lines[:5]) + "\n")
    (bikes.folder / "long.csv").write_text("\n".join(lines) + "\n")
    return bikes


@pytest.fixture
def killed_at(spark, bikes: Bikes) -> Callable[..., None]:
    def killed(point: str, *words: str) -> None:
        kill(spark, bikes, point, *words)

    return killed


def training_set(spine: str, name: str = NAME) -> tuple[str, ...]:
    return "training-set", "--service", SERVICE, "--spine", spine, "--out", name


def seen(bikes: Bikes, name: str = NAME) -> tuple[int, str] | None:
    """What a reader sees: rows and content of the version that the manifest names; None where there is no set."""
    manifest = find_manifest(bikes.warehouse, name)
    if manifest is None:
        return None
    rows = bikes.table(f"training_sets/{name}/data", version=manifest.data.version)
    assert stored_hash(rows) == manifest.data.hash
    return rows.num_rows, manifest.data.hash


def test_a_killed_training_set_leaves_the_one_before_and_the_next_run_ends_as_if_nothing_had_happened(
    bikes: Bikes, killed_at: Callable[..., None]
) -> None:
    folder = bikes.folder / "warehouse" / "training_sets" / NAME
    assert bikes.ziggurat(*training_set("long.csv", "quiet")).code == 0
    long = seen(bikes, "quiet")

    # The first one: until its manifest is there, it is not.
    for point in ("before_stage@spine", f"after_publish@{DATA}"):
        killed_at(point, *training_set("short.csv"))
        assert seen(bikes) is None, point
        shown = bikes.ziggurat("training-set", "show", NAME)
        assert (shown.code, f"no training set '{NAME}'" in shown.sentence) == (43, True)
    said = bikes.ziggurat(*training_set("short.csv"))
    short = seen(bikes)
    assert (said.code, short is not None and short[0]) == (0, 4)

    # Its successor: until its manifest is there, readers have the one before.
    for point in (
        "after_stage@joined", f"before_publish@{DATA}", f"after_publish@{DATA}", f"before_manifest@{DATA}",
    ):  # fmt: skip
        before = (folder / "manifest.json").read_bytes()
        killed_at(point, *training_set("long.csv"))
        assert seen(bikes) == short, point
        assert (folder / "manifest.json").read_bytes() == before
    killed_at(f"after_manifest@{DATA}", *training_set("long.csv"))
    assert seen(bikes) == long
    pages = [folder / page for page in ("certificate.json", "certificate.html", "card.html")]
    stale = [page.read_bytes() for page in pages]

    # The run after that finds the set whole, and writes the pages that the killed one owed.
    said = bikes.ziggurat(*training_set("long.csv"))
    assert (said.code, "nothing to do" in said.out) == (0, True)
    assert seen(bikes) == long
    assert all(page.read_bytes() != old for page, old in zip(pages, stale, strict=True))
    whole = [page.read_bytes() for page in pages]
    again = bikes.ziggurat(*training_set("long.csv"))
    assert "nothing to do" in again.out
    assert [page.read_bytes() for page in pages] == whole


def test_a_killed_export_leaves_readers_the_snapshot_before_until_the_pointer_flips(
    bikes: Bikes, killed_at: Callable[..., None]
) -> None:
    folder = bikes.folder / "warehouse" / "online"

    def answered() -> dict[str, object]:
        with EmbeddedStore(folder).open() as reader:
            reader.verify()
            return {
                rider: answer(reader, SERVICE, {"rider_id": rider}, AT).values["rider_activity__fare_sum_30d"]
                for rider in riders
            }

    rows = {as_of: bikes.snapshot("aggregate/rider_activity/v1", as_of) for as_of in (FIRST, SECOND)}
    riders = sorted(rows[SECOND])
    values = {
        as_of: {rider: rows[as_of][rider]["fare_sum_30d"] if rider in rows[as_of] else None for rider in riders}
        for as_of in rows
    }
    assert values[FIRST] != values[SECOND]

    killed_at("before_flip@online", "export", "--as-of", FIRST)
    with pytest.raises(NothingExported):
        answered()
    assert bikes.ziggurat("export", "--as-of", FIRST).code == 0
    assert answered() == values[FIRST]

    for step in ("write", "verify", "publish", "flip"):
        killed_at(f"before_{step}@online", "export", "--as-of", SECOND)
        assert answered() == values[FIRST], step
    killed_at("before_clean@online", "export", "--as-of", SECOND)
    assert answered() == values[SECOND]

    said = bikes.ziggurat("export", "--as-of", SECOND)
    assert (said.code, "online already" in said.out) == (0, True)
    assert answered() == values[SECOND]
    left = sorted(path.name for path in folder.rglob("*") if ".draft" in path.name or path.name == ".CURRENT.new")
    assert left == []
    older = bikes.ziggurat("export", "--as-of", FIRST)
    assert (older.code, "--rollback" in older.sentence) == (70, True)
    assert answered() == values[SECOND]
    assert bikes.ziggurat("export", "--as-of", FIRST, "--rollback").code == 0
    assert answered() == values[FIRST]


def test_the_next_build_removes_what_killed_runs_had_staged(bikes: Bikes) -> None:
    """A training set removes its own; those of a killed export wait for a build, which finds its lease."""
    built = bikes.ziggurat("build", "--as-of", "2024-06-05")
    assert built.code == 0, built.err
    assert "cut short" in built.out
    assert list((bikes.folder / "warehouse" / "staging").rglob("*.parquet")) == []
