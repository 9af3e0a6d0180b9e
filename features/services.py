"""The shipped feature services: what each model reads, in order."""

from features.aggregate.household_coupons import household_coupons
from features.aggregate.household_departments import household_departments
from features.aggregate.household_discounts import household_discounts
from features.aggregate.household_spend import household_spend
from features.aggregate.household_visits import household_visits
from features.cross_entity.household_taste import household_taste
from features.cross_entity.household_vs_cohort import household_vs_cohort
from features.entities import campaign, household
from features.raw.campaign_descriptions import campaign_descriptions
from features.raw.demographics import demographics
from ziggurat.model import FeatureService, features_of

churn_v1 = FeatureService(
    "churn_v1",
    features=(
        features_of(
            household_visits,
            "days_since_last_visit",
            "days_between_visits",
            "visit_count_distinct_7d",
            "visit_count_distinct_30d",
            "visit_count_distinct_90d",
            "weekend_visit_share",
            "evening_visit_share",
            "store_count_distinct_90d",
        ),
        features_of(
            household_spend,
            "sales_value_sum_7d",
            "sales_value_sum_30d",
            "sales_value_sum_90d",
            "spend_per_basket_30d",
            "spend_trend",
            "paid_unit_price_mean_90d",
        ),
        features_of(household_discounts, "discount_share_90d", "coupon_line_count_90d", "exposed_line_share_90d"),
        features_of(
            household_departments,
            "grocery_share",
            "produce_share",
            "private_brand_share",
            "product_category_count_distinct_90d",
        ),
        features_of(household_coupons, "redemption_count_lifetime", "days_since_last_redemption"),
        features_of(household_vs_cohort, "sales_value_sum_30d_percentile_rank", "sales_value_sum_90d_ratio_to_mean"),
        features_of(household_taste, "grocery_share_ratio_to_mean"),
    ),
    owner="crm",
    doc="whether a household will stay away for the next 30 days",
)
coupon_v1 = FeatureService(
    "coupon_v1",
    features=(
        features_of(campaign_descriptions, "campaign_type", entity=campaign),
        features_of(household_coupons, max_age="9d"),
        features_of(
            household_discounts, "coupon_disc_sum_90d", "coupon_line_count_90d", "discount_share_90d", max_age="9d"
        ),
        features_of(household_visits, "days_since_last_visit", "visit_count_distinct_30d", max_age="9d"),
        features_of(household_spend, "sales_value_sum_30d", "spend_trend", max_age="9d"),
        features_of(demographics, "age", "income", "household_size", entity=household),
    ),
    owner="marketing",
    doc="whether a household will hand in a coupon of a campaign within 14 days of its start",
)
