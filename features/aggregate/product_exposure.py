"""How much of a product's sale happens while it is on display or in the mailer."""

from features.derived.basket_lines import basket_lines
from features.entities import product
from ziggurat.model import AggregateView, count, count_distinct, expression

product_exposure = AggregateView(
    "product_exposure",
    entity=product,
    source=basket_lines,
    version=1,
    owner="merchandising",
    windows=("30d", "90d"),
    features=(
        count(named="line", unit="lines", at_least=0),
        count(named="displayed_line", where="is_on_display", unit="lines", at_least=0),
        count(named="mailed_line", where="is_in_mailer", unit="lines", at_least=0),
        count(named="discounted_line", where="discount_rate > 0", unit="lines", at_least=0),
        count_distinct("store_id", named="selling_store", unit="stores", at_least=0),
        expression(
            "displayed_line_share_90d",
            "try_divide(displayed_line_count_90d, line_count_90d)",
            at_least=0,
            at_most=1,
        ),
        expression(
            "mailed_line_share_90d",
            "try_divide(mailed_line_count_90d, line_count_90d)",
            at_least=0,
            at_most=1,
        ),
    ),
)
