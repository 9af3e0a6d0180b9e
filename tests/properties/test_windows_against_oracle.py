"""The window kernel against its oracle, on random facts whose instants crowd the boundaries."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.operations.table import kernels
from kernels.windows import aggregate as windows
from kernels.windows import oracle as window_oracle
from tests.support.window_cases import Case, bits, cases

ALL = tuple(kernels())


@settings(max_examples=150, deadline=None)
@given(cases(ALL))
def test_the_kernel_answers_what_the_oracle_answers_bit_for_bit(case: Case) -> None:
    expected = window_oracle.aggregate(case.facts, case.plan)
    answer = windows.aggregate(case.facts, case.plan)
    assert answer.schema.equals(expected.schema)
    assert bits(answer) == bits(expected)


@settings(max_examples=50, deadline=None)
@given(cases(ALL), st.integers(0, 2**32))
def test_many_instants_answer_what_one_at_a_time_does_whatever_the_row_order_and_the_slice_size(
    case: Case, seed: int
) -> None:
    shuffled = np.random.default_rng(seed).permutation(len(case.rows))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows, "CELLS", 1)
        at_once = windows.aggregate(case.facts.take(pa.array(shuffled)), case.plan)
    plans = [replace(case.plan, grid_us=(instant,)) for instant in case.plan.grid_us]
    one_by_one = pa.concat_tables(windows.aggregate(case.facts, plan) for plan in plans)
    by_keys = [(key, "ascending") for key in (*case.plan.keys, "event_time")]
    assert bits(at_once) == bits(one_by_one.sort_by(by_keys))
