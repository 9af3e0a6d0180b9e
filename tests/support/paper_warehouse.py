"""A warehouse whose raw tables are Delta, and whose views are kept in memory: what a plan leaves out is found at once.

Steps are planned by the product, without Spark. Instead of a builder the oracle computes the whole of a view, and only
the slices of the plan are replaced by it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import write_deltalake

from definitions.clocks import LandingDelay
from definitions.durations import instant_us, to_datetime
from definitions.registry import Registry, key_of
from definitions.sources import Source
from definitions.versions import fingerprints
from definitions.views import AggregateView, Definition, DerivedView
from jobs.build.kinds import plan_step
from jobs.build.looks import looked_at_us, record_looks
from jobs.build.plan import Action, PlannedStep, PlanState, UpstreamEnd
from jobs.build.stale import stale_as_ofs
from jobs.build.statistics.delta import DeltaStatistics
from jobs.run.published import PublishedState
from jobs.run.request import Request
from lakehouse.commit_notes import CommitNote, SliceNote
from lakehouse.files.location import Location
from lakehouse.ledger.records import PUBLISHED, UNCHANGED, SliceRecord, slice_row
from lakehouse.ledger.reduction import reduced_state
from lakehouse.reader import DeltaReader
from lakehouse.table_state import RawState, TableState
from lakehouse.tables import Warehouse
from temporal.instants import partition_of
from tests.support import night_oracle as oracle
from tests.support.night_oracle import Fact

_STAMP = pa.timestamp("us", tz="UTC")
_TYPES = {"bigint": pa.int64(), "string": pa.string(), "timestamp": pa.int64()}
Content = Any


@dataclass
class PaperWarehouse:
    """`content`: by table and slice. `commits`: by table the notes of all commits, which outlive the ledger."""

    root: Path
    registry: Registry
    delivered: dict[str, list[oracle.Row]] = field(default_factory=lambda: defaultdict(list))
    deliveries: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    raw: dict[str, list[Fact]] = field(default_factory=lambda: defaultdict(list))
    looks: dict[str, int] = field(default_factory=dict)
    content: dict[str, dict[str, Content]] = field(default_factory=lambda: defaultdict(dict))
    commits: dict[str, list[CommitNote]] = field(default_factory=lambda: defaultdict(list))
    ledger: list[dict[str, Any]] = field(default_factory=list)
    runs: int = 0

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(str(self.root / "warehouse"))

    def deliver(self, source: str, rows: Sequence[oracle.Row]) -> None:
        self.delivered[source] += rows
        self.deliveries[source] += 1

    def lose_ledger(self) -> None:
        """What recovery writes into the new one: a record of every slice that a commit names, all at one instant."""
        self.runs += 1
        pieces = [
            piece
            for table, notes in self.commits.items()
            for version, note in enumerate(notes)
            for piece in SliceRecord.from_note(table, version, note)
        ]
        self.ledger = [slice_row("lost", self._now, piece) for piece in pieces]

    def state(self) -> PlanState:
        published = PublishedState(
            reduced_state(self.ledger, lambda table: len(self.commits[table]) - 1 if self.commits[table] else None)
        )
        names = [d.name for d in self.registry.definitions if isinstance(d, Source)]
        return PlanState(
            registry=self.registry,
            locations={name: Location(name, "delta") for name in names},
            published=published,
            statistics=DeltaStatistics(DeltaReader(), self.warehouse, published),
            version_of=lambda path: self.deliveries[path],
            data_may_lag="3650d",
        )

    def build(self, at: int, *as_ofs_us: int, select: str = "") -> list[PlannedStep]:
        """As a build does: one step after the other, each planned when what it reads has ended."""
        self.runs += 1
        state, steps = self.state(), []
        request = Request(command="build", as_ofs_us=as_ofs_us, select=tuple(select.split()))
        for definition in state.registry.select(request.select):
            ends = {key_of(up): UpstreamEnd() for up in definition.upstream}
            step = plan_step(state, definition, request, ends)
            assert step.error is None, step.error
            steps.append(step)
            records = self._executed(state, definition, step, at)
            state.published.add(records)
            self.ledger += [slice_row(str(self.runs), self._now, record) for record in records]
        return steps

    def stale(self, *as_ofs_us: int) -> list[int]:
        request = Request(command="build", as_ofs_us=as_ofs_us)
        return stale_as_ofs(self.state(), self.registry.definitions, request)

    @property
    def _now(self) -> datetime:
        return datetime(2030, 1, 1, 0, 0, self.runs % 60, self.runs // 60, tzinfo=UTC)

    def _executed(self, state: PlanState, definition: Definition, step: PlannedStep, at: int) -> list[SliceRecord]:
        if step.action is Action.NOTHING:
            record_looks(self.warehouse, [definition], to_datetime(at))
            if isinstance(definition, Source):
                self.looks[definition.name] = at
            return []
        if isinstance(definition, Source):
            return self._ingested(state, definition, step, at)
        if isinstance(definition, DerivedView):
            assert step.state.built_to_us is not None
            assert step.state.known_to_us is not None
            new = self.derived(definition, as_of=step.state.built_to_us, cut=step.state.known_to_us)
        else:
            assert isinstance(definition, AggregateView)
            new = {name: self.snapshot(definition, instant_us(name)) for name in step.slices}
        return self._published(step, {name: new.get(name, []) for name in step.slices})

    def _published(self, step: PlannedStep, new: Mapping[str, Content]) -> list[SliceRecord]:
        held, columns = self.content[step.table], step.state.columns
        changed = {name for name, rows in new.items() if held.get(name, (columns, [])) != (columns, rows)}
        if not self.commits[step.table]:
            changed = set(new)
        held.update({name: (columns, rows) for name, rows in new.items() if name in changed})
        if changed:
            slices = {name: SliceNote(len(new[name]), "") for name in sorted(changed)}
            self.commits[step.table].append(
                CommitNote(str(self.runs), step.table, "", slices=slices, extra=step.state.to_json())
            )
        version = len(self.commits[step.table]) - 1
        return [
            SliceRecord(
                step.table, name, PUBLISHED if name in changed else UNCHANGED, len(rows),
                table_version=version, state=step.state,
            )
            for name, rows in new.items()
        ]  # fmt: skip

    def derived(self, view: DerivedView, *, as_of: int, cut: int) -> dict[str, list[Any]]:
        """By partition, the whole view in a fixed order."""
        rows: dict[str, list[Any]] = defaultdict(list)
        for fact in oracle.derived(self.raw, view, as_of=as_of, cut=cut):
            described = (sorted(fact.columns.items()), fact.event, fact.known, fact.until)
            rows[partition_of(fact.event, view.partition_by)].append(described)
        return {name: sorted(part, key=repr) for name, part in rows.items()}

    def snapshot(self, view: AggregateView, as_of_us: int) -> list[Any]:
        return sorted((rider, sorted(row.items())) for rider, row in oracle.snapshot(self.raw, view, as_of_us).items())

    def _ingested(self, state: PlanState, source: Source, step: PlannedStep, at: int) -> list[SliceRecord]:
        table, before = key_of(source), state.published.newest(key_of(source)).raw
        held = self.raw[source.name]
        looked = looked_at_us(self.warehouse, source, loaded_at_us=before.loaded_at_us) if before else None
        if isinstance(source.available, LandingDelay):
            assert looked == self.looks.get(source.name), "a look was lost"
        added = oracle.loaded(held, self.delivered[source.name], source, at=at, looked=looked)
        self.looks[source.name] = at
        held += added
        identities = [tuple(fact.columns[name] for name in source.identity) for fact in held]
        raw = RawState(
            loaded_at_us=at if added or before is None else before.loaded_at_us,
            has_versions=bool(source.identity) and len(set(identities)) < len(identities),
            newest_event_us=max((fact.event for fact in held), default=None),
        )
        about = TableState(columns=fingerprints(source), raw=raw)
        (delivery,) = step.slices
        if not added and before is not None:
            record_looks(self.warehouse, [source], to_datetime(at))
            version = len(self.commits[table]) - 1
            return [SliceRecord(table, delivery, UNCHANGED, 0, table_version=version, state=about)]
        self._append(source, added)
        slices = {delivery: SliceNote(len(added), "")}
        self.commits[table].append(CommitNote(str(self.runs), table, "", slices=slices, extra=about.to_json()))
        version = len(self.commits[table]) - 1
        return [SliceRecord(table, delivery, PUBLISHED, len(added), table_version=version, state=about)]

    def _append(self, source: Source, added: Sequence[Fact]) -> None:
        """The clocks, and the columns of the identity: a plan reads nothing else of raw."""
        clocks = {
            "event_time": [fact.event for fact in added],
            "available_time": [fact.known for fact in added],
            "loaded_at": [fact.loaded for fact in added],
        }
        columns = {name: pa.array(values, pa.int64()).cast(_STAMP) for name, values in clocks.items()}
        columns |= {n: pa.array([f.columns[n] for f in added], _TYPES[source.type_of(n)]) for n in source.identity}
        dates = pa.array(
            [to_datetime(instant_us(partition_of(fact.event, source.partition_by))).date() for fact in added],
            pa.date32(),
        )
        path = self.warehouse.address(key_of(source)).path
        write_deltalake(path, pa.table({**columns, "event_date": dates}), mode="append", partition_by=["event_date"])
