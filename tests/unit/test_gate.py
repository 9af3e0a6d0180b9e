"""The gate's verdicts, as small tables: one slice just inside and one just outside of every bound."""

import math
import pickle
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest

from definitions.errors import DefinitionError
from quality import (
    Bounds,
    CouldNotCheck,
    FailedExpectation,
    GateFailed,
    Outcome,
    RowRule,
    Severity,
    SliceFacts,
    Verdict,
    judge,
    refusal,
)

DAY = "2017-11-30"
NUMBERS: dict[str, float | None] = {"-": None, "nan": math.nan, "-inf": -math.inf, "inf": math.inf}
PROFILE = """
    slice       feature      rows  nulls  nans  minimum  maximum  mean
    2017-11-30  spend         100     20     0      0.0     50.0   9.5
    2017-11-30  visits        100      0     0      1        7     2
"""
BOUNDS = (Bounds("spend", at_least=0, at_most=50, max_null_share=0.2), Bounds("visits", at_least=1))
FACTS = SliceFacts(DAY, rows=100, duplicate_keys=0, null_keys=0)


def table(text: str) -> pd.DataFrame:
    header, *lines = [line.split() for line in text.strip().splitlines()]
    rows = [[*line[:2], *(NUMBERS[c] if c in NUMBERS else float(c) for c in line[2:])] for line in lines]
    return pd.DataFrame(rows, columns=header)


def verdict(
    profile: str | pd.DataFrame | pa.Table = PROFILE,
    facts: SliceFacts = FACTS,
    bounds: tuple[Bounds, ...] = BOUNDS,
    row_rule: RowRule | None = None,
) -> Verdict:
    profile = table(profile) if isinstance(profile, str) else profile
    verdicts = judge("household_spend", profile, slices=[facts], bounds=bounds, row_rule=row_rule or RowRule())
    return verdicts[facts.slice]


def together(cases: dict[str, tuple[str, SliceFacts]]) -> dict[str, Verdict]:
    """Many cases in one call, each a slice of its own, named as the case."""
    return judge(
        "household_spend",
        pd.concat([table(profile).assign(slice=name) for name, (profile, _) in cases.items()]),
        slices=[replace(facts, slice=name) for name, (_, facts) in cases.items()],
        bounds=BOUNDS,
        row_rule=RowRule(),
    )


def with_spend(row: str) -> str:
    """The profile with another row for spend."""
    return PROFILE.replace("spend         100     20     0      0.0     50.0   9.5", row)


def findings(judged: Verdict) -> list[str]:
    return [failure.finding() for failure in judged.failures]


def test_a_slice_on_its_bounds_passes_and_says_how_many_expectations_hold() -> None:
    judged = verdict()
    assert judged == Verdict(DAY, Outcome.PASSED, (), 10, "household_spend 2017-11-30: 10 of 10 expectations hold")


def test_a_feature_past_one_edge_fails_that_expectation_alone() -> None:
    expected = {
        "spend 100 20 0 -3.5 50 9.5": "spend expected at least 0, found -3.5",
        "spend 100 20 0 -1e-9 50 9.5": "spend expected at least 0, found -1e-09",
        "spend 100 20 0 0 50.01 9.5": "spend expected at most 50, found 50.01",
        "spend 100 21 0 0 50 9.5": "spend expected a null share of at most 0.2, found 0.21",
        "spend 100 100 0 - - -": "spend expected a null share of at most 0.2, found 1",
        "spend 100 20 1 0 50 9.5": "spend expected no NaN or infinite value, found 1",
        "spend 100 0 100 - - -": "spend expected no NaN or infinite value, found 100",
    }
    verdicts = together({row: (with_spend(row), FACTS) for row in expected})
    assert {row: findings(judged) for row, judged in verdicts.items()} == {
        row: [finding] for row, finding in expected.items()
    }
    assert {judged.outcome for judged in verdicts.values()} == {Outcome.FAILED}


def test_a_column_of_nothing_but_nulls_passes_where_every_share_of_nulls_is_allowed() -> None:
    profile = PROFILE.replace("20     0      0.0     50.0   9.5", "100 0 - - -")
    assert verdict(profile, bounds=(Bounds("spend", at_least=0), BOUNDS[1])).outcome is Outcome.PASSED


