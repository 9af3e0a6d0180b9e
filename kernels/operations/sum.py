"""sum: of whole quanta, exact; divided once where the quantum is a fraction (S24)."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pyarrow as pa

from definitions.errors import SourceError
from kernels.exact import DECIMAL_38, ratio
from kernels.operations.kernel import Kernel, ResultColumn, Value
from kernels.partials.partial import State
from kernels.partials.sums import SUM


class SumOverflow(SourceError, OverflowError):
    """A sum left the range of its type: int64, or decimal(38,0) before its one division (S24)."""


def finish(state: State, column: ResultColumn) -> pa.Array:
    total = state[SUM]
    limit, limit_name = _limit(column)
    if total.dtype == object and any(not -limit <= value < limit for value in total.tolist()):
        raise SumOverflow(
            f"output '{column.name}': a sum of '{column.input}' leaves {limit_name}; "
            "declare a coarser quantum, or look for a wrong value in the source"
        )
    return pa.array(total.astype(np.int64) if _is_whole(column) else ratio(total, column.divisor))


def oracle(values: Sequence[Value], column: ResultColumn) -> int | float:
    total = sum(int(value) for value in values)
    limit, limit_name = _limit(column)
    if not -limit <= total < limit:
        raise SumOverflow(f"{total} leaves {limit_name}")
    return total if _is_whole(column) else float(Fraction(total, column.divisor))


def _is_whole(column: ResultColumn) -> bool:
    return bool(column.type == pa.int64())


def _limit(column: ResultColumn) -> tuple[int, str]:
    return (2**63, "int64") if _is_whole(column) else (DECIMAL_38, "decimal(38,0)")


KERNEL = Kernel("sum", (SUM,), finish, oracle)
