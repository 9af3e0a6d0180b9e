"""A warehouse that an earlier version wrote: read whole, found unchanged, and built upon; and where its files lie."""

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from definitions.durations import day_or_instant, to_us
from lakehouse.data_locations import DATA_LOCATIONS, DataLocation, location_of
from tests.e2e.small.bike_models import LABEL, SERVICE
from tests.e2e.small.bikes import FIRST, PROJECT_ROOT, SECOND, Bikes, content_hash

GOLDEN = PROJECT_ROOT / "tests" / "golden"
NEXT, EARLY, GROWN = "2024-06-08T12:00:00Z", "2024-05-01", "2024-05-31"
ACTIVITY = "aggregate/rider_activity/v1"


@pytest.fixture(scope="module")
def bikes(spark_session, tmp_path_factory: pytest.TempPathFactory) -> Bikes:
    home = tmp_path_factory.mktemp("from an earlier version")
    with tarfile.open(GOLDEN / "warehouse.tar.xz") as archive:
        archive.extractall(home, filter="data")
    return Bikes(home / "golden bikes")


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    """What the earlier version itself read from it."""
    return dict(json.loads((GOLDEN / "expected.json").read_text("utf-8")))


def lines_of(bikes: Bikes, *words: str) -> list[dict[str, Any]]:
    answer = bikes.ziggurat(*words, "--json")
    assert answer.code == 0, answer.err
    return [json.loads(line) for line in answer.out.splitlines()]


def test_every_version_of_every_table_has_the_content_it_had(bikes: Bikes, expected: dict[str, Any]) -> None:
    for table, hashes in expected["tables"].items():
        versions = range(len(hashes))
        assert [content_hash(bikes.table(table, version=version)) for version in versions] == hashes, table


def test_the_ledger_shows_the_runs_and_steps_it_showed(bikes: Bikes, expected: dict[str, Any]) -> None:
    runs = lines_of(bikes, "runs", "list")
    assert runs == expected["runs"]
    assert lines_of(bikes, "runs", "show", runs[0]["run"]) == expected["steps"][runs[0]["run"]]


def test_manifests_read_as_they_did_and_give_the_same_rows_again(bikes: Bikes, expected: dict[str, Any]) -> None:
    for name, manifest in expected["manifests"].items():
        assert lines_of(bikes, "training-set", "show", name) == [manifest]
    verified = bikes.ziggurat("training-set", "verify", "again")
    assert verified.code == 0, verified.err
    assert bikes.ziggurat("training-set", "diff", "again", "again@1").code == 0


def test_the_online_snapshot_answers_as_it_did(bikes: Bikes, expected: dict[str, Any]) -> None:
    for rider, answer in expected["online"].items():
        at = ("--at", f"{SECOND}T12:00:00Z")
        assert lines_of(bikes, "get", f"rider_id={rider}", "--service", SERVICE, *at) == [answer]


def test_building_its_as_ofs_again_changes_nothing(bikes: Bikes, expected: dict[str, Any]) -> None:
    """The first look at the deliveries finds them at another path; the second finds nothing to do at all."""
    tables = bikes.versions()
    bikes.built(SECOND)
    assert bikes.versions() == tables
    assert [list(release) for release in bikes.releases()] == expected["releases"]
    runs = bikes.table("runs").num_rows
    for as_of in (FIRST, SECOND):
        assert "nothing to do" in bikes.built(as_of).out
    for words in (("labels", LABEL), ("layout", "build", "rider_activity"), ("export", "--as-of", SECOND)):
        assert bikes.ziggurat(*words).code == 0
    assert (bikes.versions(), bikes.table("runs").num_rows) == (tables, runs)
    assert not (bikes.folder / "warehouse" / "profiles").exists()