def test_a_bounded_feature_without_a_value_is_named_since_its_bounds_judged_nothing() -> None:
    profile = PROFILE.replace("20     0      0.0     50.0   9.5", "100 0 - - -")
    bounded = verdict(profile, bounds=(Bounds("spend", at_most=50), BOUNDS[1]))
    assert bounded.unjudged == ("spend",)
    assert bounded.message == (
        "household_spend 2017-11-30: 8 of 8 expectations hold; no value, so its bounds judged nothing: spend"
    )
    assert verdict(profile, bounds=(Bounds("spend"), BOUNDS[1])).unjudged == ()  # it has no bounds
    assert verdict().unjudged == ()


def test_an_infinite_minimum_fails_even_where_only_the_bound_looks_at_it() -> None:
    judged = verdict(PROFILE.replace("20     0      0.0 ", "20     1      -inf"))
    assert findings(judged) == [
        "spend expected at least 0, found -inf",
        "spend expected no NaN or infinite value, found 1",
    ]


def test_a_feature_without_bounds_may_hold_no_nan_either() -> None:
    judged = verdict(PROFILE + f"    {DAY} extra 100 0 2 0 1 0", bounds=BOUNDS)
    assert findings(judged) == ["extra expected no NaN or infinite value, found 2"]


def test_a_slice_past_one_edge_fails_that_expectation_alone() -> None:
    expected = {
        "expected no duplicate key, found 3": replace(FACTS, duplicate_keys=3),
        "expected no null key, found 1": replace(FACTS, null_keys=1),
        "expected at least 101 rows after the 202 published before, found 100": replace(FACTS, rows_before=202),
        "expected at most 90 rows after the 9 published before, found 100": replace(FACTS, rows_before=9),
        "expected exactly 101 rows, found 100": replace(FACTS, rows_expected=101),
        "expected exactly 99 rows, found 100": replace(FACTS, rows_expected=99),
        "expected exactly 0 rows, found 100": replace(FACTS, rows_expected=0),
    }
    verdicts = together({finding: (PROFILE, facts) for finding, facts in expected.items()})
    assert {finding: findings(judged) for finding, judged in verdicts.items()} == {
        finding: [finding] for finding in expected
    }
    assert {judged.outcome for judged in verdicts.values()} == {Outcome.FAILED}


def test_row_counts_on_their_edges_pass() -> None:
    edges = {"halved": 200, "ten times as many": 10, "after an empty snapshot": 0}
    cases = {name: (PROFILE, replace(FACTS, rows_before=before)) for name, before in edges.items()}
    cases["as expected"] = (PROFILE, replace(FACTS, rows_expected=100))
    assert {judged.outcome for judged in together(cases).values()} == {Outcome.PASSED}


def test_the_allowed_shrinkage_is_exact_where_floats_are_not() -> None:
    assert math.ceil(100 * (1 - 0.7)) == 31
    assert RowRule(may_shrink=0.7).fewest(100) == 30
    assert RowRule(may_grow=0.1).most(30) == 33
    assert RowRule(may_shrink=None, may_grow=None).fewest(100) is None


def test_an_empty_slice_fails_unless_it_may_be_empty() -> None:
    empty = f"slice feature rows nulls nans minimum maximum mean\n{DAY} spend 0 0 0 - - -"
    facts = replace(FACTS, rows=0)
    judged = verdict(empty, facts, BOUNDS[:1])
    assert findings(judged) == ["expected at least 1 rows, found 0"]
    assert verdict(empty, facts, BOUNDS[:1], RowRule(min_rows=0)).outcome is Outcome.PASSED


def test_figures_that_are_missing_or_contradict_each_other_could_not_be_checked() -> None:
    expected = {
        "spend 100 20 0 nan 50 9": "spend has values but no minimum in the profile",
        "spend 100 20 0 0 - 9": "spend has values but no maximum in the profile",
        "spend 100 nan 0 0 50 9": "spend has a count that is missing or negative",
        "spend 100 20 -1 0 50 9": "spend has a count that is missing or negative",
        "spend 100 90 11 0 50 9": "spend has more null, NaN and infinite cells than rows",
        "spend 100 20 0 7 6 9": "spend has a minimum above its maximum",
        "spend 100 20 0 0 inf 9": "spend has an infinite extreme but no infinite cell",
        "spend 99 20 0 0 50 9": "spend was profiled on other rows than were counted",
        "visits 100 20 0 0 50 9": "visits stands more than once in the profile",
        "spent 100 0 0 0 50 9": "spend is declared but not in the profile",
    }
    for row, judged in together({row: (with_spend(row), FACTS) for row in expected}).items():
        assert judged.outcome is Outcome.COULD_NOT_CHECK, row
        assert expected[row] in judged.problems
        assert judged.message.startswith(f"household_spend {row}: could not be checked: ")
        assert expected[row] in judged.message


