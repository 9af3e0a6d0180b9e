"""The outcome of a step and of a run: values that the terminal, the ledger and the report read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from definitions.errors import ZigguratError
from lakehouse.ledger.records import SliceRecord

if TYPE_CHECKING:  # pandas takes longer to import than a run with nothing to do takes
    import pandas as pd

    from quality import FailedExpectation


class Status(StrEnum):
    """PUBLISHED something new; UNCHANGED: what is published is what would be built."""

    PUBLISHED = "published"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    COULD_NOT_CHECK = "could not check"
    BLOCKED = "blocked"


@dataclass(frozen=True, kw_only=True)
class StepOutcome:
    """One table's step.

    `slices` go to the ledger; `failed_slices` (instants, µs) are not published and block what reads them.
    """

    table: str
    status: Status
    rows_in: int | None = None
    rows_out: int | None = None
    seconds: float = 0.0
    started: float = 0.0
    version: int | None = None
    message: str = ""
    error: BaseException | None = None
    slices: tuple[SliceRecord, ...] = ()
    failed_slices: frozenset[int] = frozenset()
    profile: "pd.DataFrame | None" = None
    failures: "tuple[FailedExpectation, ...]" = ()
    quarantined: Mapping[str, int] = field(default_factory=dict)
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RunOutcome:
    """A whole run: its steps in the order they ended, and the release that names what belongs together."""

    run_id: str
    command: str
    as_of: tuple[str, ...]
    steps: tuple[StepOutcome, ...]
    seconds: float
    release: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def error(self) -> BaseException | None:
        """The error that decides the exit code: a bug before a user's mistake, then the first failure."""
        errors = [step.error for step in self.steps if step.error is not None]
        return next((e for e in errors if not isinstance(e, ZigguratError)), errors[0] if errors else None)

    @property
    def is_unchanged(self) -> bool:
        return all(step.status is Status.UNCHANGED for step in self.steps)
