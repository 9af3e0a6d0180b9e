"""How much of a household's shopping is discounted, and by what."""

from features.derived.basket_lines import basket_lines
from features.entities import household
from ziggurat.model import LIFETIME, AggregateView, count, expression, sum_of

household_discounts = AggregateView(
    "household_discounts",
    entity=household,
    source=basket_lines,
    version=1,
    owner="crm",
    windows=("30d", "90d", LIFETIME),
    features=(
        sum_of("retail_disc", unit="USD", quantum="0.01", at_least=0),
        sum_of("coupon_disc", unit="USD", quantum="0.01", at_least=0),
        sum_of("coupon_match_disc", unit="USD", quantum="0.01", at_least=0),
        sum_of("shelf_value", windows=("90d",), unit="USD", quantum="0.01", at_least=0),
        count(named="coupon_line", where="has_coupon", unit="lines", at_least=0),
        count(
            named="exposed_line",
            where="is_exposed",
            windows=("90d",),
            unit="lines",
            at_least=0,
            doc="bought while on display or in the mailer",
        ),
        count(named="all_line", windows=("90d",), unit="lines", at_least=0),
        expression(
            "discount_share_90d",
            "try_divide(retail_disc_sum_90d, shelf_value_sum_90d)",
            quantum="0.000001",
            at_least=0,
            at_most=1,
        ),
        expression(
            "exposed_line_share_90d",
            "try_divide(exposed_line_count_90d, all_line_count_90d)",
            at_least=0,
            at_most=1,
        ),
    ),
)
