"""The input and the result of the gate: plain values, no frames, no engine."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, StrEnum

from definitions.errors import DefinitionError


class Outcome(Enum):
    """COULD_NOT_CHECK is neither a pass nor a statement about the data."""

    PASSED = "passed"
    FAILED = "failed"
    COULD_NOT_CHECK = "could not check"


class Severity(StrEnum):
    """A slice with a critical failure is not published; a warning is only reported."""

    CRITICAL = "critical"
    WARNING = "warning"


@dataclass(frozen=True)
class Bounds:
    """What is declared of one feature's values; None leaves that side open.

    The null share is nulls / rows, from 0 to 1. NaN and infinite values are never allowed (S23) and always
    critical, whatever stands here. Raises DefinitionError for bounds that nothing could satisfy.
    """

    feature: str
    at_least: float | None = None
    at_most: float | None = None
    max_null_share: float = 1.0
    severity: Severity = Severity.CRITICAL

    def __post_init__(self) -> None:
        for name, bound in (("at_least", self.at_least), ("at_most", self.at_most)):
            if bound is not None and not math.isfinite(bound):
                raise DefinitionError(f"{self.feature}: {name} is {bound}; leave it out for an open side.")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise DefinitionError(
                f"{self.feature}: at_least {self.at_least} lies above at_most {self.at_most}; swap the two."
            )
        if not 0 <= self.max_null_share <= 1:
            raise DefinitionError(f"{self.feature}: max_null_share is {self.max_null_share}; give a share from 0 to 1.")


@dataclass(frozen=True)
class SliceFacts:
    """What is known of one slice (a published partition, such as a day) as a whole.

    `duplicate_keys` counts rows beyond the first of their key, `null_keys` rows with a null in their key.
    `rows_before` is the row count of the snapshot published before, None where there is none;
    `rows_expected` is an exact expectation (derived: one row per source row), None where there is none.
    """

    slice: str
    rows: int
    duplicate_keys: int
    null_keys: int
    rows_before: int | None = None
    rows_expected: int | None = None


@dataclass(frozen=True)
class RowRule:
    """How many rows a slice may have, at least and beside the snapshot published before it.

    `may_shrink` 0.5 lets half of the rows vanish, `may_grow` 9.0 lets them become ten times as many; None
    switches that side off. Growth is wide by default: early snapshots of a history grow fast, and a join
    that multiplies rows is already found by its duplicate keys. Growth from 0 rows is never judged.
    `severity` is that of these three alone: keys and an exact row count are always critical.
    """

    min_rows: int = 1
    may_shrink: float | None = 0.5
    may_grow: float | None = 9.0
    severity: Severity = Severity.CRITICAL

    def __post_init__(self) -> None:
        if self.min_rows < 0:
            raise DefinitionError(f"min_rows is {self.min_rows}; give 0 or more.")
        if self.may_shrink is not None and not 0 <= self.may_shrink <= 1:
            raise DefinitionError(f"may_shrink is {self.may_shrink}; give a share from 0 to 1, or None.")
        if self.may_grow is not None and not 0 <= self.may_grow < math.inf:
            raise DefinitionError(f"may_grow is {self.may_grow}; give a finite share of 0 or more, or None.")

    def fewest(self, rows_before: int | None) -> int | None:
        """The least number of rows after `rows_before`, exact: in floats 70 % off 100 leaves 30.000…4."""
        if rows_before is None or self.may_shrink is None:
            return None
        return math.ceil(rows_before * (1 - Decimal(str(self.may_shrink))))

    def most(self, rows_before: int | None) -> int | None:
        """The greatest number of rows after `rows_before`; None after 0, which can't grow by a share."""
        if not rows_before or self.may_grow is None:
            return None
        return math.floor(rows_before * (1 + Decimal(str(self.may_grow))))


@dataclass(frozen=True)
class FailedExpectation:
    """One expectation that did not hold, with its figures; `feature` is None where the slice is meant."""

    view: str
    slice: str
    feature: str | None
    expectation: str
    bound: float
    found: float
    severity: Severity = Severity.CRITICAL

    def sentence(self) -> str:
        """Such as `household_spend 2017-11-30: sales_value_sum_7d expected at least 0, found -3.5`."""
        return f"{self.view} {self.slice}: {self.finding()}"

    def finding(self) -> str:
        """The sentence without its view and slice."""
        subject = f"{self.feature} " if self.feature is not None else ""
        return f"{subject}expected {self.expectation}, found {figure(self.found)}"


@dataclass(frozen=True)
class Verdict:
    """The verdict on one slice.

    It is FAILED when a critical expectation does not hold, even if others could not be evaluated.
    `problems` says what could not be. Warnings stand in `failures` too, and don't fail it. unjudged: the features with
    bounds of which the slice has no value, so that the bounds said nothing about them.
    """

    slice: str
    outcome: Outcome
    failures: tuple[FailedExpectation, ...]
    checks: int
    message: str
    problems: tuple[str, ...] = ()
    unjudged: tuple[str, ...] = ()


def figure(number: float) -> str:
    """A number as a person reads it: `1,250`, `-3.5`, never `1250.0`."""
    return f"{number:,.15g}"


def first(sentences: Sequence[str], limit: int) -> str:
    """The first few sentences, and how many more there are."""
    more = f"; and {len(sentences) - limit} more" if len(sentences) > limit else ""
    return "; ".join(sentences[:limit]) + more
