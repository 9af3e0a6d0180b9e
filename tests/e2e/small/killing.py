"""Commands and builds that die (SIGKILL) at a named step, in processes of their own on the Spark of the test.

They join that Spark, so that a kill costs no new one; what they need is imported before they are forked.
"""

import signal
import sys
from datetime import datetime
from pathlib import Path

from pyspark.sql import SparkSession

from tests.e2e.small.bikes import Bikes
from tests.lakehouse.nightly import joined_spark
from tests.support.forked import run_forked


def kill(spark: SparkSession, bikes: Bikes, point: str, *words: str) -> None:
    """A command that dies at `point`, which is `name` or `name@table`; fails if the command got past it."""
    _killed(point, "run_command", bikes.folder, *gateway_of(spark), *words)


def kill_build(spark: SparkSession, bikes: Bikes, point: str, clock: datetime, as_of: str) -> None:
    """A build that dies at `point`, and whose wall clock stands still."""
    _killed(point, "run_build", bikes.folder, *gateway_of(spark), clock.isoformat(), as_of)


def gateway_of(spark: SparkSession) -> tuple[str, str]:
    """Port and secret with which another process joins this Spark."""
    parameters = spark.sparkContext._gateway.gateway_parameters
    return str(parameters.port), parameters.auth_token


def run_command(folder: str, port: str, secret: str, *words: str) -> None:
    """In the other process."""
    spark = joined_spark(port, secret)  # noqa: F841  the session that the command finds
    sys.exit(str(Bikes(Path(folder)).ziggurat(*words)))


def run_build(folder: str, port: str, secret: str, clock: str, as_of: str) -> None:
    """In the other process."""
    spark = joined_spark(port, secret)  # noqa: F841  the session that the build finds
    sys.exit(str(Bikes(Path(folder)).build_at(datetime.fromisoformat(clock), as_of)))


def _killed(point: str, function: str, *words: object) -> None:
    code, output = run_forked(f"{__name__}:{function}", *words, env={"ZIGGURAT_CRASH_AT": point})
    assert code == -signal.SIGKILL, f"{point}: {output}"