@pytest.fixture(scope="module")
def continued(bikes: Bikes) -> Bikes:
    """The next as-of, and every kind of job upon it; the last one fails its gate."""
    bikes.built(NEXT)
    for words in (
        ("labels", LABEL, "--end", "2024-05-27T12:00:00Z"),
        ("training-set", "--service", SERVICE, "--spine", LABEL, "--out", "again", "--split", "0.6,0.2,0.2"),
        ("training-set", "--service", SERVICE, "--spine", LABEL, "--out", "copied", "--format", "parquet"),
        ("layout", "compact", "rider_activity"),
        ("export", "--as-of", NEXT),
    ):
        answer = bikes.ziggurat(*words)
        assert answer.code == 0, answer.err
    limits = ("--start", EARLY, "--end", GROWN, "--every", "30d", "-s", "build.may_grow=0")
    assert bikes.ziggurat("backfill", *limits).code == 30
    return bikes


def snapshot(bikes: Bikes, as_of: str) -> list[dict[str, Any]]:
    return [row for row in bikes.table(ACTIVITY).to_pylist() if day_or_instant(to_us(row["event_time"])) == as_of]


def test_the_next_as_of_builds_on_it(continued: Bikes, expected: dict[str, Any]) -> None:
    before = expected["tables"][ACTIVITY]
    assert continued.histories()[ACTIVITY][: len(before)] == before
    riders = [{row["rider_id"] for row in snapshot(continued, as_of)} for as_of in (SECOND, NEXT)]
    assert riders[0] == riders[1] != set()
    assert continued.releases()[len(expected["releases"])][0] == len(expected["releases"]) + 1
    assert "rider_activity" in continued.ziggurat("layout", "list").out


def test_all_that_ran_stands_in_the_ledger(continued: Bikes, expected: dict[str, Any]) -> None:
    runs = lines_of(continued, "runs", "list")[: -len(expected["runs"])]
    assert [(run["command"].split(" --")[0], run["status"]) for run in reversed(runs)][-9:] == [
        ("build", "ended"),
        ("layout upkeep", "ended"),
        (f"labels {LABEL}", "ended"),
        ("training-set", "ended"),
        ("training-set", "ended"),
        ("layout compact rider_activity", "ended"),
        ("export", "ended"),
        ("backfill", "failed"),
        ("layout upkeep", "ended"),
    ]
    export = next(run["run"] for run in runs if run["command"].startswith("export"))
    (step,) = lines_of(continued, "runs", "show", export)
    assert (step["step"], step["status"], step["rows_out"] > 0) == ("online", "published", True)


def test_each_published_slice_has_its_profile(continued: Bikes) -> None:
    """Not the one that failed its gate, nor those of the earlier version."""
    rows = [row for row in continued.table("profiles").to_pylist() if row["table"] == ACTIVITY]
    assert {row["slice"] for row in rows} == {NEXT, EARLY}
    (profile,) = [row for row in rows if (row["slice"], row["feature"]) == (NEXT, "ride_count_lifetime")]
    counts = [row["ride_count_lifetime"] for row in snapshot(continued, NEXT)]
    found = (profile["rows"], profile["nulls"], profile["nans"], profile["minimum"], profile["maximum"])
    assert found == (len(counts), 0, 0, min(counts), max(counts))
    assert profile["mean"] == sum(counts) / len(counts)
    written = continued.table(ACTIVITY, version=profile["table_version"])
    assert NEXT in {day_or_instant(to_us(at)) for at in written["event_time"].to_pylist()}


def files_of(bikes: Bikes) -> Iterator[str]:
    root = Path(bikes.warehouse.root)
    return (str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_every_file_lies_in_a_named_location(continued: Bikes) -> None:
    assert [file for file in files_of(continued) if location_of(file) is None] == []


@pytest.mark.parametrize("location", DATA_LOCATIONS, ids=lambda location: location.name)
def test_without_a_location_its_files_are_found_to_lie_outside(continued: Bikes, location: DataLocation) -> None:
    others = tuple(other for other in DATA_LOCATIONS if other is not location)
    outside = {file for file in files_of(continued) if location_of(file, others) is None}
    assert outside == {file for file in files_of(continued) if location.covers(file)}
    assert outside or location.name == "unreadable runs"
