"""What a plan leaves out is what need not be built: after any history every table equals a rebuild (S28, S29).

The plans are the product's; the oracle builds what they name. `tests/e2e/test_nights_drawn.py` plays the same histories
on Spark, `tests/e2e/test_nights.py` has small ones.
"""

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.night_histories import BEGIN, HOUR, PROJECTS, Build
from tests.support.night_machine import Nights
from tests.support.paper_warehouse import PaperWarehouse

# Of the last day before the as-of that was built last.
LATE = ((1, "R1", BEGIN + 60 * HOUR, 5, 1, None, BEGIN + 61 * HOUR),)
HISTORIES = int(os.environ.get("HISTORIES", "40"))


class NightsOnPaper(Nights):
    def ground_of_a_history(self) -> PaperWarehouse:
        self.folder = Path(tempfile.mkdtemp())
        return PaperWarehouse(self.folder, PROJECTS[0])

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            shutil.rmtree(self.folder)


def test_every_table_equals_a_rebuild_after_each_build() -> None:
    run_state_machine_as_test(
        NightsOnPaper,
        settings=settings(
            max_examples=HISTORIES, stateful_step_count=24, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def test_an_as_of_without_new_rows_before_it_moves_the_end_of_derived_views() -> None:
    nights = NightsOnPaper()
    nights.night(Build(1, (0,)))
    nights.night(Build(24, (0,)))
    nights.rides(LATE)
    nights.night(Build(1, (2,)))
    nights.teardown()
