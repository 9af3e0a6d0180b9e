"""What a plan leaves out is what need not be built: after any history every table equals a rebuild (S28, S29).

The plans are the product's; the oracle builds what they name. `tests/e2e/test_nights.py` has builds on Spark.
"""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings

from definitions.durations import instant_us
from definitions.registry import key_of
from definitions.views import AggregateView, DerivedView
from jobs.build.plan import Action
from jobs.build.staleness import cut_delay_us
from tests.support.night_histories import (
    ANCHOR,
    BEGIN,
    DAY,
    FIRST_NIGHT,
    HOUR,
    PROJECTS,
    Build,
    Correct,
    Deliver,
    LoseLedger,
    Step,
    histories,
)
from tests.support.paper_warehouse import PaperWarehouse

# Of the last day before the as-of that was built last.
LATE = ((1, "R1", BEGIN + 60 * HOUR, 5, 1, None, BEGIN + 61 * HOUR),)
HISTORIES = int(os.environ.get("HISTORIES", "40"))


@settings(max_examples=HISTORIES, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories(least=2, most=8))
@example([Build(1, (0,)), Build(24, (0,)), Deliver("rides", LATE), Build(1, (1,))])  # the second as-of had no new rows
def test_every_table_equals_a_rebuild_after_each_build(history: Sequence[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        played = Played(PaperWarehouse(Path(folder), PROJECTS[0]))
        for step in history:
            played.play(step)
        played.end()


class Played:
    """A history as it is played: its clock, its as-ofs."""

    def __init__(self, paper: PaperWarehouse) -> None:
        self.paper, self.now, self.project = paper, FIRST_NIGHT, 0
        self.as_ofs: set[int] = set()
        self.newest_of: dict[str, int] = {}
        for source, rows in ANCHOR.items():
            paper.deliver(source, rows)

    def play(self, step: Step) -> None:
        match step:
            case Deliver():
                self.paper.deliver(step.source, step.rows)
            case Correct():
                self.paper.deliver("rides", [step.of(self.paper.delivered["rides"], self.newest)])
            case Build():
                self.now += step.hours * HOUR
                self.build(*sorted(self.newest - days * DAY for days in step.days_back), select=step.select)
            case LoseLedger():
                self.paper.lose_ledger()
            case _:
                self.project = min(self.project + 1, len(PROJECTS) - 1)
                self.paper.registry = PROJECTS[self.project]

    @property
    def newest(self) -> int:
        """The newest as-of whose cut is over, for every view."""
        return (self.now - 20 * HOUR) // DAY * DAY

    def build(self, *as_ofs: int, select: str = "") -> None:
        self.paper.build(self.now, *as_ofs, select=select)
        self.as_ofs |= set(as_ofs)
        for view in self.paper.registry.select(select.split()):
            if isinstance(view, DerivedView):
                self.newest_of[view.name] = max(*as_ofs, self.newest_of.get(view.name, 0))
                self.derived_table_equals_a_rebuild(view, self.newest_of[view.name])
            if isinstance(view, AggregateView):
                self.as_ofs_equal_a_rebuild(view, as_ofs)
        self.stale_as_ofs_are_named(as_ofs)

    def end(self) -> None:
        """All as-ofs once more; then nothing is left to do."""
        self.now += HOUR
        self.build(*(self.as_ofs or {BEGIN}))
        commits = {table: len(notes) for table, notes in self.paper.commits.items()}
        steps = self.paper.build(self.now + HOUR, *self.as_ofs)
        assert {step.action for step in steps} == {Action.NOTHING}, [step for step in steps if step.is_work]
        assert {table: len(notes) for table, notes in self.paper.commits.items()} == commits
        assert self.paper.stale() == []

    def derived_table_equals_a_rebuild(self, view: DerivedView, as_of: int) -> None:
        """Up to the newest as-of that was ever asked for, known at the longest cut above it."""
        delay = cut_delay_us(self.paper.registry, view)
        held = {name: rows for name, (_, rows) in self.paper.content[key_of(view)].items() if rows}
        assert held == self.paper.derived(view, as_of=as_of, cut=as_of + delay), view.name

    def as_ofs_equal_a_rebuild(self, view: AggregateView, as_ofs: Sequence[int]) -> None:
        for name, (_, rows) in self.paper.content[key_of(view)].items():
            if instant_us(name) in as_ofs:
                assert rows == self.paper.snapshot(view, instant_us(name)), (view.name, name)

    def stale_as_ofs_are_named(self, as_ofs: Sequence[int]) -> None:
        named = set(self.paper.stale(*as_ofs))
        for view in self.paper.registry.definitions:
            if isinstance(view, AggregateView):
                for name, (_, rows) in self.paper.content[key_of(view)].items():
                    is_stale = rows != self.paper.snapshot(view, instant_us(name))
                    is_wider = len(rows) and len(rows[0][1]) != len(view.published)
                    assert not is_stale or is_wider or instant_us(name) in {*named, *as_ofs}, (view.name, name)
