"""Every operation over windows, found by its name: its steps against its oracle, on random facts (S20 to S25).

A new file in `definitions/operations` and `kernels/operations` is tested here without an edit.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from definitions import model
from definitions.aggregations import Aggregation
from definitions.operations.table import group_operations, window_operations
from kernels.operations.table import kernels
from tests.support import operation_checks as checks
from tests.support.window_cases import cases

every_step = pytest.mark.parametrize("check", checks.STEPS, ids=lambda check: check.__name__.removeprefix("check_"))
every_operation = pytest.mark.parametrize("operation", kernels())


def test_each_operation_is_declared_and_computed() -> None:
    assert list(window_operations()) == list(kernels())
    assert len(kernels()) > 8


@every_operation
def test_it_is_declared_whole_and_its_word_declares_it(operation: str) -> None:
    checks.check_it_is_declared_whole(operation)
    declared = getattr(model, window_operations()[operation].word)("amount")
    assert declared == Aggregation(operation=operation, input="amount")


@pytest.mark.parametrize("operation", group_operations())
def test_a_comparison_has_its_word(operation: str) -> None:
    assert getattr(model, group_operations()[operation].word)("amount").operation == operation


@every_operation
@every_step
def test_its_steps_answer_as_its_oracle_at_the_edges_of_every_type(check: checks.Check, operation: str) -> None:
    for case in checks.edges(operation):
        check(operation, case)


@every_operation
@every_step
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_its_steps_answer_as_its_oracle_on_random_slices(
    check: checks.Check, operation: str, data: st.DataObject
) -> None:
    check(operation, data.draw(checks.slices(operation)))


@every_operation
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_the_window_kernel_answers_as_its_oracle(operation: str, data: st.DataObject) -> None:
    checks.check_the_window_kernel_answers_as_the_oracle(data.draw(cases((operation,))))