@pytest.mark.parametrize("column", ["slice", "feature", "rows", "nulls", "nans", "minimum", "maximum"])
def test_a_profile_without_one_of_its_columns_could_not_be_checked(column: str) -> None:
    assert verdict(table(PROFILE).drop(columns=column)).outcome is Outcome.COULD_NOT_CHECK


def test_counts_of_a_slice_that_can_not_be_could_not_be_checked() -> None:
    expected = {
        "its rows is -1": replace(FACTS, rows=-1),
        "its duplicate_keys is 101 in 100 rows": replace(FACTS, duplicate_keys=101),
        "its rows_before is -5": replace(FACTS, rows_before=-5),
    }
    verdicts = together({problem: (PROFILE, facts) for problem, facts in expected.items()})
    assert {judged.outcome for judged in verdicts.values()} == {Outcome.COULD_NOT_CHECK}
    assert {problem: judged.problems[0] for problem, judged in verdicts.items()} == {
        problem: problem for problem in expected
    }


def test_nothing_passes_for_want_of_a_profile_or_of_slices() -> None:
    profile, rules = table(PROFILE), RowRule()
    unprofiled = judge("v", profile.iloc[:0], slices=[FACTS], bounds=(), row_rule=rules)
    assert unprofiled[DAY].problems == ("the profile has no row for it",)
    uncounted = judge("v", profile, slices=[], bounds=BOUNDS, row_rule=rules)
    assert uncounted[DAY].problems == ("the profile has it, but its rows and keys were not counted",)
    twice = judge("v", profile, slices=[FACTS, replace(FACTS, rows=7)], bounds=BOUNDS, row_rule=rules)
    assert twice[DAY].problems == ("its counts were given 2 times",)
    assert {each[DAY].outcome for each in (unprofiled, uncounted, twice)} == {Outcome.COULD_NOT_CHECK}
    with pytest.raises(CouldNotCheck, match="no slice was profiled"):
        judge("v", profile.iloc[:0], slices=[], bounds=BOUNDS, row_rule=rules)


def test_a_failure_that_was_seen_outweighs_what_could_not_be_checked() -> None:
    judged = verdict(PROFILE.replace("20     0      0.0 ", "20     0      nan "), replace(FACTS, null_keys=2))
    assert judged.outcome is Outcome.FAILED
    assert judged.message == (
        "household_spend 2017-11-30: 1 of 9 expectations failed; expected no null key, found 2; "
        "not checked: spend has values but no minimum in the profile"
    )


def test_every_slice_has_its_own_verdict() -> None:
    profile = table("""
        slice       feature  rows  nulls  nans  minimum  maximum  mean
        2017-11-05  spend      10      0     0        0        5     1
        2017-11-12  spend      11      0     0       -2        5     1
        2017-11-19  spend      12      0     0        -        5     1
        2017-11-26  spend      13      0     0        0        5     1
    """)
    slices = [SliceFacts(f"2017-11-{5 + 7 * week:02}", 10 + week, 0, 0) for week in range(4)]
    verdicts = judge("v", profile, slices=slices, bounds=[Bounds("spend", at_least=0)], row_rule=RowRule())
    assert {day: judged.outcome.value for day, judged in verdicts.items()} == {
        "2017-11-05": "passed",
        "2017-11-12": "failed",
        "2017-11-19": "could not check",
        "2017-11-26": "passed",
    }


def test_all_failing_rows_come_back_and_not_a_sample_of_them() -> None:
    names = [f"f{number}" for number in range(500)]
    profile = pd.concat([table(PROFILE).iloc[1:].assign(feature=name) for name in names])
    judged = verdict(profile, bounds=tuple(Bounds(name, at_least=2) for name in names))
    assert [failure.feature for failure in judged.failures] == names


