"""What the shipped models predict."""

from features.entities import campaign, household
from features.raw.campaign_descriptions import campaign_descriptions
from features.raw.campaigns import campaigns
from features.raw.coupon_redemptions import coupon_redemptions
from features.raw.transactions import transactions
from ziggurat.model import AtStart, Every, Label

churn_30d = Label(
    "churn_30d",
    entities=(household,),
    source=transactions,
    column="has_churned",
    is_absence=True,
    horizon="30d",
    at=Every(first="2017-01-02T12:00:00Z", step="7d"),
    owner="crm",
    doc="no purchase in the next 30 days; households seen before, every Monday at noon UTC",
)
coupon_14d = Label(
    "coupon_14d",
    entities=(household, campaign),
    source=coupon_redemptions,
    column="has_redeemed",
    horizon="14d",
    at=AtStart(campaign_descriptions, members=campaigns),
    seen_in=transactions,
    owner="marketing",
    doc="a coupon of the campaign handed in within 14 days; households addressed by it that were seen before its start",
)
