"""Which household was addressed by which campaign; the times of a campaign are in campaign_descriptions."""

from ziggurat.model import Column, Kind, Source

campaigns = Source(
    name="campaigns",
    kind=Kind.STATIC,
    version=1,
    owner="marketing",
    columns=(
        Column("campaign_id", "bigint", required=True),
        Column("household_id", "bigint", required=True),
    ),
    identity=("campaign_id", "household_id"),
)
