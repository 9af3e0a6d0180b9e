"""A rider beside the other riders on the same plan; riders whose plan is unknown form a group of their own."""

from bikes_features.aggregate.rider_activity import rider_activity
from bikes_features.entities import rider
from bikes_features.raw.riders import riders
from ziggurat.model import OWN_GROUP, CrossEntityView, Group, members, percentile_rank, ratio_to_mean

rider_vs_plan = CrossEntityView(
    "rider_vs_plan",
    entity=rider,
    of=rider_activity,
    version=1,
    owner="growth",
    group=Group(riders, by=("plan",), unknown=OWN_GROUP),
    exclude_self=True,  # compared with the others, so a rider alone in the group has no ratio
    features=(
        members(named="plan_members", unit="riders", at_least=0),
        ratio_to_mean("fare_sum_30d", at_least=0),
        percentile_rank("ride_count_30d", at_least=0, at_most=1),
    ),
)
