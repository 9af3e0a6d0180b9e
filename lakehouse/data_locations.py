"""Every place in a warehouse that holds an entity's rows, or values computed from them.

`Warehouse` builds its paths from these entries, and a test fails when a job writes a file that none of them covers.
Erasing an entity and backing up a warehouse walk over this list: a new kind of file needs an entry here first.
"""

import re
from dataclasses import dataclass
from enum import Enum
from functools import cached_property


class FoundBy(Enum):
    """How the rows of one entity are found in a location."""

    KEYS = "the join key columns"
    ORIGINAL = "the text of the delivered row, column `original`"
    WHOLE = "not row by row: the location is built again from what it was made of, or removed whole"
    NOTHING = "holds no entity's rows or values"


@dataclass(frozen=True)
class DataLocation:
    """One kind of folder or file. `pattern`: its path inside the warehouse, with names in braces for what differs."""

    name: str
    pattern: str
    holds: str
    found_by: FoundBy

    def path(self, **names: object) -> str:
        """The folder's path inside the warehouse. Raises KeyError for a name of the pattern that is not given."""
        return self.pattern.format(**names)

    def covers(self, path: str) -> bool:
        """True for the folder itself and for all that lies in it; `path` is inside the warehouse."""
        return self._expression.match(path) is not None

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        parts = re.split(r"(\{\w+\})", self.pattern)
        names = ("[^/]+" if part.startswith("{") else re.escape(part) for part in parts)
        return re.compile(f"{''.join(names)}(/|$)")


def _view(layer: str, holds: str) -> DataLocation:
    return DataLocation(layer, f"{layer}/{{view}}/v{{version}}", holds, FoundBy.KEYS)


RAW = _view("raw", "facts as they were delivered, typed")
DERIVED = _view("derived", "one row per fact, with what was looked up for it")
AGGREGATE = _view("aggregate", "one row per entity and as-of")
CROSS_ENTITY = _view("cross_entity", "one row per entity and as-of; group statistics include the other members' values")
QUARANTINE = DataLocation(
    "quarantine", "quarantine/{source}", "records that could not be used, as they were delivered", FoundBy.ORIGINAL
)
PROFILES = DataLocation(
    "profiles",
    "profiles",
    "counts and extremes of each feature in each slice; a minimum or maximum is some entity's value",
    FoundBy.WHOLE,
)
SPINES = DataLocation("spines", "spines/{label}", "entities, label times and the label", FoundBy.KEYS)
TRAINING_SET_DATA = DataLocation(
    "training set", "training_sets/{name}/data", "the spine's rows with their features", FoundBy.KEYS
)
TRAINING_SET_EVIDENCE = DataLocation(
    "training set evidence",
    "training_sets/{name}/evidence",
    "which fact each row saw, and when it was known",
    FoundBy.KEYS,
)
TRAINING_SET_PARQUET = DataLocation(
    "training set parquet",
    "training_sets/{name}/parquet/{version}",
    "a copy of the rows of one version for readers without Delta",
    FoundBy.KEYS,
)
TRAINING_SET_MANIFESTS = DataLocation(
    "training set manifests",
    "training_sets/{name}/manifests",
    "one manifest per version; a leak test's result in it may show keys and values of single cells",
    FoundBy.WHOLE,
)
TRAINING_SET_PAGES = DataLocation(
    "training set pages",
    "training_sets/{name}/{page}.{kind}",
    "the newest manifest, certificate and card, as JSON and as pages; as the manifests",
    FoundBy.WHOLE,
)
LAYOUTS = DataLocation(
    "layouts", "layouts/{view}/{entity}", "a view's rows a second time, in hash buckets; may be removed", FoundBy.KEYS
)
REPORTS = DataLocation(
    "reports", "reports", "a page per run; histograms of a sample, and the demo's page shows one entity", FoundBy.WHOLE
)
STAGING = DataLocation(
    "staging", "staging/{run}", "unchecked copies of a run; those that failed their checks stay", FoundBy.WHOLE
)
ONLINE = DataLocation(
    "online", "online", "the embedded store's snapshots; elsewhere where `online.path` is set", FoundBy.KEYS
)
RUNS = DataLocation("runs", "runs", "the ledger: names, counts, hashes and times of runs, no rows", FoundBy.NOTHING)
UNREADABLE_RUNS = DataLocation(
    "unreadable runs", "runs.unreadable-{moment}", "a damaged ledger, kept when a new one was begun", FoundBy.NOTHING
)
RELEASES = DataLocation("releases", "releases", "which table versions belong together, no rows", FoundBy.NOTHING)
LEASES = DataLocation("leases", "leases", "which process writes what, no rows", FoundBy.NOTHING)

LAYERS = (RAW, DERIVED, AGGREGATE, CROSS_ENTITY)
DATA_LOCATIONS = (
    *LAYERS,
    QUARANTINE,
    PROFILES,
    SPINES,
    TRAINING_SET_DATA,
    TRAINING_SET_EVIDENCE,
    TRAINING_SET_PARQUET,
    TRAINING_SET_MANIFESTS,
    TRAINING_SET_PAGES,
    LAYOUTS,
    REPORTS,
    STAGING,
    ONLINE,
    RUNS,
    UNREADABLE_RUNS,
    RELEASES,
    LEASES,
)


def location_of(path: str, locations: tuple[DataLocation, ...] = DATA_LOCATIONS) -> DataLocation | None:
    """The first location that covers a file's path inside the warehouse; None for a file outside all of them."""
    return next((location for location in locations if location.covers(path)), None)
