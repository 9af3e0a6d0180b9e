"""A product beside the others of its category."""

from features.aggregate.product_sales import product_sales
from features.entities import product
from features.raw.products import products
from ziggurat.model import CrossEntityView, Group, members, rank, share_of_total

product_in_category = CrossEntityView(
    "product_in_category",
    entity=product,
    of=product_sales,
    version=1,
    owner="merchandising",
    group=Group(products, by=("product_category",)),
    features=(
        members(named="category_members", unit="products", at_least=1),
        rank("quantity_sum_30d", at_least=1),
        share_of_total("sales_value_sum_30d", at_least=0, at_most=1),
        share_of_total("sales_value_sum_90d", at_least=0, at_most=1),
    ),
)
