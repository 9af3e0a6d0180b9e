"""One ride with its rider's district, its speed, and whether it was on the way to work or back."""

from bikes_features.entities import CITY_ZONE
from bikes_features.raw.riders import riders
from bikes_features.raw.rides import rides
from ziggurat.model import DerivedView, expression, lookup

trips = DerivedView(
    "trips",
    source=rides,
    version=1,
    owner="operations",
    lookups=(lookup(riders, on=("rider_id",), take=("district",)),),
    features=(
        # try_divide gives null where the divisor is 0: a ride of 0 minutes has no speed.
        expression("speed_kmh", "try_divide(metres * 60, minutes * 1000)", unit="km/h", at_least=0, at_most=60),
        expression("is_commute", f"local_hour(started_at, '{CITY_ZONE}') in (7, 8, 17, 18)"),
    ),
)
