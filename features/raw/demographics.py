"""What 801 of the households stated about themselves, once: without a time, and unknown for the others (S10)."""

from ziggurat.model import Column, Kind, Source

demographics = Source(
    name="demographics",
    kind=Kind.STATIC,
    version=1,
    owner="crm",
    columns=(
        Column("household_id", "bigint", required=True),
        Column("age", "string"),
        Column("income", "string"),
        Column("home_ownership", "string"),
        Column("marital_status", "string"),
        Column("household_size", "string"),
        Column("household_comp", "string"),
        Column("kids_count", "string"),
    ),
    identity=("household_id",),
)
