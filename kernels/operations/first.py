"""first: the value of the oldest row that has one, by the order of facts (S9)."""

from collections.abc import Sequence

import pyarrow as pa

from kernels.operations.kernel import Kernel, ResultColumn, Value, in_units, value_in_units
from kernels.partials.choices import OLDEST
from kernels.partials.partial import State


def finish(state: State, column: ResultColumn) -> pa.Array:
    return in_units(state[OLDEST].value, column)


def oracle(values: Sequence[Value], column: ResultColumn) -> Value:
    return value_in_units(values[0], column) if values else None


KERNEL = Kernel("first", (OLDEST,), finish, oracle)
