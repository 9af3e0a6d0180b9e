"""What a run says while it works: the share done, the time left, and no trace of a socket that Spark closed."""

import os
import subprocess
import sys

import pytest

from ziggurat.cli.progress import Progress, time_left

RIDES, TRIPS, ACTIVITY = "raw/rides/v1", "derived/trips/v1", "aggregate/activity/v1"


def test_a_run_says_how_many_tables_are_done_what_share_and_how_long_the_rest_takes() -> None:
    progress = Progress()
    assert progress.line(0.0) == ""
    progress.planned({RIDES: 100, TRIPS: 100, ACTIVITY: 200}, 0.0)
    progress.begun(RIDES, 0.0)
    progress.phase(RIDES, "publishing", 20.0)
    assert progress.line(30.0) == "0 of 3 tables, 0% of the bytes to read: raw/rides/v1 publishing 30 s"
    progress.ended(RIDES)
    progress.begun(TRIPS, 30.0)
    assert progress.line(30.0) == (
        "1 of 3 tables, 25% of the bytes to read, about 90 s left: derived/trips/v1 reading 0 s".replace(
            "90 s", "2 min"
        )
    )
    progress.ended(TRIPS)
    progress.begun(ACTIVITY, 50.0)
    assert progress.line(60.0).startswith("2 of 3 tables, 50% of the bytes to read, about 60 s left: ")
    progress.ended(ACTIVITY)
    progress.begun("layouts/activity/rider", 70.0)  # upkeep: not of the plan
    assert progress.line(80.0) == "layouts/activity/rider reading 10 s"


def test_a_phase_that_counts_says_what_is_done_of_all() -> None:
    progress = Progress()
    progress.begun("online", 0.0)
    progress.advanced("online", 3, 12, "views")
    assert progress.line(30.0) == "online reading 30 s, 3 of 12 views, 25%, about 2 min left"
    progress.phase("online", "write", 60.0)
    assert progress.line(61.0) == "online write 61 s"
    progress.advanced("online", 150_000, 200_000, "rows")
    assert progress.line(90.0) == "online write 90 s, 150,000 of 200,000 rows, 75%, about 10 s left"


@pytest.mark.parametrize(
    ("share", "seconds", "text"),
    [
        (0.0, 60, ""), (0.01, 60, ""), (0.5, 4, ""), (1.0, 60, ""),
        (0.5, 60, ", about 60 s left"), (0.1, 60, ", about 9 min left"),
    ],
)  # fmt: skip
def test_the_time_left_is_said_when_enough_is_done_to_tell(share: float, seconds: float, text: str) -> None:
    assert time_left(share, seconds) == text


WORKER = """
import socket, sys
{first}
from pyspark import daemon
ours, spark = socket.socketpair()
spark.close()
def task(infile, outfile):
    if {fails}: raise RuntimeError("a real failure")
    outfile.write(b"rows that nobody reads")
daemon.worker_main = task
try:
    daemon.worker(ours, True)
except BaseException:
    daemon.traceback.print_exc()  # as pyspark's daemon does
"""


def traces(*, ends: str, first: str, fails: bool = False) -> str:
    program = WORKER.format(first=first, fails=fails)
    environment = os.environ | {"PYTHON_DAEMON_KILL_WORKER_ON_FLUSH_FAILURE": ends}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment).stderr


@pytest.mark.parametrize("ends", ["", "1"], ids=["the worker goes on", "the worker ends"])
def test_the_trace_of_a_socket_that_spark_closed_is_left_out_and_no_other(ends: str) -> None:
    assert "BrokenPipeError" in traces(first="", ends=ends)
    assert traces(first="import lakehouse.session.worker_daemon", ends=ends) == ""
    assert "a real failure" in traces(first="import lakehouse.session.worker_daemon", fails=True, ends=ends)
