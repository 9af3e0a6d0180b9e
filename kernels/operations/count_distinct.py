"""count_distinct: how many different values, exactly (S25)."""

from collections.abc import Sequence

import pyarrow as pa

from kernels.operations.kernel import Kernel, ResultColumn, Value
from kernels.partials.distinct import DISTINCT_VALUES
from kernels.partials.partial import State


def finish(state: State, column: ResultColumn) -> pa.Array:
    return pa.array(state[DISTINCT_VALUES].count)


def oracle(values: Sequence[Value], column: ResultColumn) -> int:
    return len(set(values))


KERNEL = Kernel("count_distinct", (DISTINCT_VALUES,), finish, oracle)
