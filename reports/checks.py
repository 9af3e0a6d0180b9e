"""The checks as a person reads them: failed ones one by one, all of them gathered over the slices."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reports import numbers
from reports.lineage import Names
from reports.model import Check, Value

OPEN_ENDS = ("least", "most", "equal", "equals", "exactly", "above", "below")
"""The bound is added to an expectation with such an end, to make it a whole phrase."""


@dataclass(frozen=True)
class Finding:
    """One check that did not hold, or could not be made."""

    view: str
    slice: str
    feature: str
    expected: str
    found: str
    is_failed: bool


@dataclass(frozen=True)
class Gathered:
    """One expectation over all slices with the same outcome; found: from the least to the greatest figure in them."""

    view: str
    feature: str
    expected: str
    found: str
    slices: int
    passed: bool | None


def findings(checks: Iterable[Check], names: Names) -> list[Finding]:
    """Failed checks first, then those that could not be made, each in the order of the run, newest slice first."""
    open_ones = [check for check in checks if not check.passed]
    open_ones.sort(key=lambda check: check.slice, reverse=True)
    open_ones.sort(key=lambda check: check.passed is None)
    return [_finding(check, names) for check in open_ones]


def gathered(checks: Iterable[Check], names: Names) -> list[Gathered]:
    """Every check is in exactly one line; those that did not hold come first."""

    def one(check: Check) -> tuple[int, str, str, str, str]:
        outcome = {False: 0, None: 1, True: 2}[check.passed]
        return outcome, names.address(check.view), check.feature, check.expectation, str(check.bound)

    together = itertools.groupby(sorted(checks, key=one), key=one)
    return [_gather(list(group), names) for _, group in together]


def outcomes(checks: Iterable[Check]) -> dict[str, int]:
    """The number of checks by outcome; outcomes without a check are left out."""
    words = {False: "failed", None: "could not be made", True: "passed"}
    ended = [check.passed for check in checks]
    return {word: ended.count(outcome) for outcome, word in words.items() if outcome in ended}


def _finding(check: Check, names: Names) -> Finding:
    expected, found = _phrases(check, check.found)
    view = names.address(check.view)
    return Finding(view, check.slice, check.feature, expected, found, is_failed=check.passed is False)


def _gather(group: Sequence[Check], names: Names) -> Gathered:
    first = group[0]
    figures = [_phrases(first, value)[1] for value in _span([check.found for check in group])]
    return Gathered(
        names.address(first.view),
        first.feature,
        expected=_phrases(first, None)[0],
        found=" … ".join(dict.fromkeys(figures)),
        slices=len(group),
        passed=first.passed,
    )


def _phrases(check: Check, found: Value) -> tuple[str, str]:
    """The expectation in words, and the found figure in the same unit."""
    expectation = check.expectation.replace("_", " ")
    if not expectation.endswith(OPEN_ENDS):
        return expectation, numbers.figures(check.bound, found)[1]
    bound, figure = numbers.figures(check.bound, found, as_share="share" in expectation)
    return f"{expectation} {bound}", figure


def _span(values: Sequence[Value]) -> list[Value]:
    """The least and the greatest figure; of texts, the first three distinct ones."""
    figures = [value for value in values if value is not None and not isinstance(value, str)]
    if figures:
        return [min(figures), max(figures)]
    return list(dict.fromkeys(values))[:3]
