"""Nothing is lost on the way in: every delivered row is a fact, in quarantine, or was delivered again (S31)."""

from dataclasses import dataclass

import pyarrow.parquet as pq
import pytest

from definitions.registry import key_of
from jobs.run.outcome import Status
from tests.e2e.oracle.recompute import LATE

MONEY = ("sales_value", "retail_disc", "coupon_disc", "coupon_match_disc")


@dataclass(frozen=True)
class Delivery:
    """Rows delivered and kept; the rest was delivered again. `columns` as DuckDB reads them from the files."""

    rows: int
    kept: int
    columns: str

    @property
    def again(self) -> int:
        return self.rows - self.kept


DELIVERIES = {
    "transactions": Delivery(1_469_307, 1_469_307, "household_id, store_id, basket_id, product_id, quantity, week"),
    "promotions": Delivery(20_940_529, 20_940_529, "product_id, store_id, display_location, mailer_location, week"),
    "products": Delivery(
        92_331,
        92_331,
        "product_id, manufacturer_id, department, brand, product_category, product_type, package_size",
    ),
    "demographics": Delivery(
        801,
        801,
        "household_id, age, income, home_ownership, marital_status, household_size, household_comp, kids_count",
    ),
    "campaigns": Delivery(6_589, 6_589, "campaign_id, household_id"),
    "campaign_descriptions": Delivery(
        27, 27, "campaign_id, campaign_type, CAST(start_date AS DATE), CAST(end_date AS DATE)"
    ),
    "coupons": Delivery(116_204, 111_332, "coupon_upc, product_id, campaign_id"),
    "coupon_redemptions": Delivery(
        2_102, 2_102, "household_id, coupon_upc, campaign_id, CAST(redemption_date AS DATE)"
    ),
}


@pytest.mark.parametrize("source", DELIVERIES)
def test_rows_in_are_rows_kept_quarantined_and_delivered_again(groceries, source: str) -> None:
    key = key_of(groceries.workspace.definition(source))
    first = {step.table: step for step in groceries.runs[0].steps}[key]
    delivered = DELIVERIES[source]
    assert pq.ParquetFile(groceries.sources / f"{source}.parquet").metadata.num_rows == delivered.rows
    assert (first.rows_in, first.rows_out, first.detail["again"]) == (delivered.rows, delivered.kept, delivered.again)
    assert dict(first.quarantined) == {}
    assert groceries.table(source).to_pyarrow_dataset().count_rows() == delivered.kept


@pytest.mark.parametrize("source", DELIVERIES)
def test_raw_holds_what_was_delivered(groceries, oracle, source: str) -> None:
    """The same rows as in the files, told by the sum of their hashes; rows delivered again count once."""
    columns = DELIVERIES[source].columns
    ours = columns.replace("CAST(", "").replace(" AS DATE)", "")
    told = "SELECT count(*) AS rows_held, CAST(sum(hash({})) AS VARCHAR) AS hashes FROM {}"
    once = f"(SELECT DISTINCT * FROM {source})" if DELIVERIES[source].again else source
    found = oracle.ask(told.format(ours, "our_raw"), our_raw=groceries.table(source).to_pyarrow_dataset())
    assert found == oracle.ask(told.format(columns, once))


def test_a_source_that_delivered_nothing_new_is_left_alone(groceries) -> None:
    for run in groceries.runs[1:]:
        raw = [step for step in run.steps if step.table.startswith("raw/")]
        assert len(raw) == len(DELIVERIES)
        assert {step.status for step in raw} == {Status.UNCHANGED}


def test_money_is_exact_to_the_cent(groceries, oracle) -> None:
    """Doubles with representation noise came in, decimals of the nearest cent went out: line by line and in sum."""
    names = groceries.table("transactions").to_pyarrow_dataset().schema
    assert {str(names.field(name).type) for name in MONEY} == {"decimal128(12, 2)"}
    identity = "household_id, basket_id, product_id, store_id"
    near = " AND ".join(f"abs(t.{name} - CAST(o.{name} AS DOUBLE)) < 1e-9" for name in MONEY)
    sums = ", ".join(
        f"CAST(sum(o.{name}) * 100 AS BIGINT) = sum(CAST(round(t.{name} * 100) AS BIGINT)) AS {name}" for name in MONEY
    )
    found = oracle.ask(
        f"SELECT count(*) FILTER ({near}) AS exact, {sums} "
        f"FROM our_lines AS o JOIN transactions AS t USING ({identity})",
        our_lines=groceries.table("transactions").to_pyarrow_dataset(),
    )
    assert found == {"exact": [1_469_307], **{name: [True] for name in MONEY}}


