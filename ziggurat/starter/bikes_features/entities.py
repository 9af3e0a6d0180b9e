"""Whom the features describe."""

from ziggurat.model import Entity

CITY_ZONE = "Europe/Amsterdam"

# A join key's type is for good: 'R01' can't become 1 later without breaking every reader.
rider = Entity("rider", keys=(("rider_id", "string"),))
