"""What a household spends, over windows that end just before the as-of instant."""

from features.derived.basket_lines import basket_lines
from features.entities import household
from ziggurat.model import DAILY, LIFETIME, AggregateView, count, count_distinct, expression, mean, sum_of

household_spend = AggregateView(
    "household_spend",
    entity=household,
    source=basket_lines,
    version=1,
    owner="crm",
    windows=("7d", "30d", "90d", LIFETIME),
    freshness=DAILY,
    features=(
        sum_of("sales_value", unit="USD", quantum="0.01", at_least=0),
        sum_of("sales_value", windows=("1d",), unit="USD", quantum="0.01", at_least=0),
        count(named="line", unit="lines", at_least=0),
        sum_of("quantity", unit="items", at_least=0),
        count_distinct("basket_id", unit="baskets", windows=("30d", "90d"), at_least=0),
        mean(
            "unit_price",
            named="paid_unit_price",
            where="quantity > 0",
            unit="USD",
            quantum="0.0001",
            at_least=0,
        ),
        expression(
            "spend_per_basket_30d",
            "try_divide(sales_value_sum_30d, basket_id_count_distinct_30d)",
            unit="USD",
            at_least=0,
        ),
        expression(
            "spend_trend",
            "try_divide(sales_value_sum_7d, sales_value_sum_30d)",
            quantum="0.000001",
            at_least=0,
            at_most=1,
        ),
    ),
)
