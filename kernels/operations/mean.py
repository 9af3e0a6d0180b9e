"""mean: the exact sum of whole quanta, divided once by how many values there are (S24)."""

from collections.abc import Sequence
from fractions import Fraction

import pyarrow as pa

from kernels.exact import ratio
from kernels.operations.kernel import Kernel, ResultColumn, Value, where_enough
from kernels.partials.partial import State
from kernels.partials.sums import COUNT, SUM


def finish(state: State, column: ResultColumn) -> pa.Array:
    total = state[SUM]
    return where_enough(state[COUNT], 1, lambda cells, count: ratio(total[cells], count * column.divisor))


def oracle(values: Sequence[Value], column: ResultColumn) -> float | None:
    if not values:
        return None
    return float(Fraction(sum(int(value) for value in values), len(values) * column.divisor))


KERNEL = Kernel("mean", (COUNT, SUM), finish, oracle)
