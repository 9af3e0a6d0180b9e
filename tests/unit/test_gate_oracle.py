"""The gate against a plain-Python reading of its rules, on random profiles."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quality import Bounds, Outcome, RowRule, SliceFacts, judge

FEATURES = ("a", "b", "c")
SHRINK, GROW = Fraction(3, 10), Fraction(1, 2)
RULE = RowRule(min_rows=2, may_shrink=0.3, may_grow=0.5)
Failure = tuple[str | None, str, float]


@dataclass(frozen=True)
class Profiled:
    """One row of the profile, in exact numbers."""

    feature: str
    rows: int
    nulls: int
    nans: int
    minimum: int | None
    maximum: int | None


small = st.integers(0, 3)
figure = st.none() | st.integers(-2, 4)
bounds = st.builds(
    lambda low, width, share: (low, None if low is None or width is None else low + width, share),
    st.none() | st.integers(-1, 2),
    st.none() | small,
    st.sampled_from([0.0, 0.25, 0.5, 1.0]),
)


@st.composite
def slices(draw: st.DrawFn, name: str = "") -> tuple[SliceFacts, list[Profiled]]:
    rows = draw(st.integers(0, 8))
    seldom = st.sampled_from([0, 0, 0, 0, 1])
    facts = SliceFacts(
        name,
        rows,
        duplicate_keys=min(rows, draw(seldom)),
        null_keys=min(rows, draw(seldom)),
        rows_before=draw(st.none() | st.integers(0, 12)),
        rows_expected=draw(st.sampled_from([None, rows, rows, rows + 1])),
    )
    profiled = [
        Profiled(
            feature,
            rows + draw(st.sampled_from([0] * 15 + [1])),
            nulls=min(rows, draw(small)) + draw(st.sampled_from([0] * 15 + [9])),
            nans=draw(seldom),
            minimum=draw(figure),
            maximum=draw(figure),
        )
        for feature in draw(st.sampled_from([FEATURES] * 9 + [FEATURES[:2], ("a", "b", "d")]))
    ]
    return facts, profiled


def is_sound(row: Profiled, facts: SliceFacts) -> bool:
    crossed = row.minimum is not None and row.maximum is not None and row.minimum > row.maximum
    return row.rows == facts.rows and row.nulls + row.nans <= row.rows and not crossed


def extreme_failures(row: Profiled, bound: Bounds) -> Iterator[Failure | None]:
    """The failures of a sound row; None for a figure that should be there and is not."""
    if row.nulls + row.nans < row.rows:
        if bound.at_least is not None:
            if row.minimum is None:
                yield None
            elif row.minimum < bound.at_least:
                yield row.feature, "at least", row.minimum
        if bound.at_most is not None:
            if row.maximum is None:
                yield None
            elif row.maximum > bound.at_most:
                yield row.feature, "at most", row.maximum
    if row.rows and Fraction(row.nulls, row.rows) > Fraction(bound.max_null_share):
        yield row.feature, "a null", row.nulls / row.rows
    if row.nans:
        yield row.feature, "no NaN", row.nans


def row_failures(facts: SliceFacts) -> Iterator[Failure]:
    if facts.duplicate_keys:
        yield None, "no duplicate", facts.duplicate_keys
    if facts.null_keys:
        yield None, "no null", facts.null_keys
    if facts.rows < RULE.min_rows:
        yield None, "at least", facts.rows
    if facts.rows_before is not None and facts.rows < facts.rows_before * (1 - SHRINK):
        yield None, "at least", facts.rows
    if facts.rows_before and facts.rows > facts.rows_before * (1 + GROW):
        yield None, "at most", facts.rows
    if facts.rows_expected is not None and facts.rows != facts.rows_expected:
        yield None, "exactly", facts.rows


def oracle(facts: SliceFacts, profiled: list[Profiled], declared: dict[str, Bounds]) -> tuple[Outcome, list[Failure]]:
    unchecked = bool(set(FEATURES) - {row.feature for row in profiled})
    failures = list(row_failures(facts))
    for row in profiled:
        if not is_sound(row, facts):
            unchecked = True
            continue
        for failure in extreme_failures(row, declared.get(row.feature, Bounds(row.feature))):
            if failure is None:
                unchecked = True
            else:
                failures.append(failure)
    if failures:
        return Outcome.FAILED, failures
    return (Outcome.COULD_NOT_CHECK if unchecked else Outcome.PASSED), []


def by_text(failures: list[Failure]) -> list[str]:
    return sorted(f"{feature} {words} {float(found)}" for feature, words, found in failures)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_gate_judges_as_a_plain_reading_of_its_rules_does(data: st.DataObject) -> None:
    declared = {}
    for feature in FEATURES:
        low, high, share = data.draw(bounds)
        declared[feature] = Bounds(feature, at_least=low, at_most=high, max_null_share=share)
    drawn = [data.draw(slices(name=f"day {number}")) for number in range(25)]
    profile = pd.DataFrame([{"slice": facts.slice, **vars(row)} for facts, rows in drawn for row in rows])
    verdicts = judge(
        "v",
        profile,
        slices=[facts for facts, _ in drawn],
        bounds=list(declared.values()),
        row_rule=RULE,
    )
    words = ("at least", "at most", "a null", "no NaN", "no duplicate", "no null", "exactly")
    for facts, rows in drawn:
        outcome, failures = oracle(facts, rows, declared)
        judged = verdicts[facts.slice]
        assert judged.outcome is outcome, judged.message
        assert by_text(failures) == by_text(
            [
                (failure.feature, next(w for w in words if failure.expectation.startswith(w)), failure.found)
                for failure in judged.failures
            ]
        )
