"""The riders. The list has no times, so it is declared static, and certificates say so."""

from ziggurat.model import Column, Kind, Source

riders = Source(
    name="riders",
    kind=Kind.STATIC,
    version=1,
    owner="membership",
    columns=(
        Column("rider_id", "string", required=True),
        Column("plan", "string", doc="annual or day"),
        Column("district", "string"),
    ),
    identity=("rider_id",),
)
