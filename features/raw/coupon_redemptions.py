"""Coupons handed in, by local day: a day's redemption is known when the day is over, never at its start (S6)."""

from features.entities import STORES_ZONE
from ziggurat.model import Column, EventTime, Grain, Kind, LandingDelay, PartitionBy, Source

coupon_redemptions = Source(
    name="coupon_redemptions",
    kind=Kind.EVENTS,
    version=1,
    owner="marketing",
    columns=(
        Column("household_id", "bigint", required=True),
        Column("coupon_upc", "bigint", required=True),
        Column("campaign_id", "bigint", required=True),
        Column("redemption_date", "date", required=True),
    ),
    identity=("household_id", "coupon_upc", "campaign_id", "redemption_date"),
    event_time=EventTime("redemption_date", grain=Grain.DAY, zone=STORES_ZONE),
    available=LandingDelay("4h", first_load_until="2018-01-02"),
    history_start="2017-01-01",
    partition_by=PartitionBy.YEAR,
)
