"""A product beside all products: how many households buy it, ranked."""

from features.aggregate.product_sales import product_sales
from features.entities import product
from ziggurat.model import EVERYONE, CrossEntityView, percentile_rank, rank

product_popularity = CrossEntityView(
    "product_popularity",
    entity=product,
    of=product_sales,
    version=1,
    owner="merchandising",
    group=EVERYONE,
    features=(
        rank("household_id_count_distinct_30d", at_least=1),
        percentile_rank("household_id_count_distinct_30d", at_least=0, at_most=1),
        percentile_rank("quantity_sum_30d", at_least=0, at_most=1),
    ),
)
