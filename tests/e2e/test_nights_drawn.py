"""Drawn nights on Spark: every table equals the oracle's, row for row, after each build.

`make histories` plays hundreds of them. `tests/properties/test_nights_planned.py` plays more, without Spark.
"""

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.night_histories import PROJECTS
from tests.support.night_machine import Nights
from tests.support.nights import NightProject
from tests.support.spark_nights import SparkNights

HISTORIES = int(os.environ.get("SPARK_HISTORIES", "2"))


def test_every_table_equals_a_rebuild_after_each_build(spark) -> None:
    class NightsOnSpark(Nights):
        def ground_of_a_history(self) -> SparkNights:
            self.folder = Path(tempfile.mkdtemp())
            return SparkNights(spark, NightProject(self.folder / "nights", PROJECTS[0]))

        def teardown(self) -> None:
            try:
                super().teardown()
            finally:
                shutil.rmtree(self.folder)

    run_state_machine_as_test(
        NightsOnSpark,
        settings=settings(
            max_examples=HISTORIES,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
        ),
    )
