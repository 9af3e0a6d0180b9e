"""The three kinds of view above raw. Each validates itself when it is written: an impossible view can't exist."""

from features.aggregate_view import DAILY, WEEKLY, AggregateView, Freshness
from features.cross_entity_view import EVERYONE, CrossEntityView, Group, Unknown
from features.derived_view import DerivedView, Duplicates, Lookup, lookup
from features.sources import Source

__all__ = [
    "DAILY",
    "EVERYONE",
    "WEEKLY",
    "AggregateView",
    "CrossEntityView",
    "Definition",
    "DerivedView",
    "Duplicates",
    "Freshness",
    "Group",
    "Lookup",
    "Snapshot",
    "Unknown",
    "View",
    "lookup",
]

View = DerivedView | AggregateView | CrossEntityView
Snapshot = AggregateView | CrossEntityView
Definition = Source | View
