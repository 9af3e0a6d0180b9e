"""A household's department shares against everyone's: 1 is the average taste."""

from features.aggregate.household_departments import household_departments
from features.entities import household
from ziggurat.model import EVERYONE, CrossEntityView, difference_to_mean, ratio_to_mean

_SHARES = (
    "grocery_share",
    "drug_share",
    "fuel_share",
    "produce_share",
    "meat_share",
    "packaged_meat_share",
    "deli_share",
)

household_taste = CrossEntityView(
    "household_taste",
    entity=household,
    of=household_departments,
    version=1,
    owner="crm",
    group=EVERYONE,
    features=(
        *(ratio_to_mean(share, at_least=0) for share in _SHARES),
        difference_to_mean("private_brand_share", at_least=-1, at_most=1),
    ),
)
