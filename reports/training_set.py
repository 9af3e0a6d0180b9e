"""What the two pages of a training set show, as plain values: its certificate and its card.

Instants are texts with their zone (`2017-11-30T12:00:00Z`); None is "not known", or "there is none".
"""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field

from reports.model import Value


@dataclass(frozen=True)
class CertificateCheck:
    """One promise of the certificate, and the figures that were found: `rows in = rows out`, `84,020 = 84,020`."""

    promise: str
    passed: bool
    found: str


@dataclass(frozen=True)
class ViewEvidence:
    """The outcome of the join with one view, counted over the spine's rows.

    matched + unseen + expired + ended + without_key = rows: a value that was known; no fact known by then; one older
    than max_age; a tombstone; a null key or label time. ties: matches that the declared tie-break could not decide.
    event_at_label and available_at_label: rows with a fact that happened, or became known, exactly at the label time.
    Gaps are seconds from the newest event (availability) that a row saw to its label time: the smallest of all rows.
    """

    name: str
    table: str
    _: KW_ONLY
    version: int | None
    clock: str
    availability: str
    max_age: str
    rows: int
    matched: int
    unseen: int
    expired: int
    ended: int
    without_key: int
    ties: int
    event_at_label: int
    available_at_label: int
    newest_event: str | None
    newest_available: str | None
    smallest_event_gap: float | None
    smallest_availability_gap: float | None
    is_static: bool = False


@dataclass(frozen=True)
class LeakTestInstant:
    """A label time of the leak test: its rows, and per source the number of facts that could not be known then."""

    label_time: str
    _: KW_ONLY
    rows: int
    unknowable: Mapping[str, int]


@dataclass(frozen=True)
class LeakTestChange:
    """A cell that came out otherwise: its row, its value as stored and as rebuilt, and how the future was changed."""

    column: str
    _: KW_ONLY
    keys: str
    label_time: str
    perturbation: str
    stored: str
    rebuilt: str


@dataclass(frozen=True, kw_only=True)
class LeakTestResult:
    """The leak test: rows rebuilt from raw facts, of which all that could not be known was removed or replaced.

    perturbations: what was done to such facts, one after the other. cells: compared cells of all rows, counted once
    per perturbation. facts: by source with a clock, how many facts the rows could reach. changes: the first of
    `changed_cells`. is_stale: the cells change without any perturbation, too, so raw no longer gives what was released.
    """

    verdict: str = "not run"
    perturbations: tuple[str, ...] = ()
    instants: tuple[LeakTestInstant, ...] = ()
    entities: int = 0
    rows: int = 0
    cells: int = 0
    facts: Mapping[str, int] = field(default_factory=dict)
    changed_cells: int = 0
    changes: tuple[LeakTestChange, ...] = ()
    is_stale: bool = False
    made_at: str | None = None
    seconds: float = 0.0

    def summary(self, name: str) -> str:
        """The result in a sentence; `name` is the training set's."""
        if self.verdict == "not run":
            return f"not run: ziggurat training-set prove {name}"
        times = "one label time" if len(self.instants) == 1 else f"{len(self.instants)} label times"
        size = f"{self.cells:,} cells of {self.rows:,} rows about {self.entities:,} entities at {times}"
        if self.verdict == "held":
            return f"none of {size} changed"
        if self.verdict != "broken":
            return "there was no row with a label time to rebuild"
        first = self.changes[0]
        why = (
            "raw no longer gives what was released, whether its future is changed or not"
            if self.is_stale
            else "these features depend on facts of the future"
        )
        return (
            f"{self.changed_cells:,} of {size} changed: {why}. The first: {first.column} of {first.keys} at "
            f"{first.label_time}, {first.stored} as stored, {first.rebuilt} with its future {first.perturbation}"
        )


@dataclass(frozen=True)
class CertificatePage:
    """A training set's certificate; `reasons` say why it is not certified, and are empty where it is certified.

    reach: by source, up to when its facts reach (S27); empty in what earlier versions wrote. beyond_reach: by source of
    events, how many rows lie after that, by more than the source may be behind; only sources that have such rows.
    """

    name: str
    service: str
    _: KW_ONLY
    is_certified: bool
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    checks: tuple[CertificateCheck, ...]
    views: tuple[ViewEvidence, ...]
    static_sources: tuple[str, ...]
    spine: Mapping[str, Value]
    options: Mapping[str, Value]
    tables: Mapping[str, int]
    versions: Mapping[str, str]
    content_hash: str
    release: int
    made_at: str
    leak_test: LeakTestResult = LeakTestResult()
    reach: Mapping[str, str] = field(default_factory=dict)
    beyond_reach: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class CardColumn:
    """One column; `sample` are some of its values as numbers, nulls among them; empty for text."""

    name: str
    _: KW_ONLY
    view: str
    type: str
    unit: str
    doc: str
    null_share: float | None
    minimum: Value = None
    mean: float | None = None
    maximum: Value = None
    sample: Sequence[float | None] = ()


@dataclass(frozen=True)
class BalancePoint:
    """The rows of one label time, or of one day, month or year: how many are positive, negative and unknown (null)."""

    label_time: str
    rows: int
    positive: int
    unknown: int


@dataclass(frozen=True)
class CardPage:
    """A training set at a glance: schema, label balance over time, null shares, and the certificate's verdict.

    grain: what a point of the balance counts, `day`, `month` or `year`; empty: one label time. label_times: how many
    there are; None where earlier versions wrote the page, which knew them only where each is a point.
    """

    name: str
    service: str
    _: KW_ONLY
    doc: str
    rows: int
    entities: int
    label: str | None
    balance: tuple[BalancePoint, ...]
    columns: tuple[CardColumn, ...]
    is_certified: bool
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    content_hash: str
    made_at: str
    grain: str = ""
    label_times: int | None = None
