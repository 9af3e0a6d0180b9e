"""A project of a few rows that is built on Spark, with what its raw tables must hold by the oracle."""

import signal
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from definitions.durations import instant_text, instant_us, to_datetime, to_us
from definitions.registry import Registry, key_of
from definitions.sources import Source
from definitions.views import AggregateView, DerivedView
from jobs.run.published import PublishedState
from temporal.instants import partition_of
from tests.e2e.small.killing import gateway_of
from tests.lakehouse.nightly import joined_spark
from tests.support import night_oracle as oracle
from tests.support.forked import run_forked
from tests.support.night_histories import PROJECTS
from tests.support.night_machine import described
from tests.support.night_oracle import Fact, Row
from tests.support.nights import NightProject


@dataclass
class SparkNights:
    spark: Any
    project: NightProject
    delivered: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    raw: dict[str, list[Fact]] = field(default_factory=lambda: defaultdict(list))
    looks: dict[str, int] = field(default_factory=dict)

    @property
    def registry(self) -> Registry:
        return self.project.registry

    @registry.setter
    def registry(self, changed: Registry) -> None:
        self.project.registry = changed

    def deliver(self, source: str, rows: Sequence[Row]) -> None:
        self.delivered[source] += rows
        is_time = [column.type == "timestamp" for column in self._source(source).columns]
        texts = [[instant_text(v) if t else v for v, t in zip(row, is_time, strict=True)] for row in rows]
        self.project.deliver(source, *texts)

    def withdraw(self, source: str, rows: Sequence[Row]) -> None:
        """The source has these rows no longer: its files are written anew."""
        left = [row for row in self.delivered[source] if row not in rows]
        for file in (self.project.folder / "data" / source).iterdir():
            file.unlink()
        self.delivered[source] = []
        self.deliver(source, left)

    def build(self, at: int, *as_ofs_us: int, select: str = "") -> None:
        self.project.build(self.spark, instant_text(at), *map(instant_text, as_ofs_us), select=select)
        self._looked(at, select)

    def kill_build(self, at: int, *as_ofs_us: int, commits: int) -> None:
        """Its tables are written, and nothing of it is recorded. A build without work ends as it should."""
        words = (self.project.folder, *gateway_of(self.spark), PROJECTS.index(self.registry), at, *as_ofs_us)
        code, output = run_forked(f"{__name__}:run_build", *words, env={"ZIGGURAT_CRASH_AT": "before_ledger"})
        assert code in (0, -signal.SIGKILL), output
        self._looked(at, "")

    def _looked(self, at: int, select: str) -> None:
        """S5 and S7: what a look at the sources adds to raw."""
        for source in self.registry.select(select.split()):
            if isinstance(source, Source):
                held, looked = self.raw[source.name], self.looks.get(source.name)
                held += oracle.loaded(held, self.delivered[source.name], source, at=at, looked=looked)
                self.looks[source.name] = at

    def lose_ledger(self) -> None:
        if Path(self.project.warehouse.runs.path).exists():
            self.project.lose_ledger()

    def others_write(self, source: str, *, removed: Sequence[Fact], added: Sequence[Fact]) -> None:
        """A commit of others: raw without some of its rows, or with some more."""
        declared = self._source(source)
        self.raw[source] = [fact for fact in self.raw[source] if fact not in removed] + list(added)
        table = self._table(declared)
        rows = [_stored(declared, fact) for fact in self.raw[source]]
        schema = pa.schema(table.to_pyarrow_table().schema)
        write_deltalake(table, pa.Table.from_pylist(rows, schema=schema), mode="overwrite")

    def others_write_to_view(self, view: DerivedView | AggregateView) -> None:
        """Others remove all rows, and leave one of a day that has none."""
        table = self._table(view)
        left = table.to_pyarrow_table().slice(0, 0 if view.is_snapshot else 1)
        day = pa.array([datetime(2024, 1, 1, tzinfo=UTC).date()] * len(left), pa.date32())
        at = left.schema.get_field_index("event_date")
        write_deltalake(table, left.set_column(at, left.schema.field(at), day), mode="overwrite")

    def raw_is_as_delivered(self, source: Source) -> None:
        """Stamps and all."""
        names = [column.name for column in source.columns]
        expected = [(*(f.columns[n] for n in names), f.event, f.known, f.loaded) for f in self.raw[source.name]]
        stored = [*names, "event_time", "available_time", "loaded_at"]
        found = [tuple(_value(row[n]) for n in stored) for row in self.project.rows(key_of(source))]
        assert sorted(found, key=repr) == sorted(expected, key=repr), source.name

    def built_to(self, view: DerivedView) -> int:
        return PublishedState(self.project.plan_context.ledger()).newest(key_of(view)).built_to_us or 0

    def derived_rows(self, view: DerivedView) -> list[Any]:
        names = [name for name in view.schema if name not in ("event_time", "available_time")]
        rows = [
            Fact(
                {name: _value(row[name]) for name in names},
                _value(row["event_time"]),
                _value(row["available_time"]),
                until=_value(row["superseded_at"]),
            )
            for row in self.project.rows(key_of(view))
        ]
        return sorted(map(described, rows), key=repr)

    def snapshot_rows(self, view: AggregateView, as_of_us: int) -> dict[str, Any]:
        names = [feature.name for feature in view.published]
        rows = self.project.snapshot(view.name, instant_text(as_of_us))
        return {rider: {name: row[name] for name in names} for rider, row in rows.items()}

    def versions(self) -> dict[str, int]:
        return self.project.versions()

    def older_as_ofs_that_are_stale(self, *as_ofs_us: int) -> None:
        """Not looked at here."""

    def _source(self, name: str) -> Source:
        (found,) = [d for d in self.registry.definitions if d.name == name and isinstance(d, Source)]
        return found

    def _table(self, definition: Source | DerivedView | AggregateView) -> DeltaTable:
        return DeltaTable(f"{self.project.warehouse.root}/{key_of(definition)}")


def run_build(folder: str, port: str, secret: str, project: str, at: str, *as_ofs_us: str) -> None:
    """In a process of its own, on the Spark of the test."""
    spark = joined_spark(port, secret)
    nights = NightProject(Path(folder), PROJECTS[int(project)])
    nights.build(spark, instant_text(int(at)), *(instant_text(int(us)) for us in as_ofs_us))


def _stored(source: Source, fact: Fact) -> dict[str, Any]:
    """A row of raw as its table holds it."""
    clocks = {"event_time": fact.event, "available_time": fact.known, "loaded_at": fact.loaded}
    is_time = {column.name: column.type == "timestamp" for column in source.columns}
    columns = {n: to_datetime(v) if is_time[n] else v for n, v in fact.columns.items()}
    date = to_datetime(instant_us(partition_of(fact.event, source.partition_by))).date()
    return columns | {name: to_datetime(us) for name, us in clocks.items()} | {"event_date": date}


def _value(cell: Any) -> Any:
    """Instants as µs."""
    return to_us(cell) if hasattr(cell, "tzinfo") else cell
