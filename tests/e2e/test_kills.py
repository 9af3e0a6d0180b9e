"""A build is killed (SIGKILL) at each step; what stands in the end is what an unkilled build leaves, by version."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lakehouse.leases.leases import Claim
from lakehouse.leases.owners import LeaseOwner
from lakehouse.leases.stores import claim_store
from tests.e2e.small.bikes import FIRST, PROJECT_ROOT, SECOND, Bikes
from tests.e2e.small.killing import kill_build

EARLY, LATE = datetime(2024, 6, 1, 6, tzinfo=UTC), datetime(2024, 6, 8, 6, tzinfo=UTC)
ACTIVITY, VS_PLAN = "aggregate/rider_activity/v1", "cross_entity/rider_vs_plan/v1"

# Each run comes one step further than the one before, which died there; the last run ends.
ON_THE_WAY_TO_THE_FIRST_RELEASE = (
    "after_quarantine@raw/rides/v1",
    "before_publish@raw/riders/v1",
    "before_stage@trips",
    "after_publish@derived/trips/v1",
    "after_stage@rider_activity",
    "before_publish@cross_entity/rider_vs_plan/v1",
    "before_ledger",
)
WITH_A_SECOND_DELIVERY = (
    "after_stage@rides",
    "after_publish@raw/rides/v1",
    "after_publish@aggregate/rider_activity/v1",
    "after_ledger",
    "before_release",
    "after_release",
)


@dataclass(frozen=True)
class Published:
    """A project, and what it had published when the fixture ended."""

    bikes: Bikes
    histories: dict[str, list[str]]
    releases: list[tuple[object, ...]]
    quarantined: list[tuple[str, str]]


@pytest.fixture(scope="module")
def unkilled(spark_session, tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Two builds that nothing happened to, with a second delivery between."""
    bikes = Bikes.written(tmp_path_factory.mktemp("unkilled") / "quiet bikes")
    assert bikes.build_at(EARLY, FIRST).error is None
    bikes.deliver_june()
    assert bikes.build_at(LATE, SECOND).error is None
    return Published(bikes, bikes.histories(), bikes.releases(), bikes.quarantined())


def test_killed_at_every_step_it_ends_as_if_nothing_had_happened(spark, unkilled: Published, tmp_path: Path) -> None:
    bikes, whole = Bikes.written(tmp_path / "killed bikes"), unkilled.histories

    def seen_whole() -> None:
        """Every version of every table that a reader could have opened is one that an unkilled run published."""
        for table, versions in bikes.histories().items():
            assert versions == whole[table][: len(versions)], table

    for point in ON_THE_WAY_TO_THE_FIRST_RELEASE:
        kill_build(spark, bikes, point, EARLY, FIRST)
        seen_whole()
    assert bikes.build_at(EARLY, FIRST).error is None
    assert bikes.releases() == unkilled.releases[:1]

    bikes.deliver_june()
    for point in WITH_A_SECOND_DELIVERY:
        kill_build(spark, bikes, point, LATE, SECOND)
        seen_whole()
    assert bikes.build_at(LATE, SECOND).is_unchanged

    assert bikes.histories() == whole
    assert bikes.releases() == unkilled.releases
    assert bikes.quarantined() == unkilled.quarantined
    runs = bikes.table("runs").to_pylist()
    assert {row["run_id"] for row in runs if row["record"] == "started"} == {
        row["run_id"] for row in runs if row["record"] == "ended"
    }


def test_when_spark_dies_with_the_run_in_the_middle_of_several_steps_it_is_the_same(
    spark, unkilled: Published, tmp_path: Path
) -> None:
    bikes = Bikes.written(tmp_path / "dead bikes")
    done = subprocess.run(
        [sys.executable, "-m", "ziggurat", "build", "--as-of", FIRST, "--conf", "conf.yaml"], cwd=bikes.folder,
        env={**os.environ, "ZIGGURAT_CRASH_AT": "before_publish@derived/trips/v1", "PYTHONPATH": str(PROJECT_ROOT)},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr
    assert set(bikes.versions()) == {"raw/riders/v1", "raw/rides/v1"}

    said = bikes.built(FIRST)

    assert "cut short" in said.out
    whole = unkilled.histories
    assert bikes.histories() | {t: whole[t][:1] for t in ("raw/riders/v1", "raw/rides/v1")} == {
        table: versions[:1] for table, versions in whole.items()
    }
    assert [release[::2] for release in bikes.releases()] == [(1, [FIRST])]


@dataclass
class Thief:
    """A listener that hands a table's lease to another run just before this one publishes; that run has ended."""

    leases: str
    stolen: str

    def planned(self, weights: object) -> None: ...
    def begun(self, table: str) -> None: ...
    def progress(self, *_: object) -> None: ...
    def ended(self, outcome: object) -> None: ...
    def note(self, text: str) -> None: ...
    def in_run(self, *_: object, **__: object) -> "Thief":
        return self

    def phase(self, table: str, doing: str) -> None:
        if (table, doing) == (self.stolen, "publishing"):
            store = claim_store(self.leases)
            newest = max(store.tokens(table))
            since, holder = datetime.now(UTC).isoformat(), LeaseOwner.this_process()
            claim = Claim(table, newest + 1, "another run", since, holder, is_released=True)
            assert store.create(table, newest + 1, claim.to_json())


def test_a_run_whose_lease_was_taken_over_publishes_nothing(unkilled: Published) -> None:
    bikes, day = unkilled.bikes, "2024-06-07"
    before, releases = bikes.histories(), bikes.releases()

    outcome = bikes.build_at(LATE, day, listener=Thief(bikes.warehouse.leases, ACTIVITY))

    assert outcome.error is not None
    assert outcome.error.exit_code == 41
    assert f"lost {ACTIVITY}" in str(outcome.error)
    assert "another run" in str(outcome.error)
    assert {step.table: str(step.status) for step in outcome.steps}[VS_PLAN] == "blocked"
    assert (bikes.histories(), bikes.releases()) == (before, releases)

    assert bikes.build_at(LATE, day).error is None
    assert bikes.snapshot(VS_PLAN, day).keys() == bikes.snapshot(ACTIVITY, day).keys() != set()
