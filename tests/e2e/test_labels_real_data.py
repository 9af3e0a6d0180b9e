"""The shipped labels on the real year: equal to DuckDB's own recomputation, every row; derived once (S27, S28)."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from deltalake import DeltaTable

from definitions.durations import instant_us
from definitions.errors import LabelTimeError, NotReleased, UsageError
from definitions.labels import Every, Label
from definitions.registry import load
from jobs.run.context import Context
from jobs.spines.labels import LabelOutcome, derive_labels
from lakehouse.commit_notes import CommitNote
from lakehouse.leases.leases import LeaseDesk
from lakehouse.ledger.ledger import Ledger
from lakehouse.storage_errors import LeaseHeld
from lakehouse.tables import Warehouse, history
from tests.e2e.oracle.recompute import HERE
from tests.support.drawn import frame
from ziggurat.model import Column, Entity, EventTime, Kind, LandingDelay, Source

LABELS = {"churn_30d": ("household_id",), "coupon_14d": ("household_id", "campaign_id")}
TIMED = "* REPLACE (timezone('UTC', event_time) AS event_time)"


@pytest.fixture(scope="module")
def derived(groceries) -> Mapping[str, LabelOutcome]:
    context = groceries.workspace.context
    return {name: derive_labels(context, context.registry.label(name)) for name in LABELS}


def spine(outcome: LabelOutcome):
    """As the other Delta implementation reads it."""
    return DeltaTable(outcome.path, version=outcome.version).to_pyarrow_table()


def recomputed(name: str) -> str:
    return (HERE / f"{name}.sql").read_text("utf-8")


def test_every_shipped_label_has_its_recomputation(groceries) -> None:
    assert sorted(label.name for label in groceries.workspace.registry.labels) == sorted(LABELS)


@pytest.mark.parametrize("name", LABELS)
def test_every_row_of_a_spine_equals_the_recomputation(derived, oracle, name: str) -> None:
    ours = spine(derived[name])
    named = [*ours.column_names[:-2], "event_time", ours.column_names[-1]]
    theirs = f"SELECT * RENAME (label_time AS event_time) FROM ({recomputed(name)})"
    found = oracle.disagreements(
        f"SELECT {TIMED} FROM our_spine", theirs, on=(*LABELS[name], "event_time"), our_spine=ours.rename_columns(named)
    )
    assert found == {}
    assert oracle.ask(f"SELECT count(*) AS n FROM ({theirs})") == {"n": [ours.num_rows]}


@pytest.mark.parametrize(("name", "column"), [("churn_30d", "has_churned"), ("coupon_14d", "has_redeemed")])
def test_an_outcome_counts_what_the_recomputation_counts(derived, oracle, name: str, column: str) -> None:
    outcome = derived[name]
    counted = oracle.ask(f"""
        SELECT
            count(*) AS rows,
            count(*) FILTER ({column}) AS positives,
            count(*) FILTER ({column} IS NULL) AS unknown,
            count(DISTINCT label_time) AS label_times,
            epoch_us(min(label_time)) AS first_us,
            epoch_us(max(label_time)) AS last_us
        FROM ({recomputed(name)})
    """)
    assert {key: getattr(outcome, key) for key in counted} == {key: value for key, (value,) in counted.items()}
    assert 0 < outcome.unknown < outcome.rows
    assert 0 < outcome.positives < outcome.rows - outcome.unknown


def test_members_that_were_not_seen_before_their_campaign_are_counted(derived, oracle) -> None:
    members = oracle.ask("SELECT count(*) AS n FROM (SELECT DISTINCT household_id, campaign_id FROM campaigns)")["n"][0]
    assert derived["coupon_14d"].not_seen == members - derived["coupon_14d"].rows > 0
    assert derived["churn_30d"].not_seen == 0


def test_fourteen_days_are_no_fortnight_when_the_clocks_go_back(derived, oracle) -> None:
    """Campaign 18 began on 30 October: its fourteenth local day ends an hour after 14 × 24 hours, so it is outside."""
    only_then = oracle.ask(
        """
        SELECT count(*) AS households, count(*) FILTER (has_redeemed) AS positives
        FROM our_spine
        WHERE campaign_id = 18 AND household_id IN (
            SELECT household_id FROM coupon_redemptions WHERE campaign_id = 18
            GROUP BY household_id HAVING min(CAST(redemption_date AS DATE)) = DATE '2017-11-12'
        )
        """,
        our_spine=spine(derived["coupon_14d"]),
    )
    assert only_then["households"][0] > 0
    assert only_then["positives"] == [0]


@pytest.mark.parametrize("name", LABELS)
def test_deriving_again_changes_no_table_and_says_so(groceries, derived, name: str) -> None:
    context = groceries.workspace.context
    before = groceries.versions()
    again = derive_labels(context, context.registry.label(name))
    assert again == replace(derived[name], is_unchanged=True, seconds=again.seconds)
    assert groceries.versions() == before


@pytest.mark.parametrize("name", LABELS)
def test_a_spine_names_the_release_it_was_read_from(groceries, derived, spark, name: str) -> None:
    outcome = derived[name]
    release = Ledger.open(spark, groceries.workspace.context.warehouse).latest_release()
    note = CommitNote.from_json(history(spark, outcome.path, limit=1)[0].user_metadata)
    assert outcome.release == release.release_id
    assert outcome.inputs == note.inputs == {table: release.views[table]["version"] for table in note.inputs}
    assert {"raw/transactions/v1"} <= set(note.inputs)
    assert note.rows == outcome.rows == spine(outcome).num_rows
    assert not list((groceries.warehouse / "staging").glob(f"*/{name}"))


def test_limits_are_inclusive_and_a_label_of_another_meaning_replaces_its_spine_whole(groceries) -> None:
    context = groceries.workspace.context
    mine = replace(context.registry.label("coupon_14d"), name="coupon_of_tests")
    from_campaign_1, to_campaign_3 = instant_us("2017-03-03T05:00:00Z"), instant_us("2017-03-13T04:00:00Z")
    few = derive_labels(context, mine, start_us=from_campaign_1, end_us=to_campaign_3)
    assert (few.label_times, few.first_us, few.last_us) == (3, from_campaign_1, to_campaign_3)
    fewer = derive_labels(context, mine, start_us=from_campaign_1 + 1, end_us=to_campaign_3 - 1)
    assert (fewer.label_times, fewer.version) == (1, few.version + 1)
    assert set(spine(fewer)["campaign_id"].to_pylist()) == {2}
    # The same content under another name is another meaning; the same rows alone would not tell.
    renamed = replace(mine, column="has_handed_in")
    told = derive_labels(context, renamed, start_us=from_campaign_1 + 1, end_us=to_campaign_3 - 1)
    assert (told.is_unchanged, told.version) == (False, fewer.version + 1)
    assert spine(told).column_names == ["household_id", "campaign_id", "label_time", "has_handed_in"]
    assert spine(told)["has_handed_in"].to_pylist() == spine(fewer)["has_redeemed"].to_pylist()


def test_what_can_t_be_derived_leaves_the_spine_as_it_is(groceries, derived) -> None:
    context = groceries.workspace.context
    label = context.registry.label("churn_30d")
    before = groceries.versions()
    with pytest.raises(UsageError, match="2017-05-01 lies before the first 2017-06-01; swap the two"):
        derive_labels(context, label, start_us=instant_us("2017-06-01"), end_us=instant_us("2017-05-01"))
    with pytest.raises(LabelTimeError, match="no label time from 2018-03-01 to the last has an entity"):
        derive_labels(context, label, start_us=instant_us("2018-03-01"))
    with (
        LeaseDesk.at(context.warehouse.leases, run_id="another").acquire("spines/churn_30d"),
        pytest.raises(LeaseHeld, match="Run another writes spines/churn_30d"),
    ):
        derive_labels(context, label)
    assert groceries.versions() == before


def test_a_warehouse_without_its_sources_names_the_build_that_brings_them(groceries, tmp_warehouse: Path) -> None:
    context = groceries.workspace.context
    empty = replace(context, warehouse=Warehouse(str(tmp_warehouse)))
    wanted = r"reads raw/transactions/v1, .* Build first: ziggurat build --as-of … --select transactions"
    with pytest.raises(NotReleased, match=wanted):
        derive_labels(empty, context.registry.label("churn_30d"))
    Ledger.open(context.spark, empty.warehouse).release("by-hand", {"raw/transactions/v1": 0}, as_of=[])
    with pytest.raises(NotReleased, match=r"reads raw/coupon_redemptions/v1, raw/campaign_descriptions/v1, raw/camp"):
        derive_labels(empty, context.registry.label("coupon_14d"))
    assert not (tmp_warehouse / "spines").exists()


def test_a_spine_tells_what_is_known_in_the_versions_that_are_released(spark, tmp_warehouse: Path) -> None:
    """A correction counts when its load is released, also where no ledger says that there are any.

    A load that changes no row of the spine makes no new version of it.
    """
    visits = Source(
        name="visits",
        kind=Kind.EVENTS,
        version=1,
        owner="tests",
        columns=(Column("rider", "bigint"), Column("visit", "bigint"), Column("at", "timestamp")),
        identity=("visit",),
        event_time=EventTime("at"),
        available=LandingDelay("1d"),
    )
    returns = Label(
        "returns",
        entities=(Entity("rider", keys=(("rider", "bigint"),)),),
        source=visits,
        column="has_returned",
        horizon="7d",
        at=Every(first="2017-01-11", step="1000d"),
        owner="tests",
    )
    context = Context(spark=spark, warehouse=Warehouse(str(tmp_warehouse)), registry=load())
    ledger = Ledger.open(spark, context.warehouse)

    def loaded(text: str) -> None:
        raw = frame(spark, text).selectExpr("*", "event_time as at", "available_time as loaded_at")
        raw.write.format("delta").mode("append").save(f"{tmp_warehouse}/raw/visits/v1")

    loaded("""
        rider:bigint  visit:bigint  event_time  available_time
        1             1             1d          2d
        1             2             11d         12d
        2             3             1d          2d
        3             4             60d         61d
    """)
    ledger.release("first", {"raw/visits/v1": 0}, as_of=[])
    assert told(derive_labels(context, returns)) == {1: True, 2: False}
    loaded("""
        rider:bigint  visit:bigint  event_time  available_time
        3             5             59d         60d
    """)
    ledger.release("second", {"raw/visits/v1": 1}, as_of=[])
    more = derive_labels(context, returns)
    assert (more.is_unchanged, more.version, more.inputs) == (True, 0, {"raw/visits/v1": 1})
    loaded("""
        rider:bigint  visit:bigint  event_time  available_time
        2             2             11d         70d
    """)
    assert derive_labels(context, returns).is_unchanged
    ledger.release("third", {"raw/visits/v1": 2}, as_of=[])
    corrected = derive_labels(context, returns)
    assert (corrected.is_unchanged, corrected.version, corrected.inputs) == (False, 1, {"raw/visits/v1": 2})
    assert told(corrected) == {1: False, 2: True}


def told(outcome: LabelOutcome) -> Mapping[int, bool]:
    rows = spine(outcome)
    return dict(zip(rows["rider"].to_pylist(), rows["has_returned"].to_pylist(), strict=True))
