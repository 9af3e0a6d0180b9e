"""Nights in any order: deliveries, corrections, lost ledgers, new definitions, writes of others, killed runs, builds.

After each build every table that it may have written equals a rebuild, row for row (S29), as the oracle computes it;
the same build again changes nothing (S28). Where the project lies, subclasses say: on paper, or on Spark.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from definitions.registry import Registry, key_of
from definitions.sources import Source
from definitions.views import AggregateView, DerivedView
from jobs.build.staleness import cut_delay_us
from tests.support import night_histories as drawn
from tests.support import night_oracle as oracle
from tests.support.night_histories import ANCHOR, BEGIN, DAY, FIRST_NIGHT, HOUR, PROJECTS, Build, Correction, Row


class Ground(Protocol):
    """A project that is delivered to, built and read. raw: the facts that its tables of sources must hold."""

    registry: Registry
    delivered: dict[str, list[Row]]
    raw: dict[str, list[oracle.Fact]]

    def deliver(self, source: str, rows: Sequence[Row]) -> None: ...
    def withdraw(self, source: str, rows: Sequence[Row]) -> None: ...
    def build(self, at: int, *as_ofs_us: int, select: str = "") -> object: ...
    def kill_build(self, at: int, *as_ofs_us: int, commits: int) -> None: ...
    def lose_ledger(self) -> None: ...
    def others_write(self, source: str, *, removed: Sequence[oracle.Fact], added: Sequence[oracle.Fact]) -> None: ...
    def others_write_to_view(self, view: DerivedView | AggregateView) -> None: ...
    def raw_is_as_delivered(self, source: Source) -> None: ...
    def built_to(self, view: DerivedView) -> int: ...
    def derived_rows(self, view: DerivedView) -> list[Any]: ...
    def snapshot_rows(self, view: AggregateView, as_of_us: int) -> dict[str, Any]: ...
    def versions(self) -> Mapping[str, int]: ...
    def older_as_ofs_that_are_stale(self, *as_ofs_us: int) -> list[int] | None: ...


class Nights(RuleBasedStateMachine):
    """A history as it is played: its clock, its as-ofs, how many changes its definitions have had."""

    def ground_of_a_history(self) -> Ground:
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.ground = self.ground_of_a_history()
        self.now, self.changes, self.is_sound = FIRST_NIGHT, 0, True
        self.as_ofs: set[int] = set()
        self.newest_of: dict[str, int] = {}
        self.repeatable: tuple[tuple[int, ...], str] | None = None
        for source, rows in ANCHOR.items():
            self.ground.deliver(source, rows)

    @property
    def newest(self) -> int:
        """The newest as-of whose cut is over, for every view."""
        return (self.now - 20 * HOUR) // DAY * DAY

    def deliver(self, source: str, rows: Sequence[Row]) -> None:
        self.ground.deliver(source, rows)
        self.repeatable = None

    @rule(rows=drawn.few_rides)
    def rides(self, rows: Sequence[Row]) -> None:
        self.deliver("rides", rows)

    @rule(rows=drawn.few_single_rides)
    def rides_of_one_version(self, rows: Sequence[Row]) -> None:
        self.deliver("rides", rows)

    @rule(correction=drawn.corrections)
    def correction(self, correction: Correction) -> None:
        self.deliver("rides", [correction.of(self.ground.delivered["rides"], self.newest)])

    @rule(rows=drawn.few_status)
    def status(self, rows: Sequence[Row]) -> None:
        self.deliver("status", rows)

    @rule(rows=drawn.few_single_status)
    def status_of_one_version(self, rows: Sequence[Row]) -> None:
        self.deliver("status", rows)

    @rule(rows=drawn.few_taps)
    def taps(self, rows: Sequence[Row]) -> None:
        self.deliver("taps", rows)

    @rule(source=st.sampled_from(["rides", "status", "taps"]))
    def delivery_without_news(self, source: str) -> None:
        """An empty file, or one that repeats what was delivered, where a repeated row is no fact of its own."""
        repeated = self.ground.delivered[source][-1:] if source != "taps" else []
        self.deliver(source, [row for row in repeated if self.now % 2 == 0])

    @precondition(lambda self: self.changes < len(PROJECTS) - 1)
    @rule()
    def definitions_change(self) -> None:
        self.changes += 1
        self.ground.registry = PROJECTS[self.changes]
        self.repeatable = None

    @rule()
    def ledger_is_lost(self) -> None:
        self.ground.lose_ledger()

    @rule(
        removal=st.sampled_from([("rides", True), ("rides", False), ("status", True), ("taps", True), ("taps", False)]),
        which=st.integers(0, 5),
    )  # fmt: skip
    def others_remove_from_raw(self, removal: tuple[str, bool], which: int) -> None:
        """All rows of one fact; without an identity all there are. For good, where its source no longer has them."""
        source, is_withdrawn = removal
        held = [fact for fact in self.ground.raw[source] if self._row(source, fact) not in ANCHOR[source]]
        gone = [f for f in held if self._identity(source, f) == self._identity(source, held[which % len(held)])]
        if is_withdrawn:
            self.ground.withdraw(source, [self._row(source, fact) for fact in gone])
        if gone:
            self.ground.others_write(source, removed=gone, added=[])
        self.repeatable = None

    @rule(added=st.one_of(*(st.tuples(st.just(name), rows) for name, rows in drawn.ROWS.items())))
    def others_add_to_raw(self, added: tuple[str, Row]) -> None:
        source, row = added
        is_there = key_of(self._source(source)) in self.ground.versions()
        if is_there and row not in [self._row(source, fact) for fact in self.ground.raw[source]]:
            self.ground.others_write(source, removed=[], added=[self._fact(source, row)])
        self.repeatable = None

    @precondition(lambda self: self.newest_of)
    @rule(name=st.sampled_from(["trips", "trips", "legs", "plain", "activity"]))
    def others_write_to_a_view(self, name: str) -> None:
        view = next((d for d in self.ground.registry.definitions if d.name == name), None)
        if isinstance(view, DerivedView | AggregateView) and name in self.newest_of:
            self.ground.others_write_to_view(view)
            del self.newest_of[name]
            self.repeatable = None

    @rule(build=drawn.builds)
    def night(self, build: Build) -> None:
        self.now += build.hours * HOUR
        self.build(*build.as_ofs(self.newest), select=build.select)

    @rule(half_days=st.integers(1, 4), step=st.sampled_from([1, 2]))
    def backfill(self, half_days: int, step: int) -> None:
        self.now += HOUR
        self.build(*Build(0, tuple(range(0, half_days + 1, step))).as_ofs(self.newest))

    @precondition(lambda self: self.repeatable is not None)
    @rule()
    def same_build_again(self) -> None:
        assert self.repeatable is not None
        self.now += HOUR
        before = self.ground.versions()
        as_ofs, select = self.repeatable
        self.build(*as_ofs, select=select)
        assert self.ground.versions() == before

    @rule(build=drawn.builds, commits=st.integers(0, 6))
    def build_is_killed(self, build: Build, commits: int) -> None:
        self.now += build.hours * HOUR
        self.ground.kill_build(self.now, *build.as_ofs(self.newest), commits=commits)
        self.as_ofs |= set(build.as_ofs(self.newest))
        self.repeatable = None

    def build(self, *as_ofs: int, select: str = "") -> None:
        self.is_sound = False
        self.ground.build(self.now, *as_ofs, select=select)
        self.as_ofs |= set(as_ofs)
        for definition in self.ground.registry.select(select.split()):
            if isinstance(definition, Source):
                self.ground.raw_is_as_delivered(definition)
            elif isinstance(definition, DerivedView):
                self.newest_of[definition.name] = max(*as_ofs, self.newest_of.get(definition.name, 0))
                self.derived_table_equals_a_rebuild(definition)
            elif isinstance(definition, AggregateView):
                self.newest_of[definition.name] = max(*as_ofs, self.newest_of.get(definition.name, 0))
                for as_of in as_ofs:
                    self.as_of_equals_a_rebuild(definition, as_of)
        self.stale_as_ofs_are_named(as_ofs)
        self.repeatable, self.is_sound = (as_ofs, select), True

    def teardown(self) -> None:
        """All as-ofs once more; then nothing is left to do."""
        if self.is_sound:
            self.now += HOUR
            self.build(*sorted(self.as_ofs or {BEGIN}))
            self.same_build_again()
            assert self.ground.older_as_ofs_that_are_stale() in ([], None)

    def derived_table_equals_a_rebuild(self, view: DerivedView) -> None:
        """Up to the newest as-of that was ever built, known at the longest cut above it."""
        as_of = max(self.newest_of[view.name], self.ground.built_to(view))
        cut = as_of + cut_delay_us(self.ground.registry, view)
        expected = [described(fact) for fact in oracle.derived(self.ground.raw, view, as_of=as_of, cut=cut)]
        assert self.ground.derived_rows(view) == sorted(expected, key=repr), view.name

    def as_of_equals_a_rebuild(self, view: AggregateView, as_of: int) -> None:
        assert self.ground.snapshot_rows(view, as_of) == oracle.snapshot(self.ground.raw, view, as_of), (
            view.name,
            as_of,
        )

    def stale_as_ofs_are_named(self, as_ofs: Sequence[int]) -> None:
        named = self.ground.older_as_ofs_that_are_stale(*as_ofs)
        if named is None:
            return
        for view in self.ground.registry.definitions:
            for as_of in self.as_ofs - {*as_ofs, *named} if isinstance(view, AggregateView) else ():
                rows = self.ground.snapshot_rows(view, as_of)
                rebuilt = oracle.snapshot(self.ground.raw, view, as_of)
                is_wider = any(rows[rider].keys() != rebuilt[rider].keys() for rider in rows.keys() & rebuilt.keys())
                assert not rows or is_wider or rows == rebuilt, (view.name, as_of)

    def _row(self, source: str, fact: oracle.Fact) -> Row:
        return tuple(fact.columns[column.name] for column in self._source(source).columns)

    def _identity(self, source: str, fact: oracle.Fact) -> Row:
        return tuple(fact.columns[name] for name in self._source(source).identity)

    def _fact(self, source: str, row: Row) -> oracle.Fact:
        """As if an early load had brought it: a later one would be another look at the source."""
        at = min((fact.loaded for fact in self.ground.raw[source]), default=FIRST_NIGHT)
        (fact,) = oracle.loaded([], [row], self._source(source), at=at, looked=None)
        return fact

    def _source(self, name: str) -> Source:
        (found,) = [d for d in self.ground.registry.definitions if d.name == name and isinstance(d, Source)]
        return found


def described(fact: oracle.Fact) -> tuple[Any, ...]:
    """A row of a derived view as both grounds give it."""
    return sorted(fact.columns.items()), fact.event, fact.known, fact.until
