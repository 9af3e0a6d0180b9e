"""Campaigns by type and validity period, in local days; planned, so known at their start.

The end is never a feature (S6).
"""

from features.entities import STORES_ZONE
from ziggurat.model import Column, EventTime, Grain, Kind, LandingDelay, PartitionBy, Source

campaign_descriptions = Source(
    name="campaign_descriptions",
    kind=Kind.STATE,
    version=1,
    owner="marketing",
    columns=(
        Column("campaign_id", "bigint", required=True),
        Column("campaign_type", "string", doc="Type A is tailored to the household, B and C are sent alike"),
        Column("start_date", "date", required=True),
        Column("end_date", "date"),
    ),
    identity=("campaign_id",),
    event_time=EventTime("start_date", grain=Grain.DAY, zone=STORES_ZONE, known_at_start=True),
    available=LandingDelay("0s", first_load_until="2018-01-02"),
    partition_by=PartitionBy.YEAR,
    includes_label_instant=True,  # a plan: its type is fixed before the first day begins
)
