"""A household beside households of its age and income; those with neither known form a cohort of their own."""

from features.aggregate.household_spend import household_spend
from features.entities import household
from features.raw.demographics import demographics
from ziggurat.model import OWN_GROUP, CrossEntityView, Group, members, percentile_rank, ratio_to_mean

household_vs_cohort = CrossEntityView(
    "household_vs_cohort",
    entity=household,
    of=household_spend,
    version=1,
    owner="crm",
    group=Group(demographics, by=("age", "income"), unknown=OWN_GROUP),
    exclude_self=True,
    min_members=20,
    features=(
        members(named="cohort_members", unit="households", at_least=0),
        ratio_to_mean("sales_value_sum_30d", at_least=0),
        ratio_to_mean("sales_value_sum_90d", at_least=0),
        ratio_to_mean("basket_id_count_distinct_30d", at_least=0),
        percentile_rank("sales_value_sum_30d", at_least=0, at_most=1),
        percentile_rank("sales_value_sum_90d", at_least=0, at_most=1),
    ),
)
