"""One coupon handed in, with the campaign that brought it."""

from features.raw.campaign_descriptions import campaign_descriptions
from features.raw.coupon_redemptions import coupon_redemptions
from ziggurat.model import DerivedView, expression, lookup

redemptions = DerivedView(
    "redemptions",
    source=coupon_redemptions,
    version=1,
    owner="marketing",
    lookups=(lookup(campaign_descriptions, on=("campaign_id",), take=("campaign_type", "start_date")),),
    features=(
        expression("is_tailored", "coalesce(campaign_type = 'Type A', false)"),
        expression("days_into_campaign", "datediff(redemption_date, start_date)", unit="days", at_least=0),
    ),
)
