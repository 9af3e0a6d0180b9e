"""Basket lines from the tills; quantity 0 with a value is a real line (coupons, deposits), and so is a value of 0."""

from ziggurat.model import Column, EventTime, Kind, LandingDelay, PartitionBy, Source

transactions = Source(
    name="transactions",
    kind=Kind.EVENTS,
    version=1,
    owner="tills",
    columns=(
        Column("household_id", "bigint", required=True),
        Column("store_id", "bigint", required=True),
        Column("basket_id", "bigint", required=True),
        Column("product_id", "bigint", required=True),
        Column("quantity", "bigint", required=True, unit="items"),
        Column(
            "sales_value",
            "decimal(12,2)",
            required=True,
            unit="USD",
            doc="what the store received for the line",
        ),
        Column("retail_disc", "decimal(12,2)", unit="USD", doc="loyalty-card discount"),
        Column("coupon_disc", "decimal(12,2)", unit="USD", doc="manufacturer's coupon"),
        Column("coupon_match_disc", "decimal(12,2)", unit="USD", doc="store's match of a manufacturer's coupon"),
        Column(
            "week",
            "bigint",
            required=True,
            doc="promotion week, 1 to 53, turning on Monday in the stores' zone",
        ),
        Column("transaction_timestamp", "timestamp", required=True),
    ),
    identity=("household_id", "basket_id", "product_id", "store_id"),
    event_time=EventTime("transaction_timestamp"),
    available=LandingDelay("4h", first_load_until="2018-01-02"),
    history_start="2017-01-01",
    partition_by=PartitionBy.MONTH,
)
