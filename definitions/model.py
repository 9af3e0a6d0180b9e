"""The words of a definition, in one import: `from definitions.model import AggregateView, sum_of, …`."""

from definitions.clocks import Ambiguous, AvailableColumn, EventTime, Grain, LandingDelay, LoadTime
from definitions.columns import Column, Nan
from definitions.durations import LIFETIME
from definitions.entities import Entity
from definitions.features import expression
from definitions.labels import AtStart, Every, Label
from definitions.operations.comparisons import (
    difference_to_mean,
    members,
    percentile_rank,
    rank,
    ratio_to_mean,
    share_of_total,
)
from definitions.operations.count import count
from definitions.operations.count_distinct import count_distinct
from definitions.operations.first import first
from definitions.operations.last import last
from definitions.operations.max import maximum
from definitions.operations.mean import mean
from definitions.operations.min import minimum
from definitions.operations.stddev import deviation
from definitions.operations.sum import sum_of
from definitions.services import FeatureService, Selection, features_of
from definitions.sources import Kind, Source
from definitions.tables import PartitionBy
from definitions.views import (
    DAILY,
    EVERYONE,
    WEEKLY,
    AggregateView,
    CrossEntityView,
    Definition,
    DerivedView,
    Duplicates,
    Group,
    Snapshot,
    Unknown,
    View,
    lookup,
)

ANY_TRUE = Duplicates.ANY_TRUE
OWN_GROUP = Unknown.OWN_GROUP
column = Column

__all__ = [
    "ANY_TRUE",
    "DAILY",
    "EVERYONE",
    "LIFETIME",
    "OWN_GROUP",
    "WEEKLY",
    "AggregateView",
    "Ambiguous",
    "AtStart",
    "AvailableColumn",
    "Column",
    "CrossEntityView",
    "Definition",
    "DerivedView",
    "Duplicates",
    "Entity",
    "EventTime",
    "Every",
    "FeatureService",
    "Grain",
    "Group",
    "Kind",
    "Label",
    "LandingDelay",
    "LoadTime",
    "Nan",
    "PartitionBy",
    "Selection",
    "Snapshot",
    "Source",
    "Unknown",
    "View",
    "column",
    "count",
    "count_distinct",
    "deviation",
    "difference_to_mean",
    "expression",
    "features_of",
    "first",
    "last",
    "lookup",
    "maximum",
    "mean",
    "members",
    "minimum",
    "percentile_rank",
    "rank",
    "ratio_to_mean",
    "share_of_total",
    "sum_of",
]
