"""What is published equals what DuckDB recomputes from the delivered files: every entity, every feature, every bit.

No tolerance anywhere: counts are integers; money is whole cents, divided once; a mean is a sum of whole quanta, divided
once; shares, ratios and ranks are one division of such values. An engine that sums in another order gets the same.
"""

from datetime import UTC, datetime, timedelta

import pytest
from chispa import assert_df_equality

from definitions.durations import instant_us
from definitions.views import AggregateView, CrossEntityView
from tests.e2e.oracle.recompute import AS_OFS, EDGES, LATE, SNAPSHOTS, differences

# Our tables in the oracle's terms: money as whole cents, instants without a zone.
OUR_LINES = """
    SELECT
        * EXCLUDE (sales_value, retail_disc, coupon_disc, coupon_match_disc, shelf_value, superseded_at, event_date)
          REPLACE (timezone('UTC', transaction_timestamp) AS transaction_timestamp,
                   timezone('UTC', event_time) AS event_time, timezone('UTC', available_time) AS available_time),
        CAST(sales_value * 100 AS BIGINT) AS sales_cents,
        CAST(retail_disc * 100 AS BIGINT) AS retail_disc_cents,
        CAST(coupon_disc * 100 AS BIGINT) AS coupon_disc_cents,
        CAST(coupon_match_disc * 100 AS BIGINT) AS coupon_match_disc_cents,
        CAST(shelf_value * 100 AS BIGINT) AS shelf_cents
    FROM our_lines
"""
OUR_REDEMPTIONS = """
    SELECT * EXCLUDE (superseded_at, event_date)
             REPLACE (timezone('UTC', event_time) AS event_time, timezone('UTC', available_time) AS available_time)
    FROM our_redemptions
"""
CLOCKS = ["event_time", "known_at", "available_time", "superseded_at", "event_date"]


def test_the_oracle_has_every_view_that_is_shipped(groceries) -> None:
    shipped = [d for d in groceries.workspace.registry.definitions if isinstance(d, AggregateView | CrossEntityView)]
    assert sorted(SNAPSHOTS) == sorted(view.name for view in shipped)


def test_the_as_ofs_stand_on_the_edges_of_windows(oracle) -> None:
    """At T itself and at T − w there are facts, so that each edge has something to get wrong (S20)."""

    def facts(table: str, as_of: str, days: int) -> int:
        edge = f"TIMESTAMP '{as_of.rstrip('Z')}' - INTERVAL {days} DAYS"
        (count,) = oracle.ask(f"SELECT count(*) AS n FROM {table} WHERE event_time = {edge}")["n"]
        return int(count)

    assert all(facts("lines", EDGES[0], days) for days in (0, 7, 90))
    assert all(facts("lines", EDGES[1], days) for days in (0, 1, 30))
    assert all(facts("redeemed", EDGES[2], days) for days in (0, 30))


@pytest.mark.parametrize("as_of", AS_OFS)
@pytest.mark.parametrize("view", SNAPSHOTS)
def test_every_feature_of_every_entity_equals_the_recomputation(groceries, oracle, view: str, as_of: str) -> None:
    definition = groceries.workspace.definition(view)
    (key,) = definition.entity.key_names
    features = [feature.name for feature in definition.published]
    expected = oracle.answer(view, as_of)
    found = groceries.snapshot(view, as_of)
    assert sorted(expected.column_names) == sorted([key, *features])
    assert differences(found.select([key, *features]), expected, key) == []


@pytest.mark.parametrize("view", SNAPSHOTS)
def test_rows_carry_the_instant_the_cut_and_the_publication(groceries, view: str) -> None:
    """T as event time; known, and published, after the four hours that baskets and redemptions take to land (S11)."""
    rows = groceries.table(view).to_pyarrow_table().select(CLOCKS)
    found = {tuple(row.values()) for row in rows.group_by(CLOCKS).aggregate([]).to_pylist()}
    instants = [datetime.fromtimestamp(instant_us(as_of) / 1e6, UTC) for as_of in AS_OFS]
    landed = [at + timedelta(hours=4) for at in instants]
    assert found == {(at, known, known, None, at.date()) for at, known in zip(instants, landed, strict=True)}


def test_every_column_of_every_basket_line_equals_the_recomputation(groceries, oracle) -> None:
    """One row per basket line before the last T, with its product, its promotion of that week, and New York's clock."""
    ours = groceries.table("basket_lines").to_pyarrow_table()
    theirs = f"SELECT *, event_time AS transaction_timestamp FROM lines WHERE event_time < TIMESTAMP '{LATE[1]}'"
    identity = ("household_id", "basket_id", "product_id", "store_id")
    assert oracle.disagreements(OUR_LINES, theirs, on=identity, our_lines=ours) == {}
    assert ours.num_rows == oracle.ask(f"SELECT count(*) AS n FROM ({theirs})")["n"][0]
    assert ours["superseded_at"].null_count == ours.num_rows


def test_every_column_of_every_redemption_equals_the_recomputation(groceries, oracle) -> None:
    """One row per coupon handed in before the last T, at the end of its day, with its campaign."""
    ours = groceries.table("redemptions").to_pyarrow_table()
    theirs = f"SELECT * FROM redeemed WHERE event_time < TIMESTAMP '{LATE[1]}'"
    identity = ("household_id", "coupon_upc", "campaign_id", "redemption_date")
    assert oracle.disagreements(OUR_REDEMPTIONS, theirs, on=identity, our_redemptions=ours) == {}
    assert ours.num_rows == oracle.ask(f"SELECT count(*) AS n FROM ({theirs})")["n"][0]


def test_promotions_that_disagree_about_a_product_and_week_count_as_exposure_if_any_does(groceries, oracle) -> None:
    """12,785 times two rows name one product, store and week; 695 basket lines look one of those up."""
    twice = oracle.ask("""
        WITH twice AS (
            SELECT product_id, store_id, week, count(*) AS n FROM promotions GROUP BY ALL HAVING count(*) > 1
        )
        SELECT (SELECT count(*) FROM twice) AS keys, (SELECT sum(n)::BIGINT FROM twice) AS promotions,
            count(*) AS lines, count(*) FILTER (is_exposed) AS exposed
        FROM lines SEMI JOIN twice USING (product_id, store_id, week)
    """)
    assert twice == {"keys": [12_785], "promotions": [25_570], "lines": [695], "exposed": [695]}


def test_spark_and_another_delta_implementation_read_the_same_rows(spark, groceries) -> None:
    theirs = groceries.snapshot("household_spend", LATE[1]).drop_columns(["event_date"])
    ours = groceries.workspace.view("household_spend", as_of=LATE[1])
    assert theirs.num_rows > 2_000
    assert_df_equality(
        ours.select(theirs.column_names), spark.createDataFrame(theirs), ignore_row_order=True, ignore_nullable=True
    )
