"""The report of a run as plain values: the caller fills them, the pages only draw them.

In this package `None` means "not known" and is drawn as a dash, never as 0.
A view may be named in full (`aggregate/household_spend/v1`) or, where that is unambiguous, by its short name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from decimal import Decimal

from definitions.layers import LAYERS

Value = float | int | Decimal | str | bool | None

STATUSES = ("failed", "could not check", "blocked", "published", "unchanged")
"""The most urgent first."""


@dataclass(frozen=True)
class StepLine:
    """One step of the run; `started` and `seconds` are seconds, the first from the run's start."""

    name: str
    layer: str
    _: KW_ONLY
    status: str
    rows_in: int | None
    rows_out: int | None
    seconds: float
    started: float
    message: str = ""

    def __post_init__(self) -> None:
        _one_of(self.layer, LAYERS, f"layer of step {self.name}")
        _one_of(self.status, STATUSES, f"status of step {self.name}")


@dataclass(frozen=True)
class ColumnCard:
    """One feature of a view; an empty unit stands for a number without a unit."""

    name: str
    type: str
    _: KW_ONLY
    unit: str = ""
    doc: str = ""


@dataclass(frozen=True)
class ViewCard:
    """One view as it is declared; `upstream` names the views it reads."""

    name: str
    layer: str
    _: KW_ONLY
    version: int
    doc: str
    entity: str | None
    columns: tuple[ColumnCard, ...]
    upstream: tuple[str, ...]

    def __post_init__(self) -> None:
        _one_of(self.layer, LAYERS, f"layer of view {self.name}")

    @property
    def address(self) -> str:
        """The name in full, as the published table has it: layer, name and version."""
        return self.name if "/" in self.name else f"{self.layer}/{self.name}/v{self.version}"


@dataclass(frozen=True)
class Profile:
    """The statistics of one feature in one slice; slices are ISO dates or instants, so they sort as text."""

    view: str
    slice: str
    _: KW_ONLY
    feature: str
    rows: int | None
    nulls: int | None
    minimum: Value
    maximum: Value
    mean: float | None


@dataclass(frozen=True)
class Sample:
    """Some rows of a view's newest slice, column by column; nulls stay in as `None`."""

    view: str
    columns: Mapping[str, Sequence[float | None]]


@dataclass(frozen=True)
class Check:
    """One expectation and the found figure; `passed` is None when it could not be checked.

    An expectation is a phrase with its bound in it (`at least 0`, `no duplicate key`), or one that ends in
    its comparison (`null_share_at_most`): then the bound is added, and as per cent where a share is meant.
    """

    view: str
    slice: str
    _: KW_ONLY
    feature: str
    expectation: str
    bound: Value
    found: Value
    passed: bool | None


@dataclass(frozen=True)
class QuarantineLine:
    """Rows of one source that were set aside for one reason."""

    source: str
    reason: str
    _: KW_ONLY
    rows: int


@dataclass(frozen=True)
class RunReport:
    """Everything that the page of one run shows; `example` is one entity's features, layer by layer."""

    run_id: str
    command: str
    _: KW_ONLY
    as_of: tuple[str, ...]
    started_at: datetime
    seconds: float
    status: str
    versions: Mapping[str, str]
    steps: tuple[StepLine, ...]
    views: tuple[ViewCard, ...]
    profiles: tuple[Profile, ...] = ()
    samples: tuple[Sample, ...] = ()
    checks: tuple[Check, ...] = ()
    quarantine: tuple[QuarantineLine, ...] = ()
    peak_memory_mb: float | None = None
    release: str | None = None
    example: Mapping[str, tuple[tuple[str, Value, str], ...]] | None = None
    example_entity: str = ""


def _one_of(value: str, known: Sequence[str], what: str) -> None:
    if value not in known:
        raise ValueError(f"The {what} is {value!r}; it must be one of {', '.join(known)}.")
