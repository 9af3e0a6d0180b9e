"""What a plan decides, from the ledger and two questions to the rows; no test here starts a JVM."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import get_args

import pytest

from definitions.durations import instant_us
from definitions.errors import SourceMissing
from definitions.registry import Registry, key_of, load
from definitions.sources import Source
from definitions.versions import fingerprints
from definitions.views import AggregateView, Definition, DerivedView
from jobs.build.kinds import KINDS, plan, plan_step, steps_of_nothing
from jobs.build.plan import Action, PlannedStep, PlanState, UpstreamEnd
from jobs.build.stale import stale_notes
from jobs.build.statistics.questions import FactsWanted, Knowledge, LoadedRows
from jobs.build.without_spark import PlanContext, unread_sources
from jobs.run.published import PublishedState
from jobs.run.request import Request
from lakehouse.files.listing import fingerprint
from lakehouse.files.location import Location
from lakehouse.ledger.records import SliceRecord
from lakehouse.ledger.state import LedgerState
from lakehouse.reader import NeedsSpark
from lakehouse.table_state import RawState, TableState, ViewState
from tests.e2e.small.bikes import Bikes

RIDES, RIDERS, TRIPS = "raw/rides/v1", "raw/riders/v1", "derived/trips/v1"
ACTIVITY, VS_PLAN = "aggregate/rider_activity/v1", "cross_entity/rider_vs_plan/v1"
DAYS = [f"2024-05-{day}" for day in range(20, 26)]
FIRST, SECOND, THIRD, *_ = (instant_us(day) for day in DAYS)
HOUR = 3_600_000_000
LOAD, LATER_LOAD = instant_us("2024-06-01"), instant_us("2024-06-02")


@dataclass
class Rows:
    """Rows as given; what was asked of them is kept."""

    loads: tuple[LoadedRows, ...] = ()
    first_event_us: int | None = None
    partition_rows: Mapping[int, int] = field(default_factory=dict)
    held: frozenset[str] = frozenset()
    questions: list[tuple[str, object]] = field(default_factory=list)

    def loaded_since(
        self, source: Source, since_us: int, *, delays_us: Sequence[int], has_versions: bool
    ) -> tuple[LoadedRows, ...]:
        self.questions.append((key_of(source), (since_us, has_versions)))
        return tuple(rows for rows in self.loads if rows.loaded_at_us > since_us)

    def first_new_event(self, source: Source, before: Knowledge, *, cut_us: int) -> int | None:
        self.questions.append((key_of(source), (before, cut_us)))
        return self.first_event_us

    def partitions(self, source: Source, wanted: FactsWanted) -> dict[int, int]:
        self.questions.append((key_of(source), wanted))
        return dict(self.partition_rows)

    def dates(self, table: str) -> set[str]:
        return set(self.held)

    def bytes(self, table: str, dates: Sequence[str] | None = None) -> int | None:
        return None


@pytest.fixture(scope="module")
def bikes(tmp_path_factory: pytest.TempPathFactory) -> Bikes:
    return Bikes.written(tmp_path_factory.mktemp("plans") / "planned bikes")


@pytest.fixture(scope="module")
def registry(bikes: Bikes) -> Iterator[Registry]:
    with bikes.at_home():
        yield load(bikes.package)


@pytest.fixture
def state(bikes: Bikes, registry: Registry) -> PlanState:
    """Nothing is published yet; both sources are delivered."""
    return PlanState(
        registry=registry,
        locations={"rides": Location(str(bikes.spring.parent), "csv"), "riders": Location(str(bikes.riders), "csv")},
        published=PublishedState(LedgerState()),
        statistics=Rows(),
        version_of=lambda path: None,
        data_may_lag="1d",
    )


def request(*as_ofs: str) -> Request:
    return Request(command="build", as_ofs_us=tuple(map(instant_us, as_ofs or DAYS[:1])))


def publish(
    state: PlanState, *as_ofs: str, loaded_at_us: int = LOAD, skip: str = "", has_versions: bool = False
) -> None:
    """All tables as a build of these as-ofs leaves them, but for one. has_versions: of a ride there may be several."""
    newest, loads = instant_us("2024-05-30"), {RIDES: loaded_at_us, RIDERS: LOAD}
    for key, definition in state.registry.by_key.items():
        columns, names = fingerprints(definition), list(as_ofs)
        if isinstance(definition, Source):
            names = [fingerprint(definition.name, state.locations[definition.name], version_of=state.version_of)]
            at = loaded_at_us if key == RIDES else LOAD
            raw = RawState(loaded_at_us=at, newest_event_us=newest, has_versions=has_versions)
            about = TableState(columns=columns, raw=raw)
        elif isinstance(definition, DerivedView):
            built_to = max(map(instant_us, as_ofs))
            names = ["2024-05-01"]
            built = ViewState(loads=loads, built_to_us=built_to, known_to_us=built_to + 4 * HOUR)
            about = TableState(columns=columns, view=built)
        else:
            about = TableState(columns=columns, view=ViewState(loads=loads))
        if key != skip:
            records = [SliceRecord(key, name, "published", 10, table_version=3, state=about) for name in names]
            state.published.add(records)


def deliver_again(state: PlanState, at_us: int = LATER_LOAD) -> None:
    """The ledger after a later load of rides."""
    known = state.published.newest(RIDES)
    assert known.raw is not None
    about = replace(known, raw=replace(known.raw, loaded_at_us=at_us))
    delivery = fingerprint("rides", state.locations["rides"], version_of=state.version_of)
    state.published.add([SliceRecord(RIDES, delivery, "published", 5, table_version=4, state=about)])


def actions(state: PlanState, wanted: Request) -> dict[str, str]:
    return {step.table: str(step.action) for step in plan(state, state.registry.definitions, wanted).steps}


def step_of(state: PlanState, table: str, wanted: Request) -> PlannedStep:
    """Of a table all of whose sources have ended well."""
    definition = state.registry.by_key[table]
    return plan_step(state, definition, wanted, {key_of(up): UpstreamEnd() for up in definition.upstream})


def test_before_the_first_build_sources_are_to_ingest_and_the_rest_waits_for_them(state: PlanState) -> None:
    made = plan(state, state.registry.definitions, request())
    assert [(step.table, str(step.action), step.reason) for step in made.steps] == [
        (RIDERS, "ingest", "nothing was read of it before"),
        (RIDES, "ingest", "nothing was read of it before"),
        (TRIPS, "undecided", f"after {RIDES}, {RIDERS}"),
        (ACTIVITY, "undecided", f"after {TRIPS}"),
        (VS_PLAN, "undecided", f"after {ACTIVITY}, {RIDERS}"),
    ]
    assert made.steps[-1].slices == (DAYS[0],)
    assert made.bytes == sum(step.bytes or 0 for step in made.steps) > 1_000
    assert made.to_json()["steps"][0]["action"] == "ingest"


def test_when_all_is_published_nothing_is_asked_of_the_rows(state: PlanState) -> None:
    publish(state, *DAYS[:2])
    assert set(actions(state, request(DAYS[0])).values()) == {"nothing"}
    assert steps_of_nothing(state, state.registry.definitions, request(DAYS[0])) is not None
    assert state.statistics.questions == []  # type: ignore[attr-defined]


def test_the_next_as_of_derives_the_partitions_with_new_facts_first(state: PlanState) -> None:
    publish(state, DAYS[0])
    rows = Rows(partition_rows={instant_us("2024-05-01"): 7, instant_us("2024-04-01"): 5})
    state = replace(state, statistics=rows)
    trips = step_of(state, TRIPS, request(DAYS[1]))
    assert (trips.action, trips.slices, trips.rows) == (Action.DERIVE, ("2024-04-01", "2024-05-01"), 12)
    assert (trips.reason, trips.inputs) == (f"it is built up to {DAYS[0]}", {RIDES: 3, RIDERS: 3})
    assert (trips.state.built_to_us, trips.state_if_partial and trips.state_if_partial.built_to_us) == (SECOND, FIRST)
    known, cut_us = Knowledge(cut_us=FIRST + 4 * HOUR, loaded_at_us=LOAD), SECOND + 4 * HOUR
    assert rows.questions == [
        (RIDES, (known, cut_us)),  # riders are static: their content can't change
        (RIDES, FactsWanted(as_of_us=SECOND, cut_us=cut_us, before=known, from_us=FIRST)),
    ]
    assert trips.state.known_to_us == cut_us
    made = {step.table: step for step in plan(state, state.registry.definitions, request(*DAYS[:2])).steps}
    assert made[ACTIVITY].action is Action.UNDECIDED
    assert made[ACTIVITY].slices == (DAYS[1],)
    assert step_of(state, ACTIVITY, request(*DAYS[:2])).slices == (DAYS[1],)


def test_new_versions_can_change_every_partition_also_those_that_hold_no_row_any_more(state: PlanState) -> None:
    publish(state, DAYS[0], has_versions=True)
    rows = Rows(partition_rows={instant_us("2024-04-01"): 5}, first_event_us=FIRST)
    trips = step_of(replace(state, statistics=rows), TRIPS, request(DAYS[1]))
    assert (trips.slices, trips.slice_rows[instant_us("2024-05-01")]) == (("2024-04-01", "2024-05-01"), 0)
    assert isinstance(wanted := rows.questions[-1][1], FactsWanted)
    assert wanted.before is None
    rows = Rows(partition_rows={instant_us("2024-05-01"): 5})
    assert step_of(replace(state, statistics=rows), TRIPS, request(DAYS[1])).slices == ("2024-05-01",)
    assert isinstance(wanted := rows.questions[-1][1], FactsWanted)
    assert wanted.before is not None


def test_a_table_whose_cut_is_not_recorded_is_derived_whole(state: PlanState) -> None:
    publish(state, DAYS[0])
    known = state.published.newest(TRIPS)
    assert known.view is not None
    by_earlier_version = replace(known, view=replace(known.view, known_to_us=None))
    state.published.add([SliceRecord(TRIPS, "2024-05-01", "published", 1, table_version=3, state=by_earlier_version)])
    trips = step_of(state, TRIPS, request(DAYS[0]))
    assert (trips.action, trips.slices, trips.reason) == (Action.DERIVE, ("2024-05-01",), "its cut has moved")


def test_between_the_cut_that_a_table_was_derived_at_and_a_longer_one_its_rows_are_new(state: PlanState) -> None:
    publish(state, DAYS[0])
    known = state.published.newest(TRIPS)
    assert known.view is not None
    with_shorter_cut = replace(known, view=replace(known.view, known_to_us=FIRST + HOUR))
    state.published.add([SliceRecord(TRIPS, "2024-05-01", "published", 1, table_version=3, state=with_shorter_cut)])
    rows = Rows(partition_rows={instant_us("2024-05-01"): 7})
    trips = step_of(replace(state, statistics=rows), TRIPS, request(DAYS[0]))
    assert (trips.action, trips.slices, trips.reason) == (Action.DERIVE, ("2024-05-01",), "its cut has moved")
    before = Knowledge(cut_us=FIRST + HOUR, loaded_at_us=LOAD)
    wanted = FactsWanted(as_of_us=FIRST, cut_us=FIRST + 4 * HOUR, before=before, from_us=FIRST)
    assert rows.questions[-1] == (RIDES, wanted)
    # Where the longer cut is gone, rows known after the shorter one leave every partition.
    with_longer_cut = replace(known, view=replace(known.view, known_to_us=FIRST + 20 * HOUR))
    state.published.add([SliceRecord(TRIPS, "2024-05-01", "published", 1, table_version=3, state=with_longer_cut)])
    step_of(replace(state, statistics=rows), TRIPS, request(DAYS[0]))
    assert rows.questions[-1] == (RIDES, replace(wanted, before=None))


def test_a_first_build_before_any_fact_makes_a_table_without_rows(state: PlanState) -> None:
    publish(state, DAYS[0], skip=TRIPS)
    trips = step_of(state, TRIPS, request(DAYS[0]))
    assert (trips.action, trips.slices, trips.rows) == (Action.DERIVE, ("2024-05-01",), 0)


def test_without_new_facts_before_the_as_of_there_is_nothing_to_derive(state: PlanState) -> None:
    publish(state, DAYS[0], skip=ACTIVITY)
    assert step_of(state, TRIPS, request(DAYS[1])).reason == "no new rows before the as-of"
    activity = step_of(state, ACTIVITY, request(DAYS[0]))
    assert (activity.action, activity.reason, activity.rows) == (Action.BUILD, "1 as-of is missing", 10)


def test_one_question_per_source_finds_the_as_ofs_that_grew(state: PlanState) -> None:
    publish(state, *DAYS)
    deliver_again(state)
    first = dict.fromkeys((0, 4 * HOUR), SECOND)
    rows = Rows(loads=(LoadedRows(loaded_at_us=LATER_LOAD, first_as_of_us=first),))
    state = replace(state, statistics=rows)
    activity = step_of(state, ACTIVITY, request(*DAYS))
    assert (activity.slices, activity.reason) == (tuple(DAYS[1:]), "its sources grew since 5 as-ofs were built")
    assert rows.questions == [(RIDES, (LOAD, False))]  # riders are static: their content can't change
    assert step_of(state, VS_PLAN, request(*DAYS)).slices == tuple(DAYS[1:])
    assert step_of(state, ACTIVITY, request(DAYS[0])).action is Action.NOTHING


def test_of_facts_with_versions_the_other_versions_are_asked_for(state: PlanState) -> None:
    publish(state, *DAYS, has_versions=True)
    deliver_again(state)
    rows = Rows()
    assert step_of(replace(state, statistics=rows), ACTIVITY, request(*DAYS)).action is Action.NOTHING
    assert rows.questions == [(RIDES, (LOAD, True))]


def test_an_as_of_built_after_a_load_has_not_grown_by_it(state: PlanState) -> None:
    publish(state, *DAYS[:2])
    deliver_again(state)
    loads = {RIDES: LATER_LOAD, RIDERS: LOAD}
    about = TableState(columns=state.published.newest(ACTIVITY).columns, view=ViewState(loads=loads))
    state.published.add([SliceRecord(ACTIVITY, DAYS[1], "published", 9, table_version=4, state=about)])
    deliver_again(state, LATER_LOAD + HOUR)
    first = dict.fromkeys((0, 4 * HOUR), FIRST)
    rows = Rows(loads=(LoadedRows(loaded_at_us=LATER_LOAD, first_as_of_us=first),))
    assert step_of(replace(state, statistics=rows), ACTIVITY, request(*DAYS[:2])).slices == (DAYS[0],)


def test_all_that_was_built_before_others_wrote_to_raw_is_built_again(state: PlanState) -> None:
    publish(state, *DAYS)
    known = state.published.newest(RIDES)
    assert known.raw is not None
    about = replace(known, raw=replace(known.raw, loaded_at_us=LATER_LOAD, rewritten_at_us=LATER_LOAD))
    delivery = fingerprint("rides", state.locations["rides"], version_of=state.version_of)
    state.published.add([SliceRecord(RIDES, delivery, "unchanged", 0, table_version=4, state=about)])
    rows = Rows(partition_rows={instant_us("2024-06-01"): 7})
    state = replace(state, statistics=rows)
    assert step_of(state, TRIPS, request(DAYS[0])).slices == ("2024-05-01", "2024-06-01")
    assert step_of(state, ACTIVITY, request(*DAYS[:2])).slices == tuple(DAYS[:2])
    assert [question for _, question in rows.questions if not isinstance(question, FactsWanted)] == []


def test_of_a_derived_table_that_others_wrote_to_every_partition_is_replaced(state: PlanState) -> None:
    publish(state, *DAYS, skip=TRIPS)
    rows = Rows(partition_rows={instant_us("2024-06-01"): 7}, held=frozenset({"2024-01-01"}))
    assert step_of(replace(state, statistics=rows), TRIPS, request(DAYS[0])).slices == ("2024-01-01", "2024-06-01")


def test_published_as_ofs_that_late_rows_made_stale_are_named(state: PlanState) -> None:
    publish(state, *DAYS)
    assert stale_notes(state, state.registry.definitions, request(DAYS[5])) == ()
    deliver_again(state)
    rows = Rows(loads=(LoadedRows(loaded_at_us=LATER_LOAD, first_as_of_us=dict.fromkeys((0, 4 * HOUR), SECOND)),))
    state = replace(state, statistics=rows)
    assert stale_notes(state, state.registry.definitions, request(DAYS[5])) == (
        f"4 as-ofs before {DAYS[5]} no longer hold all that is known: "
        f"ziggurat plan --start {DAYS[1]} --end {DAYS[4]} --every 1d",
    )
    assert stale_notes(state, state.registry.definitions, request(*DAYS[:3], DAYS[5])) == (
        f"2 as-ofs before {DAYS[5]} no longer hold all that is known: "
        f"ziggurat plan --start {DAYS[3]} --end {DAYS[4]} --every 1d",
    )
    assert stale_notes(state, state.registry.definitions, request(*DAYS[:5])) == (
        f"1 as-of up to {DAYS[5]} no longer holds all that is known: ziggurat plan --as-of {DAYS[5]}",
    )


def test_what_failed_or_was_refused_blocks_what_reads_it(state: PlanState) -> None:
    nowhere = replace(state, locations={"riders": state.locations["riders"]})
    made = {step.table: step for step in plan(nowhere, state.registry.definitions, request()).steps}
    assert made[RIDES].action is Action.REFUSED
    assert "'rides' has no place in the configuration" in made[RIDES].reason
    assert (made[TRIPS].action, made[TRIPS].reason) == (Action.BLOCKED, f"{RIDES} is refused")
    assert made[VS_PLAN].action is Action.BLOCKED
    publish(state, DAYS[0])
    view = state.registry.by_key[VS_PLAN]
    failed = UpstreamEnd(failure="failed", failed_slices=frozenset([SECOND]), is_partly_usable=True)
    step = plan_step(state, view, request(*DAYS[:3]), {ACTIVITY: failed, RIDERS: UpstreamEnd()})
    assert (step.slices, step.remark) == ((DAYS[2],), f"1 as-ofs blocked: {ACTIVITY} failed there")
    step = plan_step(state, view, request(DAYS[1]), {ACTIVITY: failed, RIDERS: UpstreamEnd()})
    assert (step.action, step.reason) == (Action.BLOCKED, f"{ACTIVITY} failed")


def test_a_missing_source_stops_a_run_only_when_there_is_nothing_else_to_do(state: PlanState) -> None:
    """Whether it comes first (riders) or last: the other source is to ingest."""
    definitions = state.registry.definitions
    gone = Location("/nowhere/at/all.csv", "csv")
    for name in ("riders", "rides"):
        without = replace(state, locations={**state.locations, name: gone})
        assert steps_of_nothing(without, definitions, request()) is None
    publish(state, DAYS[0])
    cases = {"riders": {**state.locations, "riders": gone}, "rides": {"riders": state.locations["riders"]}}
    for name, locations in cases.items():
        with pytest.raises(SourceMissing, match=f"source '{name}'"):
            steps_of_nothing(replace(state, locations=locations), definitions, request())
    nowhere = replace(state, locations={})
    with pytest.raises(SourceMissing, match="source 'riders'"):
        steps_of_nothing(nowhere, definitions, request())


def test_all_locations_are_looked_at_before_anything_starts(bikes: Bikes, registry: Registry) -> None:
    locations = {"rides": Location("/nowhere/rides", "csv")}
    context = PlanContext(warehouse=bikes.warehouse, registry=registry, locations=locations, data_may_lag="1d")
    first, second = map(str, unread_sources(context, request()))
    assert first.startswith("source 'riders' has no place in the configuration.")
    assert second.startswith("source 'rides': nothing lies at /nowhere/rides.")


def test_an_as_of_beyond_the_data_is_refused_unless_it_is_published(state: PlanState) -> None:
    publish(state, DAYS[0], "2024-06-08")
    assert step_of(state, ACTIVITY, request("2024-06-08")).action is Action.NOTHING
    refused = step_of(state, ACTIVITY, request("2024-06-07"))
    assert (refused.action, type(refused.error).__name__) == (Action.REFUSED, "AsOfBeyondData")


def test_where_only_spark_can_count_a_plan_says_so_and_no_build_is_called_idle(state: PlanState) -> None:
    class Elsewhere(Rows):
        def partitions(self, source: Source, wanted: FactsWanted) -> dict[int, int]:
            raise NeedsSpark("a newer protocol")

    publish(state, DAYS[0])
    state = replace(state, statistics=Elsewhere())
    trips = plan(state, state.registry.definitions, request(DAYS[1])).steps[2]
    assert (trips.action, trips.reason) == (Action.UNDECIDED, "Spark has to count its rows (a newer protocol)")
    assert steps_of_nothing(state, state.registry.definitions, request(DAYS[1])) is None


def test_a_new_column_is_built_for_every_as_of_without_a_look_at_the_rows(state: PlanState) -> None:
    publish(state, *DAYS)
    view = state.registry.by_key[ACTIVITY]
    assert isinstance(view, AggregateView)
    known = state.published.newest(ACTIVITY)
    fewer = replace(known, columns={name: mark for name, mark in known.columns.items() if name != "ride_count_7d"})
    state.published.add([SliceRecord(ACTIVITY, DAYS[3], "published", 9, table_version=4, state=fewer)])
    assert step_of(state, ACTIVITY, request(*DAYS)).slices == (DAYS[3],)
    assert state.statistics.questions == []  # type: ignore[attr-defined]


def test_every_kind_of_definition_has_a_planner_and_a_builder() -> None:
    assert set(KINDS) == set(get_args(Definition))
    assert all(callable(kind.build) for kind in KINDS.values())
