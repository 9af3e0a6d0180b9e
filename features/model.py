"""The words of a definition, in one import: `from features.model import AggregateView, sum_of, …`."""

from features.durations import LIFETIME
from features.feature import (
    count, count_distinct, deviation, difference_to_mean, expression, first, last, maximum, mean, members, minimum,
    percentile_rank, rank, ratio_to_mean, share_of_total, sum_of,
)
from features.sources import (
    Ambiguous, AvailableColumn, Column, Entity, EventTime, Grain, Kind, LandingDelay, LoadTime, Nan, PartitionBy, Source,
)
from features.views import (
    DAILY, EVERYONE, WEEKLY, AggregateView, CrossEntityView, Definition, DerivedView, Duplicates, Group, Snapshot, Unknown,
    View, lookup,
)

ANY_TRUE = Duplicates.ANY_TRUE
OWN_GROUP = Unknown.OWN_GROUP
column = Column

__all__ = [
    "ANY_TRUE", "DAILY", "EVERYONE", "LIFETIME", "OWN_GROUP", "WEEKLY", "AggregateView", "Ambiguous", "AvailableColumn", "Column",
    "CrossEntityView", "Definition", "DerivedView", "Duplicates", "Entity", "EventTime", "Grain", "Group", "Kind", "LandingDelay",
    "LoadTime", "Nan", "PartitionBy", "Snapshot", "Source", "Unknown", "View", "column", "count", "count_distinct", "deviation",
    "difference_to_mean", "expression", "first", "last", "lookup", "maximum", "mean", "members", "minimum", "percentile_rank",
    "rank", "ratio_to_mean", "share_of_total", "sum_of",
]
