"""count: how many rows have a value; without an input, how many rows there are."""

from collections.abc import Sequence

import pyarrow as pa

from kernels.operations.kernel import Kernel, ResultColumn, Value
from kernels.partials.partial import State
from kernels.partials.sums import COUNT


def finish(state: State, column: ResultColumn) -> pa.Array:
    return pa.array(state[COUNT])


def oracle(values: Sequence[Value], column: ResultColumn) -> int:
    return len(values)


KERNEL = Kernel("count", (COUNT,), finish, oracle)
