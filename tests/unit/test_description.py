"""A definition is described once, as plain data, for the catalogue, the docs and the report of a run."""

from definitions.description import FactClocks, SnapshotClocks, describe
from definitions.durations import duration_us
from features.aggregate.household_spend import household_spend
from features.cross_entity.household_vs_cohort import household_vs_cohort
from features.cross_entity.product_in_category import product_in_category
from features.derived.basket_lines import basket_lines
from features.raw.demographics import demographics
from features.raw.promotions import promotions
from features.raw.transactions import transactions
from ziggurat.cli import catalogue

HOUR_US = duration_us("1h")


def test_a_source_has_its_columns_its_clocks_and_what_identifies_a_fact() -> None:
    described = describe(transactions)
    assert (described.key, described.entity, described.upstream) == ("raw/transactions/v1", None, ())
    assert [column.name for column in described.columns] == [column.name for column in transactions.columns]
    assert [c.name for c in described.columns if c.is_required] == [c.name for c in transactions.columns if c.required]
    assert isinstance(described.clocks, FactClocks)
    assert described.clocks.period == ""
    assert str(described.clocks.available) == "event + 4 h (landing delay), or the load that brought it late"


def test_a_coarse_clock_says_its_period_and_zone() -> None:
    clocks = describe(promotions).clocks
    assert isinstance(clocks, FactClocks)
    assert clocks.period == ", a whole week in America/New_York, known at its start"


def test_a_source_without_time_is_static_and_has_no_clocks() -> None:
    described = describe(demographics)
    assert described.is_static
    assert described.clocks is None
    assert described.row.words(quote="`") == "`household_id`"


def test_a_derived_view_has_the_looked_up_columns_and_then_its_expressions() -> None:
    described = describe(basket_lines)
    assert described.row.words() == "row of transactions"
    assert described.clocks is None
    assert described.upstream == ("raw/transactions/v1", "raw/products/v1", "raw/promotions/v1")
    looked_up = [column for column in described.columns if column.doc == "looked up"]
    assert [column.name for column in looked_up] == list(basket_lines.looked_up)
    assert not any(column.formula for column in looked_up)
    assert all(column.is_expression and column.formula for column in described.columns[len(looked_up) :])


def test_an_aggregate_says_operation_filter_and_window() -> None:
    described = describe(household_spend)
    formulas = {column.name: column.formula for column in described.columns}
    assert formulas["line_count_7d"] == "count(*) over 7d"
    assert formulas["paid_unit_price_mean_90d"] == "mean(unit_price) where quantity > 0 over 90d"
    assert formulas["spend_trend"] == "try_divide(sales_value_sum_7d, sales_value_sum_30d)"
    assert described.clocks == SnapshotClocks(
        cut_delay_us=4 * HOUR_US, publish_delay_us=household_spend.publish_delay_us, freshness="daily"
    )
    assert described.row.words(quote="`", join=" × ") == "`household_id` and as-of"
    assert described.entity == "household"


def test_a_comparison_says_what_it_compares() -> None:
    formulas = {column.name: column.formula for column in describe(household_vs_cohort).columns}
    assert formulas["sales_value_sum_30d_percentile_rank"] == "percentile_rank of sales_value_sum_30d"
    assert formulas["cohort_members"] == "how many others are in the group"
    category = {column.name: column.formula for column in describe(product_in_category).columns}
    assert category["category_members"] == "how many entities are in the group"


def test_the_catalogue_prints_formula_then_documentation() -> None:
    text = catalogue.view_description(household_spend)
    assert "aggregate/household_spend/v1, owned by crm" in text
    assert "events before T, known at T + 4 h; available from T + " in text
    assert "= try_divide(sales_value_sum_7d, sales_value_sum_30d)" in text
