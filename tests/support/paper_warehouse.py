"""A warehouse whose raw tables are Delta, and whose views are kept in memory: what a plan leaves out is found at once.

Steps are planned by the product, without Spark. Instead of a builder the oracle computes the whole of a view, and only
the slices of the plan are replaced by it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import write_deltalake

from definitions.clocks import LandingDelay
from definitions.durations import day_or_instant, instant_us, to_datetime
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
from lakehouse.commit_log import Commit
from lakehouse.commit_notes import CommitNote, SliceNote
from lakehouse.files.location import Location
from lakehouse.ledger.records import PUBLISHED, UNCHANGED, SliceRecord, slice_row
from lakehouse.ledger.recovery import RecoveryResult, records_of, recovered_rows
from lakehouse.ledger.reduction import reduced_state
from lakehouse.reader import DeltaReader
from lakehouse.table_state import RawState, TableState
from lakehouse.tables import Warehouse
from temporal.instants import partition_of
from tests.support import night_oracle as oracle
from tests.support.night_oracle import Fact

_STAMP = pa.timestamp("us", tz="UTC")
_TYPES = {"bigint": pa.int64(), "string": pa.string(), "timestamp": pa.int64()}
_EPOCH = datetime(2030, 1, 1, tzinfo=UTC)
Content = Any


class Killed(Exception):
    """A build that ends after some of its commits, and records none of them."""


@dataclass
class PaperWarehouse:
    """`content`: by table and slice. `commits`: by table its history, which outlives the ledger."""

    root: Path
    registry: Registry
    delivered: dict[str, list[oracle.Row]] = field(default_factory=lambda: defaultdict(list))
    deliveries: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    raw: dict[str, list[Fact]] = field(default_factory=lambda: defaultdict(list))
    looks: dict[str, int] = field(default_factory=dict)
    content: dict[str, dict[str, Content]] = field(default_factory=lambda: defaultdict(dict))
    commits: dict[str, list[Commit]] = field(default_factory=lambda: defaultdict(list))
    ledger: list[dict[str, Any]] = field(default_factory=list)
    runs: int = 0
    commits_left: int = 10**6  # after so many the build is killed

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(str(self.root / "warehouse"))

    def deliver(self, source: str, rows: Sequence[oracle.Row]) -> None:
        self.delivered[source] += rows
        self.deliveries[source] += 1

    def withdraw(self, source: str, rows: Sequence[oracle.Row]) -> None:
        """The source has these rows no longer."""
        self.delivered[source] = [row for row in self.delivered[source] if row not in rows]
        self.deliveries[source] += 1

    def lose_ledger(self) -> None:
        self.ledger = []

    def others_write(self, source: str, *, removed: Sequence[Fact], added: Sequence[Fact]) -> None:
        """A commit of others: the rows of raw without some of them, or with some more."""
        declared = self._source(source)
        self.raw[source] = [fact for fact in self.raw[source] if fact not in removed] + list(added)
        self._write(declared, self.raw[source], mode="overwrite")
        self._commit(key_of(declared), None)

    def others_write_to_view(self, view: DerivedView | AggregateView) -> None:
        """Others remove all rows, and leave some of a day that has none."""
        self.content[key_of(view)] = {"2024-01-01": (None, ["a row of others"])} if not view.is_snapshot else {}
        self._commit(key_of(view), None)

    def state(self) -> PlanState:
        published = PublishedState(
            reduced_state(self.ledger, lambda table: len(self.commits[table]) - 1 if self.commits[table] else None)
        )
        names = [d.name for d in self.registry.definitions if isinstance(d, Source)]
        return PlanState(
            registry=self.registry,
            locations={name: Location(name, "delta") for name in names},
            published=published,
            statistics=PaperStatistics(self, published),
            version_of=lambda path: self.deliveries[path],
            data_may_lag="3650d",
        )

    def build(self, at: int, *as_ofs_us: int, select: str = "") -> list[PlannedStep]:
        """As a build does: one step after the other, each planned when what it reads has ended."""
        self._recover()
        self.runs += 1
        state, steps, records = self.state(), [], []
        request = Request(command="build", as_ofs_us=as_ofs_us, select=tuple(select.split()))
        for definition in state.registry.select(request.select):
            ends = {key_of(up): UpstreamEnd() for up in definition.upstream}
            step = plan_step(state, definition, request, ends)
            assert step.error is None, step.error
            steps.append(step)
            ended = self._executed(state, definition, step, at)
            state.published.add(ended)
            records += ended
        self.ledger += [slice_row(str(self.runs), self._now, record) for record in records]
        return steps

    def kill_build(self, at: int, *as_ofs_us: int, commits: int) -> None:
        self.commits_left = commits
        try:
            self.build(at, *as_ofs_us)
        except Killed:
            pass
        finally:
            self.commits_left = 10**6

    def older_as_ofs_that_are_stale(self, *as_ofs_us: int) -> list[int]:
        self._recover()
        request = Request(command="build", as_ofs_us=as_ofs_us)
        return stale_as_ofs(self.state(), self.registry.definitions, request)

    def versions(self) -> dict[str, int]:
        return {table: len(commits) for table, commits in self.commits.items() if commits}

    def raw_is_as_delivered(self, source: Source) -> None:
        """It is, by how this class ingests."""

    def built_to(self, view: DerivedView) -> int:
        return self.state().published.newest(key_of(view)).built_to_us or 0

    def derived_rows(self, view: DerivedView) -> list[Any]:
        return sorted((row for _, rows in self.content[key_of(view)].values() for row in rows), key=repr)

    def snapshot_rows(self, view: AggregateView, as_of_us: int) -> dict[str, Any]:
        _, rows = self.content[key_of(view)].get(day_or_instant(as_of_us), (None, {}))
        return dict(rows)

    @property
    def _now(self) -> datetime:
        return _EPOCH + timedelta(seconds=self.runs)

    def _recover(self) -> None:
        """What commits say and the ledger does not, all at one instant, into the ledger."""
        self.runs += 1
        known = reduced_state(self.ledger, lambda table: len(self.commits[table]) - 1).known_versions
        slices, others = [], []
        for table, commits in self.commits.items():
            later = [commit for commit in commits if commit.version > known.get(table, -1)]
            ours, foreign = records_of(self.warehouse.address(table), later, frozenset())
            slices += ours
            others += foreign
        result = RecoveryResult(slices=tuple(slices), others=tuple(others))
        self.ledger += [row for row in recovered_rows(result, {}, self._now) if row["record"] != "ended"]

    def _commit(self, table: str, note: CommitNote | None) -> int:
        """One more version. note: None for one of others."""
        version = len(self.commits[table])
        text = note.to_json() if note else None
        self.commits[table].append(Commit(version, self._now, "WRITE", text, None))
        return version

    def _may_commit(self) -> None:
        if not self.commits_left:
            raise Killed
        self.commits_left -= 1

    def _source(self, name: str) -> Source:
        (found,) = [d for d in self.registry.definitions if d.name == name and isinstance(d, Source)]
        return found

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
            new = {name: oracle.snapshot(self.raw, definition, instant_us(name)) for name in step.slices}
        is_recorded = state.published.newest(step.table).is_known
        nothing: Content = {} if definition.is_snapshot else []
        return self._published(step, {name: new.get(name, nothing) for name in step.slices}, is_recorded=is_recorded)

    def _published(self, step: PlannedStep, new: Mapping[str, Content], *, is_recorded: bool) -> list[SliceRecord]:
        held, columns = self.content[step.table], step.state.columns
        changed = {name for name, rows in new.items() if (columns, rows) != held.get(name, (None, None))}
        empty = {name for name in changed if not new[name] and not held.get(name, (None, None))[1]}
        changed = changed - empty if is_recorded else set(new)
        if changed:
            self._may_commit()
            slices = {name: SliceNote(len(new[name]), "") for name in sorted(changed)}
            self._commit(
                step.table, CommitNote(str(self.runs), step.table, "", slices=slices, extra=step.state.to_json())
            )
            held.update({name: (columns, rows) for name, rows in new.items() if name in changed})
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

    def _ingested(self, state: PlanState, source: Source, step: PlannedStep, at: int) -> list[SliceRecord]:
        table, held = key_of(source), self.raw[source.name]
        recorded = state.published.newest(table).raw
        before = recorded or (self._from_rows(source) if self.commits[table] else None)
        looked = looked_at_us(self.warehouse, source, loaded_at_us=before.loaded_at_us) if before else None
        if isinstance(source.available, LandingDelay):
            assert looked == self.looks.get(source.name), "a look was lost"
        added = oracle.loaded(held, self.delivered[source.name], source, at=at, looked=looked)
        if added or before is None:
            self._may_commit()
        self.looks[source.name] = at
        held += added
        now = self._from_rows(source)
        raw = RawState(
            loaded_at_us=at if added or not recorded else recorded.loaded_at_us,
            has_versions=now.has_versions or bool(recorded and recorded.has_versions),
            newest_event_us=now.newest_event_us,
            rewritten_at_us=recorded.rewritten_at_us if recorded else at,
        )
        about = TableState(columns=fingerprints(source), raw=raw)
        (delivery,) = step.slices
        if not added and before is not None:
            record_looks(self.warehouse, [source], to_datetime(at))
            version = len(self.commits[table]) - 1
            return [SliceRecord(table, delivery, UNCHANGED, 0, table_version=version, state=about)]
        self._write(source, added, mode="append")
        record_looks(self.warehouse, [source], to_datetime(at))
        slices = {delivery: SliceNote(len(added), "")}
        version = self._commit(table, CommitNote(str(self.runs), table, "", slices=slices, extra=about.to_json()))
        return [SliceRecord(table, delivery, PUBLISHED, len(added), table_version=version, state=about)]

    def _from_rows(self, source: Source) -> RawState:
        held = self.raw[source.name]
        identities = [tuple(fact.columns[name] for name in source.identity) for fact in held]
        return RawState(
            loaded_at_us=max((fact.loaded for fact in held), default=0),
            has_versions=bool(source.identity) and len(set(identities)) < len(identities),
            newest_event_us=max((fact.event for fact in held), default=None),
        )

    def _write(self, source: Source, facts: Sequence[Fact], *, mode: Any) -> None:
        """The clocks, and the columns of the identity: a plan reads nothing else of raw."""
        clocks = {
            "event_time": [fact.event for fact in facts],
            "available_time": [fact.known for fact in facts],
            "loaded_at": [fact.loaded for fact in facts],
        }
        columns = {name: pa.array(values, pa.int64()).cast(_STAMP) for name, values in clocks.items()}
        columns |= {n: pa.array([f.columns[n] for f in facts], _TYPES[source.type_of(n)]) for n in source.identity}
        dates = pa.array(
            [to_datetime(instant_us(partition_of(fact.event, source.partition_by))).date() for fact in facts],
            pa.date32(),
        )
        path = self.warehouse.address(key_of(source)).path
        write_deltalake(path, pa.table({**columns, "event_date": dates}), mode=mode, partition_by=["event_date"])


class PaperStatistics(DeltaStatistics):
    """Of raw tables, which are Delta, and the days of views, which are on paper."""

    def __init__(self, paper: PaperWarehouse, published: PublishedState) -> None:
        super().__init__(DeltaReader(), paper.warehouse, published)
        self._paper = paper

    def dates(self, table: str) -> set[str]:
        return set(self._paper.content[table])
