"""Drawn histories, built night by night on Spark: every table equals the oracle's, row for row, after each build.

`make histories` plays hundreds of them. `tests/properties/test_nights_planned.py` plays more, without Spark.
"""

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings

from definitions.durations import instant_text, to_us
from definitions.registry import key_of
from definitions.sources import Source
from definitions.views import AggregateView, DerivedView
from jobs.build.staleness import cut_delay_us
from tests.support import night_oracle as oracle
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
from tests.support.nights import NightProject

HISTORIES = int(os.environ.get("SPARK_HISTORIES", "2"))


@settings(
    max_examples=HISTORIES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(histories(least=3, most=5))
def test_every_table_equals_a_rebuild_after_each_build(spark, history: Sequence[Step]) -> None:
    folder = Path(tempfile.mkdtemp())
    played = Played(spark, NightProject(folder / "nights", PROJECTS[0]))
    try:
        for step in history:
            played.play(step)
        played.end()
    finally:
        shutil.rmtree(folder)


class Played:
    """A history as it is played: its clock, its as-ofs, and what raw must hold by the oracle."""

    def __init__(self, spark: Any, project: NightProject) -> None:
        self.spark, self.project, self.now, self.changes = spark, project, FIRST_NIGHT, 0
        self.as_ofs: set[int] = set()
        self.newest_of: dict[str, int] = {}
        self.delivered: dict[str, list[oracle.Row]] = {name: [] for name in ANCHOR}
        self.raw: dict[str, list[oracle.Fact]] = {name: [] for name in ANCHOR}
        self.looks: dict[str, int] = {}
        for source, rows in ANCHOR.items():
            self.deliver(source, rows)

    def deliver(self, source: str, rows: Sequence[oracle.Row]) -> None:
        self.delivered[source] += rows
        columns = next(d for d in self.project.registry.definitions if d.name == source).columns  # type: ignore[union-attr]
        is_time = [column.type == "timestamp" for column in columns]
        texts = [[_text(v) if t else v for v, t in zip(row, is_time, strict=True)] for row in rows]
        self.project.deliver(source, *texts)

    def play(self, step: Step) -> None:
        match step:
            case Deliver():
                self.deliver(step.source, step.rows)
            case Correct():
                self.deliver("rides", [step.of(self.delivered["rides"], self.newest)])
            case Build():
                self.now += step.hours * HOUR
                self.build(*sorted(self.newest - days * DAY for days in step.days_back), select=step.select)
            case LoseLedger():
                if Path(self.project.warehouse.runs.path).exists():
                    self.project.lose_ledger()
            case _:
                self.changes = min(self.changes + 1, len(PROJECTS) - 1)
                self.project.registry = PROJECTS[self.changes]

    @property
    def newest(self) -> int:
        """The newest as-of whose cut is over, for every view."""
        return (self.now - 20 * HOUR) // DAY * DAY

    def build(self, *as_ofs: int, select: str = "") -> None:
        selected = self.project.registry.select(select.split())
        self.project.build(self.spark, _text(self.now), *map(_text, as_ofs), select=select)
        self.as_ofs |= set(as_ofs)
        for definition in selected:
            if isinstance(definition, Source):
                self.raw_holds_what_was_delivered(definition)
        for definition in selected:
            if isinstance(definition, DerivedView):
                self.newest_of[definition.name] = max(*as_ofs, self.newest_of.get(definition.name, 0))
                self.derived_table_equals_a_rebuild(definition, self.newest_of[definition.name])
            elif isinstance(definition, AggregateView):
                for as_of in as_ofs:
                    self.as_of_equals_a_rebuild(definition, as_of)

    def end(self) -> None:
        """All as-ofs once more; then nothing is left to do."""
        self.now += HOUR
        self.build(*sorted(self.as_ofs or {BEGIN - 2 * DAY}))
        before = self.project.versions()
        self.now += HOUR
        outcome = self.project.build(self.spark, _text(self.now), *map(_text, sorted(self.as_ofs)))
        assert outcome.is_unchanged
        assert self.project.versions() == before

    def raw_holds_what_was_delivered(self, source: Source) -> None:
        """S5 and S7, stamps and all."""
        held = self.raw[source.name]
        held += oracle.loaded(
            held, self.delivered[source.name], source, at=self.now, looked=self.looks.get(source.name)
        )
        self.looks[source.name] = self.now
        names = [column.name for column in source.columns]
        expected = [(*(fact.columns[n] for n in names), fact.event, fact.known, fact.loaded) for fact in held]
        stored = [*names, "event_time", "available_time", "loaded_at"]
        found = [tuple(_value(row[n]) for n in stored) for row in self.project.rows(key_of(source))]
        assert sorted(found, key=repr) == sorted(expected, key=repr), source.name

    def derived_table_equals_a_rebuild(self, view: DerivedView, as_of: int) -> None:
        """Up to the newest as-of that was ever asked for, known at the longest cut above it."""
        cut = as_of + cut_delay_us(self.project.registry, view)
        facts = oracle.derived(self.raw, view, as_of=as_of, cut=cut)
        names = [name for name in view.schema if name not in ("event_time", "available_time")]
        expected = [(*(f.columns[n] for n in names), f.event, f.known, f.until) for f in facts]
        stored = [*names, "event_time", "available_time", "superseded_at"]
        found = [tuple(_value(row[n]) for n in stored) for row in self.project.rows(key_of(view))]
        assert sorted(found, key=repr) == sorted(expected, key=repr), view.name

    def as_of_equals_a_rebuild(self, view: AggregateView, as_of: int) -> None:
        names = [feature.name for feature in view.published]
        rows = self.project.snapshot(view.name, _text(as_of))
        found = {rider: {name: row[name] for name in names} for rider, row in rows.items()}
        assert found == oracle.snapshot(self.raw, view, as_of), (view.name, _text(as_of))


def _text(us: int) -> str:
    return instant_text(us)


def _value(cell: Any) -> Any:
    """Instants as µs."""
    return to_us(cell) if hasattr(cell, "tzinfo") else cell
