"""The product catalogue, as of today: it carries no time (S10)."""

from ziggurat.model import Column, Kind, Source

products = Source(
    name="products",
    kind=Kind.STATIC,
    version=1,
    owner="merchandising",
    columns=(
        Column("product_id", "bigint", required=True),
        Column("manufacturer_id", "bigint"),
        Column("department", "string"),
        Column("brand", "string", doc="National or Private"),
        Column("product_category", "string"),
        Column("product_type", "string"),
        Column("package_size", "string"),
    ),
    identity=("product_id",),
)
