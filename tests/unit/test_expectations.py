"""The gate's engine: loaded late, quiet, offline, safe in threads; its absence is an error."""

import importlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

from quality import Bounds, Outcome, RowRule, SliceFacts, Verdict, expectations, judge, preload
from quality.expectations import evaluate
from quality.loading import great_expectations
from quality.profile_checks import Problems
from quality.rules import RULES, Comparison
from quality.validation_table import validation_table

DAY = "2017-11-30"
PROJECT_ROOT = Path(__file__).parents[2]
PROFILE = pd.DataFrame(
    [{"slice": DAY, "feature": "spend", "rows": 9, "nulls": 0, "nans": 0, "minimum": -1.0, "maximum": 3.0}]
)
FACTS = SliceFacts(DAY, rows=9, duplicate_keys=0, null_keys=0)
SCRIPT = """
import os, socket, sys
import pandas
import quality
assert not {"great_expectations", "pyspark"} & set(sys.modules), "imported too early"
def refuse(*arguments):
    raise AssertionError(f"a connection to {arguments}")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
quality.preload()
quality.preload()
profile = pandas.DataFrame({"slice": ["d"], "feature": ["f"], "rows": [1], "nulls": [0], "nans": [0],
                            "minimum": [-1.0], "maximum": [1.0]})
verdicts = quality.judge("v", profile, slices=[quality.SliceFacts("d", 1, 0, 0)],
                         bounds=[quality.Bounds("f", at_least=0)], row_rule=quality.RowRule())
assert verdicts["d"].message == "v d: 1 of 6 expectations failed; f expected at least 0, found -1", verdicts
assert os.listdir() == [], os.listdir()
"""
WITHOUT_ENGINE = """
import sys
sys.modules["great_expectations"] = None
import pandas, quality
quality.preload()
profile = pandas.DataFrame({"slice": ["d"], "feature": ["f"], "rows": [1], "nulls": [0], "nans": [0],
                            "minimum": [1.0], "maximum": [1.0]})
verdicts = quality.judge("v", profile, slices=[quality.SliceFacts("d", 1, 0, 0)], bounds=[],
                         row_rule=quality.RowRule())
print(verdicts["d"].message)
"""


def judged(view: str, at_least: float) -> Verdict:
    bounds = [Bounds("spend", at_least=at_least)]
    return judge(view, PROFILE, slices=[FACTS], bounds=bounds, row_rule=RowRule())[DAY]


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_engine_is_loaded_late_prints_nothing_connects_nowhere_and_leaves_no_file(tmp_path: Path) -> None:
    done = run(SCRIPT, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_process_may_end_while_the_engine_is_still_being_imported(tmp_path: Path) -> None:
    done = run(
        "import quality, threading; quality.preload(); "
        "assert [thread.daemon for thread in threading.enumerate()][1:] == [True]",
        tmp_path,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_the_engine_nothing_passes(tmp_path: Path) -> None:
    done = run(WITHOUT_ENGINE, tmp_path)
    assert done.stderr == ""
    assert done.stdout.startswith("v d: could not be checked: Great Expectations stopped with ModuleNotFound")


def test_an_exception_inside_the_engine_is_the_third_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*arguments: object, **options: object) -> None:
        raise TypeError("Object of type bool is not JSON serializable\nand a long trace")

    monkeypatch.setattr(great_expectations().Checkpoint, "run", crash)
    verdict = judged("v", at_least=-5)
    assert verdict.outcome is Outcome.COULD_NOT_CHECK
    assert verdict.problems == (
        "Great Expectations stopped with TypeError: Object of type bool is not JSON serializable",
    )
    monkeypatch.undo()
    assert judged("v", at_least=-5).outcome is Outcome.PASSED


def laid_out() -> pd.DataFrame:
    bounds = [Bounds("spend", at_least=0)]
    return validation_table(PROFILE, [FACTS], bounds=bounds, row_rule=RowRule(), problems=Problems())


def test_a_metric_that_could_not_be_computed_is_a_problem_and_not_a_failure() -> None:
    findings = {result.rule.name: result for result in evaluate(laid_out().drop(columns="minimum"))}
    finding = findings.pop("minimum")
    assert finding.failing == ()
    assert finding.problem is not None
    assert "minimum" in finding.problem.removeprefix("the expectation minimum was not evaluated: ")
    assert {result.problem for result in findings.values()} == {None}


def test_an_expectation_that_saw_too_few_figures_counts_as_not_evaluated() -> None:
    findings = {result.rule.name: result for result in evaluate(laid_out().assign(minimum=float("nan")))}
    assert findings["minimum"].problem == "the expectation minimum saw 0 of the 1 figures it is for"


def test_every_rule_holds_on_its_bound_and_fails_past_it() -> None:
    table = pd.concat([laid_out()] * 2, ignore_index=True)
    past = {Comparison.AT_LEAST: 4.0, Comparison.AT_MOST: 6.0, Comparison.EQUAL: 6.0}
    findings = {}
    for rule in RULES:
        figures = pd.Series([5.0, past[rule.comparison]]).reindex(table.index)
        bounds = {other.bound: 5.0 if other is rule else float("nan") for other in RULES}
        findings[rule] = evaluate(table.assign(**{rule.found: figures}, **bounds).iloc[:2])
    for rule, results in findings.items():
        assert {result.rule: result.failing for result in results if result.failing} == {rule: (1,)}
        assert {result.problem for result in results} == {None}


def test_views_judged_from_several_threads_get_their_own_verdicts() -> None:
    preload()
    limits = [-2.0, 0.0] * 6
    with ThreadPoolExecutor(6) as threads:
        verdicts = list(threads.map(lambda limit: judged(f"view {limit}", limit), limits))
    assert [verdict.outcome for verdict in verdicts] == [Outcome.PASSED, Outcome.FAILED] * 6
    assert all(
        failure.view == "view 0.0" and failure.found == -1.0 for verdict in verdicts for failure in verdict.failures
    )


def test_someone_elses_context_is_theirs_again_after_a_verdict() -> None:
    theirs = great_expectations().get_context(mode="ephemeral")
    assert judged("v", at_least=0).outcome is Outcome.FAILED
    factory = importlib.import_module("great_expectations.data_context.data_context.context_factory")
    assert factory.project_manager.get_current_project() is theirs
    assert list(theirs.suites.all()) == []


def test_a_long_process_keeps_no_results() -> None:
    judged("v", at_least=0)
    gate = expectations._gate
    assert gate is not None
    assert gate.context.validation_results_store.list_keys() == []
