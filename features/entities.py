"""The entities that the features describe."""

from ziggurat.model import Entity

STORES_ZONE = "America/New_York"

household = Entity("household", keys=(("household_id", "bigint"),))
product = Entity("product", keys=(("product_id", "bigint"),))
campaign = Entity("campaign", keys=(("campaign_id", "bigint"),))
