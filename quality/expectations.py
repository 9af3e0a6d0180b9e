"""One suite and one checkpoint of Great Expectations, run on a validation table; the result names the rows that failed.

Great Expectations keeps its context in a global and is not safe in threads, so there is one context in a process, and
every run holds a lock. A run takes about 0.1 s whatever the number of rows, opens no connection, writes no file and
prints nothing.
"""

import contextlib
import importlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from quality.loading import great_expectations
from quality.rules import RULES, Comparison, Rule

NAME = "published_partition"
_turn = threading.Lock()
_gate: "Gate | None" = None


@dataclass(frozen=True)
class Finding:
    """The result of one rule: the rows of the validation table that fail it, or why it could not be evaluated."""

    rule: Rule
    failing: tuple[int, ...] = ()
    problem: str | None = None


@dataclass(frozen=True)
class Gate:
    """The process's one checkpoint: bounds are columns of the validation table, so it serves every view."""

    context: Any
    checkpoint: Any


def evaluate(table: pd.DataFrame) -> tuple[Finding, ...]:
    """One finding per rule, in the order of RULES. Never raises for what Great Expectations does."""
    with _turn:
        try:
            results = _run(table)
        except Exception as error:  # a third outcome whatever it is: an unchecked slice is not published
            problem = f"Great Expectations stopped with {type(error).__name__}: {_first_line(str(error))}"
            return tuple(Finding(rule, problem=problem) for rule in RULES)
    return tuple(_finding(rule, results.get(rule.name), table) for rule in RULES)


def _run(table: pd.DataFrame) -> dict[str, Any]:
    """The checkpoint's results by the name of their rule."""
    global _gate
    gx = great_expectations()
    with _own_context():
        _gate = _gate or _built(gx)
        _set_context(_gate.context)
        outcome = _gate.checkpoint.run(batch_parameters={"dataframe": table})
        for key in _gate.context.validation_results_store.list_keys():
            _gate.context.validation_results_store.remove_key(key)  # else a long process keeps all of them
    (validation,) = outcome.run_results.values()
    return {result.expectation_config.meta["rule"]: result for result in validation.results}


def _finding(rule: Rule, result: Any, table: pd.DataFrame) -> Finding:
    """A result counts only if it names its failing rows and was evaluated on every row that the rule applies to."""
    if result is None:
        return Finding(rule, problem=f"the expectation {rule.name} gave no result")
    figures = result.result
    failing = figures.get("unexpected_index_list")
    if failing is None:
        return Finding(rule, problem=f"the expectation {rule.name} was not evaluated: {_reason(result)}")
    applies = int(table[rule.bound].notna().sum())
    evaluated = figures["element_count"] - figures["missing_count"]
    if evaluated != applies:
        return Finding(rule, problem=f"the expectation {rule.name} saw {evaluated} of the {applies} figures it is for")
    return Finding(rule, failing=tuple(int(index) for index in failing))


def _reason(result: Any) -> str:
    """The message of a metric error, which lies flat or one level down, under the metric's name."""
    info: dict[str, Any] = result.exception_info or {}
    for level in (info, *(nested for nested in info.values() if isinstance(nested, dict))):
        if level.get("exception_message"):
            return _first_line(str(level["exception_message"]))
    return "no reason given"


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0][:200]


def _built(gx: Any) -> Gate:
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    context.enable_analytics(enable=False)
    frames = context.data_sources.add_pandas(NAME).add_dataframe_asset(NAME)
    suite = context.suites.add(gx.ExpectationSuite(NAME, expectations=[_expectation(rule) for rule in RULES]))
    validation = context.validation_definitions.add(
        gx.ValidationDefinition(name=NAME, data=frames.add_batch_definition_whole_dataframe(NAME), suite=suite)
    )
    checkpoint = gx.Checkpoint(
        name=NAME,
        validation_definitions=[validation],
        result_format={"result_format": "COMPLETE"},  # names all failing rows; the table is small
    )
    return Gate(context, context.checkpoints.add(checkpoint))


@contextlib.contextmanager
def _own_context() -> Iterator[None]:
    """Restores the current context, a global: the process may use Great Expectations elsewhere, too."""
    manager = _context_factory().project_manager
    try:
        theirs = manager.get_current_project()
    except Exception:  # it raises when there is none yet
        theirs = None
    try:
        yield
    finally:
        manager.set_project(theirs)


def _set_context(context: Any) -> None:
    _context_factory().set_context(context)


def _context_factory() -> Any:
    return importlib.import_module("great_expectations.data_context.data_context.context_factory")


def _expectation(rule: Rule) -> Any:
    gxe = importlib.import_module("great_expectations.expectations")
    options = {"ignore_row_if": "either_value_is_missing", "meta": {"rule": rule.name}}
    match rule.comparison:
        case Comparison.EQUAL:
            return gxe.ExpectColumnPairValuesToBeEqual(column_A=rule.found, column_B=rule.bound, **options)
        case Comparison.AT_LEAST:
            pair = {"column_A": rule.found, "column_B": rule.bound}
        case Comparison.AT_MOST:
            pair = {"column_A": rule.bound, "column_B": rule.found}
    return gxe.ExpectColumnPairValuesAToBeGreaterThanB(or_equal=True, **pair, **options)
