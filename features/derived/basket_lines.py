"""One basket line with its product and its promotion that week."""

from features.entities import STORES_ZONE
from features.raw.products import products
from features.raw.promotions import promotions
from features.raw.transactions import transactions
from ziggurat.model import ANY_TRUE, DerivedView, expression, lookup

basket_lines = DerivedView(
    "basket_lines",
    source=transactions,
    version=1,
    owner="crm",
    lookups=(
        lookup(products, on=("product_id",), take=("brand", "department", "product_category")),
        lookup(
            promotions,
            on=("product_id", "store_id", "week"),
            duplicates=ANY_TRUE,
            take=("is_displayed", "is_mailed"),
        ),
    ),
    features=(
        expression("unit_price", "try_divide(sales_value, quantity)", unit="USD", at_least=0),
        expression(
            "shelf_value",
            "sales_value + coalesce(retail_disc, 0.00)",
            unit="USD",
            at_least=0,
            doc="before the loyalty-card discount",
        ),
        expression(
            "discount_rate",
            "try_divide(coalesce(retail_disc, 0.00), sales_value + coalesce(retail_disc, 0.00))",
            at_least=0,
            at_most=1,
        ),
        expression("is_private_brand", "brand = 'Private'"),
        expression("is_weekend", f"local_weekday(transaction_timestamp, '{STORES_ZONE}') >= 6"),
        expression(
            "hour_of_day",
            f"local_hour(transaction_timestamp, '{STORES_ZONE}')",
            unit="h",
            at_least=0,
            at_most=23,
        ),
        expression("has_coupon", "coalesce(coupon_disc, 0.00) + coalesce(coupon_match_disc, 0.00) > 0"),
        expression("is_on_display", "coalesce(is_displayed, false)"),
        expression("is_in_mailer", "coalesce(is_mailed, false)"),
        expression("is_exposed", "coalesce(is_displayed or is_mailed, false)"),
    ),
)
