"""What every operation has to pass, by its name: also for one that only a page of the docs shows."""

import datetime as dt
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import strategies as st

from definitions.operations.declared import Accepts, Reads, Result
from definitions.operations.table import window_operation
from kernels.columns import InputColumn, cleaned
from kernels.operations.kernel import ResultColumn
from kernels.operations.sum import SumOverflow
from kernels.operations.table import kernel
from kernels.partials.partial import State
from kernels.partials.rows import Rows, grouped_rows
from kernels.windows import oracle as window_oracle
from kernels.windows.aggregate import Output, aggregate
from tests.support.window_cases import Case, bits

Check = Callable[[str, "Slices"], None]
GROUPS = 3
LARGEST = 2**63 - 1
TWICE_ROUNDED = 2**53 + 7  # as a double, divided by 100, it is another double than its hundredth
WHOLE = [0, 1, -1, 7, TWICE_ROUNDED, 2**62 - 1, -(2**62), LARGEST, -LARGEST - 1]
MICROSECONDS = pa.timestamp("us", tz="UTC")
VALUES: dict[pa.DataType, list[Any]] = {
    pa.int64(): WHOLE,
    pa.float64(): [0.0, -0.0, 1.5, -3.25, 5e-324, 1.7e308, -1.7e308, math.nan, math.inf],
    pa.string(): ["", "b", "é", "zz", "Z"],
    pa.binary(): [b"", b"\x00", b"\xff", b"b"],
    pa.bool_(): [True, False],
    pa.date32(): [dt.date(1969, 12, 31), dt.date(2017, 1, 1), dt.date.max],
    MICROSECONDS: [dt.datetime(1900, 1, 1, tzinfo=dt.UTC), dt.datetime(2017, 1, 1, 0, 0, 0, 1, tzinfo=dt.UTC)],
    pa.decimal128(9, 2): [Decimal("0.00"), Decimal("-1.25"), Decimal("9999999.99")],
}
WIDE: dict[pa.DataType, list[Any]] = {
    pa.int64(): WHOLE,
    pa.decimal128(38, 0): [Decimal(value) for value in (0, 1, -3, 2**70, -(2**70), 10**38 - 1)],
}


@dataclass(frozen=True)
class Fact:
    group: int
    event: int
    line: int | None
    value: Any
    kept: bool


@dataclass(frozen=True)
class Slices:
    """Facts in slices, and in which order the states of the slices are merged."""

    type: pa.DataType | None
    divisor: int
    slices: list[list[Fact]]
    merges: list[int]

    @property
    def facts(self) -> list[Fact]:
        return [fact for part in self.slices for fact in part]

    def column(self, operation: str) -> ResultColumn:
        output = Output("value", operation, None if self.type is None else "v", None, None, self.divisor)
        return output.result(self.type)


def inputs_of(operation: str) -> dict[pa.DataType | None, list[Any]]:
    """The values of every type that the operation accepts; type None is no input at all."""
    declared = window_operation(operation)
    if declared.accepts is Accepts.BOOLEANS:
        return {pa.bool_(): VALUES[pa.bool_()]}
    inputs: dict[pa.DataType | None, list[Any]] = dict(WIDE if declared.reads is Reads.QUANTA else VALUES)
    return inputs | {None: []} if declared.reads is Reads.ROWS else inputs


def edges(operation: str) -> Iterator[Slices]:
    """Every value alone, every value in four slices, and all values, each in a slice of its own."""
    for type_, values in inputs_of(operation).items():
        pieces = [[value] for value in values] + [[value] * 4 for value in values] + [[None], [None, *values], []]
        for divisor in (1, 100) if type_ == pa.int64() else (1,):
            for piece in pieces:
                facts = [[Fact(0, index, None, value, True)] for index, value in enumerate(piece)]
                yield Slices(type_, divisor, [*facts, []], merges=[0] * (2 * len(facts) + 2))


@st.composite
def slices(draw: st.DrawFn, operation: str) -> Slices:
    """Random facts, with inputs of every type that the operation accepts; slices may be empty."""
    inputs = inputs_of(operation)
    type_ = draw(st.sampled_from(list(inputs)))
    values = st.sampled_from([None, *inputs[type_]])
    if type_ == pa.int64():
        values |= st.integers(-999, 999)
    fact = st.builds(
        Fact,
        group=st.integers(0, GROUPS - 1),
        event=st.integers(0, 3),
        line=st.sampled_from([None, 1, 2]),
        value=values,
        kept=st.booleans(),
    )
    parts = draw(st.lists(st.lists(fact, max_size=5), min_size=1, max_size=4))
    return Slices(
        type=type_,
        divisor=draw(st.sampled_from([1, 100])) if type_ == pa.int64() else 1,
        slices=parts,
        merges=draw(st.lists(st.integers(0, 99), min_size=2 * len(parts), max_size=2 * len(parts))),
    )


