"""Coupons a household handed in; only households that ever did are seen here (S22)."""

from features.derived.redemptions import redemptions
from features.entities import household
from ziggurat.model import LIFETIME, AggregateView, count, count_distinct, expression, maximum, mean

household_coupons = AggregateView(
    "household_coupons",
    entity=household,
    source=redemptions,
    version=1,
    owner="marketing",
    windows=("30d", "90d", LIFETIME),
    features=(
        count(named="redemption", unit="coupons", at_least=0),
        count_distinct("campaign_id", named="campaign", unit="campaigns", at_least=0),
        count(named="tailored_redemption", where="is_tailored", windows=(LIFETIME,), unit="coupons", at_least=0),
        mean("days_into_campaign", windows=(LIFETIME,), unit="days", at_least=0),
        maximum("event_time", named="redemption_time", windows=(LIFETIME,), hidden=True),
        expression(
            "days_since_last_redemption",
            "days_between(as_of, redemption_time_max_lifetime)",
            unit="days",
            at_least=0,
        ),
    ),
)
