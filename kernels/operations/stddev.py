"""stddev: the sample standard deviation, from exact sums of whole quanta and of their squares (S24)."""

import math
from collections.abc import Sequence
from fractions import Fraction

import pyarrow as pa

from kernels.exact import deviation
from kernels.operations.kernel import Kernel, ResultColumn, Value, where_enough
from kernels.partials.partial import State
from kernels.partials.sums import COUNT, SUM, SUM_OF_SQUARES


def finish(state: State, column: ResultColumn) -> pa.Array:
    total, squares = state[SUM], state[SUM_OF_SQUARES]
    return where_enough(
        state[COUNT], 2, lambda cells, count: deviation(count, total[cells], squares[cells], column.divisor)
    )


def oracle(values: Sequence[Value], column: ResultColumn) -> float | None:
    if len(values) < 2:
        return None
    units = [Fraction(int(value), column.divisor) for value in values]
    mean = sum(units, Fraction(0)) / len(units)
    return math.sqrt(sum(((unit - mean) ** 2 for unit in units), Fraction(0)) / (len(units) - 1))


KERNEL = Kernel("stddev", (COUNT, SUM, SUM_OF_SQUARES), finish, oracle)
