"""The entities that the features describe."""

from ziggurat.model import Entity

CITY_ZONE = "Europe/Amsterdam"

# Choose a join key's type for good: if 'R01' became 1 later, no reader could join it any more.
rider = Entity("rider", keys=(("rider_id", "string"),))
