"""Which products a coupon of a campaign is good for; delivered with repeated rows, which are counted, not kept (S7)."""

from ziggurat.model import Column, Kind, Source

coupons = Source(
    name="coupons",
    kind=Kind.STATIC,
    version=1,
    owner="marketing",
    columns=(
        Column("coupon_upc", "bigint", required=True),
        Column("product_id", "bigint", required=True),
        Column("campaign_id", "bigint", required=True),
    ),
    identity=("coupon_upc", "product_id", "campaign_id"),
)
