"""The verdict: a profile, the counts of its slices and what was declared, judged slice by slice."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence

import pandas as pd
import pyarrow as pa

from definitions.errors import DefinitionError
from quality.errors import CouldNotCheck
from quality.expectations import Finding, evaluate
from quality.profile_checks import Problems
from quality.rules import Rule
from quality.validation_table import validation_table
from quality.verdicts import (
    Bounds,
    FailedExpectation,
    Outcome,
    RowRule,
    Severity,
    SliceFacts,
    Verdict,
    figure,
    first,
)

MENTIONED = 3  # failures and problems that a verdict's message lists; the verdict itself holds all


def judge(
    view: str,
    profile: pd.DataFrame | pa.Table,
    *,
    slices: Sequence[SliceFacts],
    bounds: Sequence[Bounds],
    row_rule: RowRule,
) -> dict[str, Verdict]:
    """One verdict for every slice that `slices` or the profile names; safe to call from several threads.

    `profile` has one row per (slice, feature): `slice`, `feature`, `rows`, `nulls`, `nans` (NaN or infinite
    cells), `minimum`, `maximum` (of the other cells, null when there are none or no order). Null keys,
    duplicate keys and NaN are never allowed; null shares, extremes and row counts as declared.

    A slice passes only if every expectation was evaluated and holds. What can't be evaluated (a declared
    feature that the profile lacks, figures that are missing or contradict each other, an error inside
    Great Expectations) is COULD_NOT_CHECK, unless another expectation failed.

    Raises CouldNotCheck when no slice is named at all, and DefinitionError for a feature bound twice.
    Cost: about 0.15 s, whatever the number of slices, plus the import of Great Expectations the first time.
    """
    _refuse_repeated_bounds(view, bounds)
    problems = Problems()
    table = validation_table(profile, slices, bounds=bounds, row_rule=row_rule, problems=problems)
    names = list(dict.fromkeys([*(facts.slice for facts in slices), *problems]))
    if not names:
        raise CouldNotCheck(f"{view}: no slice was profiled, so there is nothing to judge; profile at least one.")
    findings = evaluate(table)
    failures = _failures(view, table, findings)
    checks = _checks(table, findings)
    unjudged = _unjudged(table, bounds)
    unevaluated = tuple(dict.fromkeys(finding.problem for finding in findings if finding.problem))
    return {
        name: _verdict(
            view,
            name,
            failures=failures[name],
            checks=checks[name],
            unjudged=unjudged[name],
            problems=[*problems.of(name), *unevaluated],
        )
        for name in names
    }


def _refuse_repeated_bounds(view: str, bounds: Sequence[Bounds]) -> None:
    for feature, times in Counter(bound.feature for bound in bounds).items():
        if times > 1:
            raise DefinitionError(f"{view}: {feature} has bounds {times} times; declare them once.")


def _failures(view: str, table: pd.DataFrame, findings: Sequence[Finding]) -> dict[str, list[FailedExpectation]]:
    failures: dict[str, list[FailedExpectation]] = defaultdict(list)
    for finding in findings:
        for row in table.loc[list(finding.failing)].to_dict("records"):
            failures[row["slice"]].append(_failure(view, finding.rule, row=row))
    return failures


def _failure(view: str, rule: Rule, *, row: Mapping[Hashable, object]) -> FailedExpectation:
    figures = {str(name): value for name, value in row.items() if isinstance(value, float)}
    feature = row["feature"]
    return FailedExpectation(
        view=view,
        slice=str(row["slice"]),
        feature=feature if isinstance(feature, str) else None,
        expectation=rule.says.format(bound=figure(figures[rule.bound]), before=figure(figures["rows_before"])),
        bound=figures[rule.bound],
        found=figures[rule.found],
        severity=Severity.CRITICAL if rule.is_absolute else Severity(str(row["severity"])),
    )


def _checks(table: pd.DataFrame, findings: Sequence[Finding]) -> dict[str, int]:
    """How many expectations were evaluated for each slice."""
    evaluated = [finding.rule.bound for finding in findings if finding.problem is None]
    counts = table[evaluated].notna().sum(axis=1).groupby(table["slice"]).sum()
    return defaultdict(int, {str(name): int(count) for name, count in counts.items()})


def _unjudged(table: pd.DataFrame, bounds: Sequence[Bounds]) -> dict[str, list[str]]:
    """By slice, the features with a bound on values of which it has rows and no value."""
    bounded = {bound.feature for bound in bounds if bound.at_least is not None or bound.at_most is not None}
    without = table[table["feature"].isin(bounded) & (table["null_share"] == 1)]
    found: dict[str, list[str]] = defaultdict(list)
    for row in without.to_dict("records"):
        found[str(row["slice"])].append(str(row["feature"]))
    return found


def _verdict(
    view: str,
    name: str,
    *,
    failures: Sequence[FailedExpectation],
    checks: int,
    unjudged: Sequence[str],
    problems: Sequence[str],
) -> Verdict:
    if any(failure.severity is Severity.CRITICAL for failure in failures):
        outcome = Outcome.FAILED
    elif problems or not checks:
        outcome = Outcome.COULD_NOT_CHECK
    else:
        outcome = Outcome.PASSED
    parts = [_headline(outcome, checks, failed=len(failures))]
    if outcome is Outcome.COULD_NOT_CHECK:
        parts[0] += f": {first(problems, MENTIONED) or 'no expectation applies to it'}"
    if failures:
        parts.append(first([failure.finding() for failure in failures], MENTIONED))
    if problems and outcome is Outcome.FAILED:
        parts.append(f"not checked: {first(problems, MENTIONED)}")
    if unjudged:
        parts.append(f"no value, so its bounds judged nothing: {first(unjudged, MENTIONED)}")
    return Verdict(
        name,
        outcome,
        failures=tuple(failures),
        checks=checks,
        message=f"{view} {name}: {'; '.join(parts)}",
        problems=tuple(problems),
        unjudged=tuple(unjudged),
    )


def _headline(outcome: Outcome, checks: int, *, failed: int) -> str:
    match outcome:
        case Outcome.PASSED:
            return f"{checks - failed} of {checks} expectations hold"
        case Outcome.FAILED:
            return f"{failed} of {checks} expectations failed"
        case Outcome.COULD_NOT_CHECK:
            return "could not be checked"
