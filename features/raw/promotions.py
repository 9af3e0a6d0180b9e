"""Where each product stood on display or in the mailer, by store and week; planned, so known when the week begins (S6).

12,785 rows repeat the (product, store, week) of another: each is a fact of its own, so no identity is declared (S7).
"""

from features.entities import STORES_ZONE
from ziggurat.model import Column, EventTime, Grain, Kind, LandingDelay, PartitionBy, Source

promotions = Source(
    name="promotions",
    kind=Kind.EVENTS,
    version=1,
    owner="merchandising",
    columns=(
        Column("product_id", "bigint", required=True),
        Column("store_id", "bigint", required=True),
        Column("display_location", "string", required=True, doc="0 is: not on display"),
        Column("mailer_location", "string", required=True, doc="0 is: not in the mailer"),
        Column("week", "bigint", required=True),
        Column("is_displayed", "boolean", computed="display_location <> '0'"),
        Column("is_mailed", "boolean", computed="mailer_location <> '0'"),
        # Week 2 began on Monday, 2017-01-02: transactions' own week numbers turn there.
        Column("week_start", "date", computed="date_add(date'2016-12-26', cast(7 * (week - 1) as int))"),
    ),
    event_time=EventTime("week_start", grain=Grain.WEEK, zone=STORES_ZONE, known_at_start=True),
    available=LandingDelay("0s", first_load_until="2018-01-02"),
    partition_by=PartitionBy.WEEK,
)
