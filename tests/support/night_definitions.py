"""Rides, riders' plans, and taps: the definitions of the small projects whose nights are compared with a rebuild."""

from dataclasses import replace

from definitions.model import (
    LIFETIME,
    AggregateView,
    AvailableColumn,
    Column,
    DerivedView,
    Entity,
    EventTime,
    Kind,
    LandingDelay,
    PartitionBy,
    Source,
    count,
    expression,
    lookup,
    sum_of,
)
from definitions.registry import Registry, key_of
from definitions.views import Definition

rider = Entity("rider", keys=(("rider_id", "string"),))
# All of it may be known in advance: drawn histories deliver some rows before the time at which they happen.

rides = Source(
    name="rides",
    kind=Kind.EVENTS,
    version=1,
    owner="nights",
    columns=(
        Column("ride_id", "bigint", required=True),
        Column("rider_id", "string", required=True),
        Column("started_at", "timestamp", required=True),
        Column("metres", "bigint"),
        Column("ver", "bigint"),
        Column("cancelled", "boolean"),
        Column("recorded_at", "timestamp", required=True),
    ),
    identity=("ride_id",),
    event_time=EventTime("started_at", known_in_advance=True),
    available=AvailableColumn("recorded_at"),
    version_by="ver",
    retraction="cancelled",
    partition_by=PartitionBy.DAY,
)

status = Source(
    name="status",
    kind=Kind.STATE,
    version=1,
    owner="nights",
    columns=(
        Column("rider_id", "string", required=True),
        Column("since", "timestamp", required=True),
        Column("plan", "string"),
        Column("closed", "boolean"),
        Column("told_at", "timestamp", required=True),
    ),
    identity=("rider_id", "since"),
    event_time=EventTime("since", known_in_advance=True),
    available=AvailableColumn("told_at"),
    tombstone="closed",
    partition_by=PartitionBy.DAY,
)

taps = Source(
    name="taps",
    kind=Kind.EVENTS,
    version=1,
    owner="nights",
    columns=(
        Column("rider_id", "string", required=True),
        Column("at", "timestamp", required=True),
        Column("amount", "bigint"),
    ),
    event_time=EventTime("at", known_in_advance=True),
    available=LandingDelay("4h", first_load_until="2024-03-03"),
    partition_by=PartitionBy.DAY,
)

trips = DerivedView(
    "trips",
    source=rides,
    version=1,
    owner="nights",
    lookups=(lookup(status, on=("rider_id",), take=("plan",)),),
)

legs = DerivedView("legs", source=trips, version=1, owner="nights", features=(expression("kilometres", "metres * 2"),))


def _view(name: str, source: Source | DerivedView, *features: object, cut_delay: str = "") -> AggregateView:
    return AggregateView(
        name,
        entity=rider,
        source=source,
        version=1,
        owner="nights",
        windows=("3d", LIFETIME),
        features=features,  # type: ignore[arg-type]
        cut_delay=cut_delay,
    )


_rides, _metres = count(named="ride"), sum_of("metres")
_annual = count(named="annual", where="plan = 'annual'")
_of_bike = count(named="first_bike", where="bike = 'b1'")

plain = _view("plain", rides, _rides, _metres, cut_delay="4h")
activity = _view("activity", trips, _rides, _annual, cut_delay="4h")
activity_slow = _view("activity_slow", trips, _rides, _annual, cut_delay="20h")
distance = _view("distance", legs, _rides, sum_of("kilometres"), cut_delay="4h")
tapping = _view("tapping", taps, count(named="tap"))
# The same views with a column more: what a project looks like after its definitions were changed.
wider_plain = _view("plain", rides, _rides, _metres, count(named="long", where="metres > 5"), cut_delay="4h")
wider_trips = DerivedView(
    "trips",
    source=rides,
    version=1,
    owner="nights",
    lookups=trips.lookups,
    features=(expression("triple", "metres * 3"),),
)
wider_legs = replace(legs, source=wider_trips)
wider_activity = _view("activity", wider_trips, _rides, _annual, cut_delay="4h")
wider_distance = _view("distance", wider_legs, _rides, sum_of("kilometres"), cut_delay="4h")
wider_activity_slow = _view("activity_slow", wider_trips, _rides, _annual, cut_delay="20h")


# Rides as they are delivered, with one column more, and views on them.
wider_rides = replace(rides, columns=(*rides.columns, Column("bike", "string")))
trips_with_bikes = DerivedView("trips", source=wider_rides, version=1, owner="nights", lookups=trips.lookups)
activity_with_bikes = _view("activity", trips_with_bikes, _rides, _annual, _of_bike, cut_delay="4h")
plain_with_bikes = _view("plain", wider_rides, _rides, _metres, cut_delay="4h")
wider_taps = replace(taps, columns=(*taps.columns, Column("bike", "string")))
tapping_with_bikes = _view("tapping", wider_taps, count(named="tap"))


def registry(*views: Definition) -> Registry:
    """These views with all that they read, each after what it reads."""
    found: dict[str, Definition] = {}

    def add(definition: Definition) -> None:
        for upstream in definition.upstream:
            add(upstream)
        found.setdefault(key_of(definition), definition)

    for view in views:
        add(view)
    return Registry(__name__, tuple(found.values()))
