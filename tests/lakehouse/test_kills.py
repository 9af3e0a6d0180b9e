"""A run is killed (SIGKILL) at each named point; the next one finds what it published, and succeeds."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lakehouse.crash_points import CRASH_POINTS
from lakehouse.ledger.ledger import Ledger
from lakehouse.tables import Warehouse, current_version, read
from tests.lakehouse import nightly
from tests.support.forked import run_forked

PUBLISHED_BUT_NOT_RECORDED = ("after_publish", "before_ledger")
NOTHING_PUBLISHED = ("before_stage", "after_stage", "before_publish")


@pytest.mark.parametrize("point", CRASH_POINTS)
def test_the_run_after_a_killed_one_ends_as_if_nothing_had_happened(spark, tmp_warehouse: Path, point: str):
    parameters = spark.sparkContext._gateway.gateway_parameters
    code, output = run_forked(
        "tests.lakehouse.nightly:main", tmp_warehouse, "killed", "40", parameters.port, parameters.auth_token,
        env={"ZIGGURAT_CRASH_AT": point},
    )  # fmt: skip
    assert code == -signal.SIGKILL, output
    ends_as_if_unkilled(spark, tmp_warehouse, point)


def test_it_does_so_too_when_spark_dies_with_the_run(spark, tmp_warehouse: Path):
    checkout = Path(nightly.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, nightly.__file__, str(tmp_warehouse), "killed", "40"],
        env={**os.environ, "ZIGGURAT_CRASH_AT": "after_publish", "PYTHONPATH": str(checkout)},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    ends_as_if_unkilled(spark, tmp_warehouse, "after_publish")


def ends_as_if_unkilled(spark, root: Path, point: str) -> None:
    ledger, table = Ledger.open(spark, Warehouse(str(root))), Warehouse(str(root)).address(nightly.TABLE)
    recovery = ledger.recover()
    assert recovery.killed_runs == (("killed",) if point in NOTHING_PUBLISHED + PUBLISHED_BUT_NOT_RECORDED else ())
    assert [run_id for run_id, _ in recovery.slices] == (["killed"] if point in PUBLISHED_BUT_NOT_RECORDED else [])
    assert not recovery.others
    assert (current_version(spark, table.path) is None) == (point in NOTHING_PUBLISHED)

    outcome = nightly.run_night(spark, str(root), "next", 40)

    assert outcome == ("published" if point in NOTHING_PUBLISHED else "unchanged")
    assert read(spark, table.path).count() == 40
    assert current_version(spark, table.path) == 0
    state = ledger.state()
    assert state.published[nightly.TABLE, nightly.SLICE].hash == "hash of 40"
    expected = "killed" if point in NOTHING_PUBLISHED + PUBLISHED_BUT_NOT_RECORDED else "done"
    assert {run.run_id: run.status for run in state.runs} == {"killed": expected, "next": "done"}
    release = ledger.latest_release()
    assert (release.release_id, release.run_id) == (1, "killed" if point == "after_release" else "next")
