"""The three kinds of view above raw. Each validates itself when it is written: an impossible view can't exist.

Another kind is a class in a module of its own, based on `FactTable` or `SnapshotTable`. It joins `View` below, and
gets an entry in each table by kind: in `definitions.description` and `definitions.versions`, and where it is built.
"""

from definitions.sources import Source
from definitions.views.aggregate import DAILY, WEEKLY, AggregateView, Freshness
from definitions.views.cross_entity import EVERYONE, CrossEntityView, Group, Unknown
from definitions.views.derived import DerivedView, Duplicates, Lookup, lookup

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
