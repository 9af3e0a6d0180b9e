"""A training set's manifest as a value: what its rows are, and all that they were made of (S36).

`manifest_files` reads and writes it; nothing else knows its JSON.
"""

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

from reports.training_set import CardPage, CertificatePage

FORMAT = 2
DELTA, PARQUET = FORMATS = ("delta", "parquet")
_ENGINES = ("ziggurat-features", "pyspark", "delta-spark", "pyarrow", "numpy")


@dataclass(frozen=True)
class SpinePart:
    """The spine's rows: their columns in order, their number and their content hash."""

    columns: tuple[str, ...]
    rows: int
    hash: str


@dataclass(frozen=True, kw_only=True)
class SplitRequest:
    """Either `shares` of the rows in the order of their label times, or the two label times `at` which parts begin.

    gap: a duration; empty: the horizon of the label whose spine it is.
    """

    shares: tuple[str, ...] = ()
    at: tuple[str, ...] = ()
    gap: str = ""


@dataclass(frozen=True, kw_only=True)
class ManifestOptions:
    """The options of a request that decide what is stored; the join strategy is not one of them.

    keys: the service's join key -> the spine's column, where the names differ.
    """

    knowledge: str
    keys: Mapping[str, str] = field(default_factory=dict)
    split: SplitRequest | None = None
    format: str = DELTA


@dataclass(frozen=True)
class DataPart:
    """The rows: the version of their Delta table, their number and content hash. version None: not published yet."""

    version: int | None
    rows: int
    hash: str


@dataclass(frozen=True)
class EvidencePart:
    """The evidence of the rows: the version of its Delta table, and the number of rows that it is of."""

    version: int
    rows: int


@dataclass(frozen=True, kw_only=True)
class ViewPart:
    """What the columns of one selection were made of: table, version, fingerprint by feature, and how it was joined.

    derived_from: where facts after the table's newest as-of were derived, the tables that they were made of, at their
    versions; else empty.
    """

    table: str
    version: int
    features: Mapping[str, str]
    entity: str
    keys: tuple[tuple[str, str], ...]
    spine_keys: tuple[str, ...]
    role: str
    max_age: str
    includes_label_instant: bool
    derived_from: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class SplitRows:
    """The rows of one part of a split, with their first and last label time."""

    rows: int
    first: str | None
    last: str | None


@dataclass(frozen=True)
class SplitPart:
    """A split as it was applied: where validation and test begin, the gap before each, and the rows of each part."""

    validation_from: str
    test_from: str
    gap: str
    parts: Mapping[str, SplitRows]


@dataclass(frozen=True)
class ParquetPart:
    """The copy in parquet: its folder below that of the training set, and the number of its rows."""

    folder: str
    rows: int


@dataclass(frozen=True)
class Inputs:
    """All that decides the rows of a training set: from equal inputs come equal rows."""

    service: str
    service_fingerprint: str
    tables: Mapping[str, int]
    spine: SpinePart
    options: ManifestOptions


def engines() -> dict[str, str]:
    """The versions of Python and of the packages that compute the rows."""
    return {"python": platform.python_version()} | {name: _version(name) for name in _ENGINES}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """One version of a training set: its rows, and all that they were made of.

    origin: where the spine was read. views: by selection. evidence: None in a set of format 1, which is built anew
    instead of extended. split, parquet: None where the request has none. certificate, card: what the two pages show.
    """

    name: str
    version: int = 1
    run_id: str
    made_at: str
    service: str
    service_fingerprint: str
    features: Mapping[str, str]
    release: int
    tables: Mapping[str, int]
    origin: str
    spine: SpinePart
    options: ManifestOptions
    data: DataPart
    evidence: EvidencePart | None = None
    views: Mapping[str, ViewPart] = field(default_factory=dict)
    split: SplitPart | None = None
    parquet: ParquetPart | None = None
    certificate: CertificatePage
    card: CardPage
    engines: Mapping[str, str] = field(default_factory=engines)
    format: int = FORMAT

    @property
    def called(self) -> str:
        """Its name and version, as `diff` and `verify` take them."""
        return f"{self.name}@{self.version}"

    @property
    def inputs(self) -> Inputs:
        return Inputs(self.service, self.service_fingerprint, self.tables, self.spine, self.options)


def data_key(name: str) -> str:
    """The table of a training set's rows."""
    return f"training_sets/{name}/data"


def evidence_key(name: str) -> str:
    """The table of the evidence beside them."""
    return f"training_sets/{name}/evidence"
