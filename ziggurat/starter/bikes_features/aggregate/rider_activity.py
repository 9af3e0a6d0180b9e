"""How much a rider rides and pays, over windows that end just before the as-of instant."""

from bikes_features.derived.trips import trips
from bikes_features.entities import rider
from ziggurat.model import DAILY, LIFETIME, AggregateView, count, expression, maximum, mean, sum_of

rider_activity = AggregateView(
    "rider_activity",
    entity=rider,
    source=trips,
    version=1,
    owner="growth",
    windows=("7d", "30d", LIFETIME),
    freshness=DAILY,
    # The snapshot of midnight holds what was known at 04:00: most docks that were offline have reported by then.
    cut_delay="4h",
    features=(
        count(named="ride", unit="rides", at_least=0),
        sum_of("fare", unit="EUR", quantum="0.01", at_least=0),
        count(named="commute", where="is_commute", windows=("30d",), unit="rides", at_least=0),
        mean("speed_kmh", windows=("30d",), unit="km/h", quantum="0.01", at_least=0, at_most=60),
        # Hidden: needed by the expression below, not published.
        maximum("event_time", named="ride_time", windows=(LIFETIME,), hidden=True),
        expression("days_since_last_ride", "days_between(as_of, ride_time_max_lifetime)", unit="days", at_least=0),
        expression("fare_per_ride_30d", "try_divide(fare_sum_30d, ride_count_30d)", unit="EUR", at_least=0),
    ),
)
