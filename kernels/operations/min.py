"""min: the smallest value; text and binary by their unsigned bytes."""

from collections.abc import Sequence

import pyarrow as pa

from kernels.operations.kernel import Kernel, ResultColumn, Value, in_units, value_in_units
from kernels.partials.extremes import SMALLEST
from kernels.partials.partial import State


def finish(state: State, column: ResultColumn) -> pa.Array:
    return in_units(state[SMALLEST], column)


def oracle(values: Sequence[Value], column: ResultColumn) -> Value:
    return value_in_units(min(values), column) if values else None


KERNEL = Kernel("min", (SMALLEST,), finish, oracle)
