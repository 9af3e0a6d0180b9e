"""How a product sells; lines with quantity 0 count as lines."""

from features.derived.basket_lines import basket_lines
from features.entities import product
from ziggurat.model import LIFETIME, AggregateView, count, count_distinct, expression, mean, sum_of

product_sales = AggregateView(
    "product_sales",
    entity=product,
    source=basket_lines,
    version=1,
    owner="merchandising",
    windows=("7d", "30d", "90d", LIFETIME),
    features=(
        sum_of("quantity", unit="items", at_least=0),
        sum_of("sales_value", unit="USD", quantum="0.01", at_least=0),
        count(named="line", unit="lines", at_least=0),
        count_distinct("household_id", unit="households", windows=("30d", "90d"), at_least=0),
        mean(
            "unit_price",
            where="quantity > 0",
            windows=("30d", "90d"),
            unit="USD",
            quantum="0.0001",
            at_least=0,
        ),
        expression("sales_trend", "try_divide(quantity_sum_7d, quantity_sum_30d)", at_least=0, at_most=1),
    ),
)
