"""How often a household comes, how long ago, and when in the week."""

from features.derived.basket_lines import basket_lines
from features.entities import household
from ziggurat.model import LIFETIME, AggregateView, count_distinct, expression, maximum, minimum

household_visits = AggregateView(
    "household_visits",
    entity=household,
    source=basket_lines,
    version=1,
    owner="crm",
    windows=("7d", "30d", "90d", LIFETIME),
    features=(
        count_distinct("basket_id", named="visit", unit="baskets", at_least=0),
        count_distinct(
            "basket_id",
            named="weekend_visit",
            where="is_weekend",
            windows=("90d",),
            unit="baskets",
            at_least=0,
        ),
        count_distinct(
            "basket_id",
            named="evening_visit",
            where="hour_of_day >= 18",
            windows=("90d",),
            unit="baskets",
            at_least=0,
        ),
        count_distinct("store_id", named="store", windows=("90d", LIFETIME), unit="stores", at_least=0),
        maximum("event_time", named="visit_time", windows=(LIFETIME,), hidden=True),
        minimum("event_time", named="visit_time", windows=(LIFETIME,), hidden=True),
        expression("days_since_last_visit", "days_between(as_of, visit_time_max_lifetime)", unit="days", at_least=0),
        expression(
            "days_between_visits",
            "try_divide(days_between(visit_time_max_lifetime, visit_time_min_lifetime), visit_count_distinct_lifetime "
            "- 1)",
            unit="days",
            at_least=0,
            doc="null until the second visit",
        ),
        expression(
            "weekend_visit_share",
            "try_divide(weekend_visit_count_distinct_90d, visit_count_distinct_90d)",
            at_least=0,
            at_most=1,
        ),
        expression(
            "evening_visit_share",
            "try_divide(evening_visit_count_distinct_90d, visit_count_distinct_90d)",
            at_least=0,
            at_most=1,
        ),
    ),
)
