"""How many, the sum, the sum of squares: integers, so they merge and subtract exactly (S24)."""

from kernels.columns import Ints, Values
from kernels.exact import added, squared, subtracted, summed
from kernels.partials.partial import Subtractable
from kernels.partials.rows import Rows


class _Count(Subtractable[Ints]):
    def update(self, rows: Rows) -> Ints:
        return rows.at_cells(rows.coverage.count())

    def merge(self, one: Ints, other: Ints) -> Ints:
        return one + other

    def subtract(self, whole: Ints, part: Ints) -> Ints:
        return whole - part


class _Sum(Subtractable[Values]):
    """int64 where it fits, else Python ints."""

    def update(self, rows: Rows) -> Values:
        return rows.at_cells(summed(rows.units, rows.coverage.sum))

    def merge(self, one: Values, other: Values) -> Values:
        return added(one, other)

    def subtract(self, whole: Values, part: Values) -> Values:
        return subtracted(whole, part)


class _SumOfSquares(_Sum):
    def update(self, rows: Rows) -> Values:
        return rows.at_cells(summed(squared(rows.units), rows.coverage.sum))


COUNT = _Count()
SUM = _Sum()
SUM_OF_SQUARES = _SumOfSquares()