def test_baskets_happen_at_their_instant_and_are_known_four_hours_later(groceries, oracle) -> None:
    found = oracle.ask(
        "SELECT count(*) FILTER (event_time = transaction_timestamp) AS at_the_till, "
        "count(*) FILTER (available_time = event_time + INTERVAL 4 HOURS) AS landed, "
        "min(timezone('UTC', event_time))::VARCHAR AS first, max(timezone('UTC', event_time))::VARCHAR AS last "
        "FROM our_lines",
        our_lines=groceries.table("transactions").to_pyarrow_dataset(),
    )
    assert found == {
        "at_the_till": [1_469_307],
        "landed": [1_469_307],
        "first": ["2017-01-01 11:53:26"],
        "last": ["2018-01-01 04:01:20"],
    }


def test_redemptions_happen_when_their_day_is_over_in_new_york(groceries, oracle) -> None:
    """S6: at 05:00 UTC in winter, 04:00 in summer; the day of November's DST night ends 25 hours after it began."""
    redemptions = groceries.table("coupon_redemptions").to_pyarrow_dataset()
    wrong = oracle.ask(
        "SELECT count(*) AS n FROM our_redemptions WHERE event_time IS DISTINCT FROM "
        "timezone('America/New_York', CAST(redemption_date + 1 AS TIMESTAMP)) "
        "OR available_time IS DISTINCT FROM event_time + INTERVAL 4 HOURS",
        our_redemptions=redemptions,
    )
    assert wrong == {"n": [0]}
    days = oracle.ask(
        "SELECT DISTINCT redemption_date::VARCHAR AS day, timezone('UTC', event_time)::VARCHAR AS over "
        "FROM our_redemptions WHERE redemption_date IN ('2017-03-08', '2017-03-14', '2017-11-04', '2017-11-05')"
    )
    assert dict(zip(days["day"], days["over"], strict=True)) == {
        "2017-03-08": "2017-03-09 05:00:00",
        "2017-03-14": "2017-03-15 04:00:00",
        "2017-11-04": "2017-11-05 04:00:00",
        "2017-11-05": "2017-11-06 05:00:00",
    }


def test_promotions_begin_and_are_known_on_monday_midnight_in_new_york(groceries, oracle) -> None:
    """S6: known at their start. Weeks on both sides of both DST nights."""
    weeks = oracle.ask(
        "SELECT week, count(DISTINCT event_time) AS instants, bool_and(available_time = event_time) AS known, "
        "any_value(timezone('UTC', event_time))::VARCHAR AS begins FROM our_promotions GROUP BY week ORDER BY week",
        our_promotions=groceries.table("promotions").to_pyarrow_dataset(),
    )
    begins = dict(zip(weeks["week"], weeks["begins"], strict=True))
    assert set(weeks["instants"]) == {1}
    assert set(weeks["known"]) == {True}
    assert {week: begins[week] for week in (2, 11, 12, 45, 46)} == {
        2: "2017-01-02 05:00:00",
        11: "2017-03-06 05:00:00",
        12: "2017-03-13 04:00:00",
        45: "2017-10-30 04:00:00",
        46: "2017-11-06 05:00:00",
    }


def test_there_is_one_basket_line_per_transaction_before_the_last_as_of(groceries, oracle) -> None:
    found = oracle.ask(
        "SELECT count(*) AS lines, count(DISTINCT (household_id, basket_id, product_id, store_id)) AS facts, "
        f"(SELECT count(*) FROM transactions WHERE transaction_timestamp < TIMESTAMP '{LATE[1]}') AS delivered "
        "FROM our_lines",
        our_lines=groceries.table("basket_lines").to_pyarrow_dataset(),
    )
    assert found["lines"] == found["facts"] == found["delivered"]
