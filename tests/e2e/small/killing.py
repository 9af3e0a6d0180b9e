"""A command that dies (SIGKILL) at a named step, on the Spark of the test that starts it."""

import os
import signal
import subprocess
import sys

from pyspark.sql import SparkSession

from tests.e2e.small import killed_verb
from tests.e2e.small.bikes import PROJECT_ROOT, Bikes


def kill(spark: SparkSession, bikes: Bikes, point: str, *words: str) -> None:
    """`point` is a crash point, `name` or `name@table`; fails if the command got past it."""
    parameters = spark.sparkContext._gateway.gateway_parameters
    done = subprocess.run(
        [sys.executable, killed_verb.__file__, bikes.folder, str(parameters.port), parameters.auth_token, *words],
        env={**os.environ, "ZIGGURAT_CRASH_AT": point, "PYTHONPATH": str(PROJECT_ROOT)},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, f"{point}: {done.stdout}{done.stderr}"