def test_a_warning_is_reported_and_fails_nothing() -> None:
    wary = (replace(BOUNDS[0], at_least=1, severity=Severity.WARNING), BOUNDS[1])
    judged = verdict(bounds=wary)
    assert judged.outcome is Outcome.PASSED
    assert judged.message == (
        "household_spend 2017-11-30: 9 of 10 expectations hold; spend expected at least 1, found 0"
    )
    with_nan = PROFILE.replace("20     0      0.0 ", "20     1      0.0 ")
    assert verdict(with_nan, bounds=wary).outcome is Outcome.FAILED
    wary_rows = RowRule(min_rows=101, severity=Severity.WARNING)
    assert verdict(row_rule=wary_rows).outcome is Outcome.PASSED
    for absolute in (
        replace(FACTS, null_keys=1),
        replace(FACTS, duplicate_keys=1),
        replace(FACTS, rows_expected=99),
    ):
        assert verdict(facts=absolute, row_rule=wary_rows).outcome is Outcome.FAILED


@pytest.mark.parametrize(
    "form",
    [
        lambda frame: pa.Table.from_pandas(frame),
        lambda frame: frame.convert_dtypes(),
        lambda frame: pa.Table.from_pandas(frame.assign(slice=date.fromisoformat(DAY))),
        lambda frame: frame.assign(minimum=[Decimal("-3.50"), Decimal(1)]),
        lambda frame: frame.set_index(pd.Index([7, 7])),
        lambda frame: frame.astype({"slice": "category", "feature": "category"}),
    ],
    ids=["arrow", "nullable types", "arrow with dates", "decimals", "repeated index", "categories"],
)
def test_the_profile_may_come_in_any_form_of_table(form: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    judged = verdict(form(table(PROFILE).assign(minimum=[-3.5, 1.0])))
    assert findings(judged) == ["spend expected at least 0, found -3.5"]


def test_a_failure_is_one_sentence_with_its_figures() -> None:
    failure = FailedExpectation("household_spend", DAY, "sales_value_sum_7d", "at least 0", 0, -3.5)
    assert failure.sentence() == "household_spend 2017-11-30: sales_value_sum_7d expected at least 0, found -3.5"


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Bounds("spend", at_least=math.nan), "at_least is nan"),
        (lambda: Bounds("spend", at_most=math.inf), "at_most is inf"),
        (lambda: Bounds("spend", at_least=2, at_most=1), "lies above"),
        (lambda: Bounds("spend", max_null_share=1.5), "max_null_share is 1.5"),
        (lambda: Bounds("spend", max_null_share=math.nan), "max_null_share is nan"),
        (lambda: RowRule(min_rows=-1), "min_rows is -1"),
        (lambda: RowRule(may_shrink=1.1), "may_shrink is 1.1"),
        (lambda: RowRule(may_grow=math.nan), "may_grow is nan"),
        (lambda: verdict(bounds=(*BOUNDS, BOUNDS[0])), "spend has bounds 2 times"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_where_it_is_declared(build: Callable[[], object], message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        build()


def test_verdicts_that_passed_refuse_nothing() -> None:
    assert refusal("household_spend", {DAY: verdict()}, kept_at="staging/r1") is None


def test_a_failed_gate_names_five_failures_and_where_the_rejected_rows_are() -> None:
    bad = tuple(FailedExpectation("v", DAY, f"f{number}", "at least 0", 0, -float(number)) for number in range(1, 8))
    verdicts = {
        DAY: Verdict(DAY, Outcome.FAILED, bad, 9, ""),
        "2017-12-01": Verdict("2017-12-01", Outcome.COULD_NOT_CHECK, (), 0, ""),
    }
    error = refusal("v", verdicts, kept_at="staging/r1/v")
    assert isinstance(error, GateFailed)
    assert error.exit_code == 30
    assert str(error) == (
        "v did not pass its gate: v 2017-11-30: f1 expected at least 0, found -1; "
        "v 2017-11-30: f2 expected at least 0, found -2; v 2017-11-30: f3 expected at least 0, found -3; "
        "v 2017-11-30: f4 expected at least 0, found -4; v 2017-11-30: f5 expected at least 0, found -5; "
        "and 2 more. Not checked: 2017-12-01. The previous partition stays published; "
        "the rejected one is kept at staging/r1/v. Correct the data or the declared bounds, then run again."
    )
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_an_unchecked_slice_ends_with_an_exit_code_of_its_own() -> None:
    verdicts = {DAY: verdict(table(PROFILE).iloc[:1])}
    error = refusal("household_spend", verdicts, kept_at="staging/r1", has_published=False)
    assert isinstance(error, CouldNotCheck)
    assert error.exit_code == 31
    assert str(error) == (
        "household_spend could not be checked: household_spend 2017-11-30: could not be checked: visits is "
        "declared but not in the profile. Nothing is published; the rejected one is kept at staging/r1. "
        "This says nothing about the data: correct the check, then run again."
    )
