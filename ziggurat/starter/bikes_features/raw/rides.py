"""Rides as the docks report them; a ride may be reported again, corrected."""

from bikes_features.entities import CITY_ZONE
from ziggurat.model import AvailableColumn, Column, EventTime, Kind, Source

rides = Source(
    name="rides",
    kind=Kind.EVENTS,
    version=1,
    owner="operations",
    columns=(
        Column("ride_id", "bigint", required=True),
        Column("rider_id", "string", required=True),
        # The docks write local time, so the zone is declared. In the night of 31 March 2024 an hour was skipped:
        # there was no 02:30, so a ride with that time goes to quarantine.
        Column("started_at", "timestamp", required=True, zone=CITY_ZONE),
        Column("minutes", "bigint", required=True, unit="min"),
        Column("metres", "bigint", required=True, unit="m"),
        Column("fare", "decimal(8,2)", required=True, unit="EUR"),
        Column("recorded_at", "timestamp", required=True, doc="when headquarters received it"),
    ),
    # Two rows with one ride_id are two versions of one ride, not two rides.
    identity=("ride_id",),
    # Two clocks: when it happened, and when we could have known it. No feature sees a ride before the second.
    event_time=EventTime("started_at"),
    available=AvailableColumn("recorded_at"),
    history_start="2024-03-01",
    # High, because the example has many bad rows on purpose; the default is 5 %.
    max_quarantined_share=0.2,
)