def rows_of(facts: Sequence[Fact], type_: pa.DataType | None) -> Rows:
    """The facts as a kernel reads them; their place in S9's order is event time, line, value."""
    values = None
    if type_ is not None:
        values = cleaned(pa.chunked_array([pa.array([fact.value for fact in facts], type_)]))
    position = [pa.array([fact.event for fact in facts], pa.int64()), pa.array([f.line for f in facts], pa.int64())]
    return grouped_rows(
        pa.array([fact.group for fact in facts], pa.int64()).to_numpy(),
        GROUPS,
        None if values is None else InputColumn("v", values),
        mask=pa.array([fact.kept for fact in facts], pa.bool_()).to_numpy(zero_copy_only=False),
        position=position if values is None else [*position, values],
    )


def state_of(operation: str, facts: Sequence[Fact], case: Slices) -> State:
    return kernel(operation).update(rows_of(facts, case.type))


def outcome(answer: Callable[[], Sequence[Any]]) -> list[Any] | str:
    """The values, doubles to the bit; or that a sum left its type."""
    try:
        return [value.hex() if isinstance(value, float) else value for value in answer()]
    except SumOverflow:
        return "overflow"


def published(operation: str, state: State, case: Slices) -> list[Any] | str:
    column = case.column(operation)
    return outcome(lambda: kernel(operation).result(state, column).to_pylist())


def expected(operation: str, case: Slices) -> list[Any] | str:
    """The oracle's answer per group, from all facts, oldest first."""
    column = case.column(operation)

    def of_group(group: int) -> Any:
        counted = [fact for fact in sorted(case.facts, key=_position) if fact.group == group and fact.kept]
        values = [_clean(fact.value) for fact in counted]
        if case.type is not None:
            values = [value for value in values if value is not None]
        return kernel(operation).oracle(values, column)

    return outcome(lambda: [of_group(group) for group in range(GROUPS)])


def check_an_update_answers_as_the_oracle(operation: str, case: Slices) -> None:
    assert published(operation, state_of(operation, case.facts, case), case) == expected(operation, case)


def check_merged_slices_answer_as_the_oracle(operation: str, case: Slices) -> None:
    """Whatever the split, and in whatever order the states are merged."""
    states = [state_of(operation, part, case) for part in case.slices]
    order = iter(case.merges)
    while len(states) > 1:
        one = states.pop(next(order) % len(states))
        other = states.pop(next(order) % len(states))
        states.append(kernel(operation).merge(one, other))
    assert published(operation, states[0], case) == expected(operation, case)


def check_subtracting_is_exact_or_refused(operation: str, case: Slices) -> None:
    """A state is the same after merging and subtracting; an operation whose states can't subtract refuses."""
    kept, leaving = case.slices[0], [fact for part in case.slices[1:] for fact in part]
    before, gone = state_of(operation, kept, case), state_of(operation, leaving, case)
    whole = kernel(operation).merge(before, gone)
    if not kernel(operation).subtracts:
        with pytest.raises(TypeError, match="can't be subtracted"):
            kernel(operation).subtract(whole, gone)
        return
    after = kernel(operation).subtract(whole, gone)
    for partial in kernel(operation).partials:
        assert after[partial].tolist() == before[partial].tolist()
    assert published(operation, after, case) == published(operation, before, case)


def check_nothing_answers_what_is_declared(operation: str, case: Slices) -> None:
    empty = pa.scalar(window_operation(operation).empty, case.column(operation).type).as_py()
    assert published(operation, state_of(operation, [], case), case) == outcome(lambda: [empty] * GROUPS)


def check_the_window_kernel_answers_as_the_oracle(case: Case) -> None:
    answer, oracle = aggregate(case.facts, case.plan), window_oracle.aggregate(case.facts, case.plan)
    assert answer.schema.equals(oracle.schema)
    assert bits(answer) == bits(oracle)


def check_it_is_declared_whole(operation: str) -> None:
    declared = window_operation(operation)
    assert declared.version >= 1
    assert declared.word.isidentifier()
    assert declared.reads is not Reads.QUANTA or declared.accepts is Accepts.NUMBERS
    # What is added up in quanta is no value of its input's type.
    assert declared.reads is not Reads.QUANTA or declared.result in (Result.SUM, Result.DOUBLE)


def _position(fact: Fact) -> tuple[int, int, tuple[bool, Any]]:
    value = _clean(fact.value)
    comparable = Fraction(value) if isinstance(value, (int, float, Decimal)) else value
    if isinstance(comparable, str):
        comparable = comparable.encode()
    return fact.event, fact.line or 0, (value is not None, comparable)


def _clean(value: Any) -> Any:
    if isinstance(value, float):
        return value + 0.0 if math.isfinite(value) else None
    return value


STEPS = (
    check_an_update_answers_as_the_oracle,
    check_merged_slices_answer_as_the_oracle,
    check_subtracting_is_exact_or_refused,
    check_nothing_answers_what_is_declared,
)
