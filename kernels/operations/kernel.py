"""What the file of an operation holds: its partial states, its last step, and its oracle."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa

from kernels.columns import Bools, InputColumn, Ints
from kernels.exact import Doubles, ratio
from kernels.partials.partial import Partial, State, Subtractable
from kernels.partials.rows import Rows

Value = Any  # of any Arrow type, as Python reads it


@dataclass(frozen=True)
class ResultColumn:
    """The column that the states become. `input` is named in messages; inputs are in units of 1/`divisor`."""

    name: str
    type: pa.DataType
    input: str = ""
    divisor: int = 1


@dataclass(frozen=True)
class Kernel:
    """One operation, computed in steps.

    finish: the published values, one per cell, from merged states; all divisions and roundings are in this step. May
    raise SumOverflow. oracle: the same value from the inputs of the rows that count, oldest first, without nulls;
    slow and obvious, for tests.
    """

    name: str
    partials: tuple[Partial[Any], ...]
    finish: Callable[[State, ResultColumn], pa.Array]
    oracle: Callable[[Sequence[Value], ResultColumn], Value]

    def update(self, rows: Rows) -> State:
        """The state of these rows, one entry per cell; what another operation computed of them is used again."""
        return State({partial: partial.of(rows) for partial in self.partials})

    def merge(self, one: State, other: State) -> State:
        """The state of the facts of both; no fact is in both."""
        return State({partial: partial.merge(one[partial], other[partial]) for partial in self.partials})

    @property
    def subtracts(self) -> bool:
        return all(isinstance(partial, Subtractable) for partial in self.partials)

    def subtract(self, whole: State, part: State) -> State:
        """The state of the facts of `whole` that are not in `part`; raises TypeError where that is not exact."""
        parts: dict[Partial[Any], Any] = {}
        for partial in self.partials:
            if not isinstance(partial, Subtractable):
                raise TypeError(f"{self.name} can't be subtracted: what is left can't be known from its state")
            parts[partial] = partial.subtract(whole[partial], part[partial])
        return State(parts)

    def result(self, state: State, column: ResultColumn) -> pa.Array:
        """The published values, of the column's type."""
        values = self.finish(state, column)
        return values if values.type == column.type else values.cast(column.type)


def where_enough(count: Ints, at_least: int, formula: Callable[[Bools, Ints], Doubles]) -> pa.Array:
    """The formula where at least so many rows count, null elsewhere (S22). It gets those cells, and their counts."""
    enough = count >= at_least
    values = np.zeros(len(enough), np.float64)
    values[enough] = formula(enough, count[enough])
    return pa.array(values, mask=~enough)


def in_units(values: pa.Array, column: ResultColumn) -> pa.Array:
    """Values that are inputs themselves, in units: divided where they are quanta."""
    if column.divisor == 1:
        return values
    is_none = np.asarray(values.is_null().to_numpy(zero_copy_only=False))
    return pa.array(ratio(InputColumn(column.input, values).units, column.divisor), mask=is_none)


def value_in_units(value: Value, column: ResultColumn) -> Value:
    """The same of one value, for oracles: in exact fractions."""
    return value if column.divisor == 1 else float(Fraction(value, column.divisor))
