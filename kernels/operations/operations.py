"""What each operation answers for a slice of entities; what several outputs need is computed once."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from definitions.errors import SourceError
from kernels.columns import Bools, InputColumn, Ints, Values
from kernels.exact import DECIMAL_38, Doubles, deviation, ratio, squared, summed
from kernels.windows.intervals import Coverage
from kernels.windows.plan import Operation, Output
from kernels.windows.slices import Slice


class SumOverflow(SourceError, OverflowError):
    """A sum left the range of its type: int64, or decimal(38,0) before its one division (S24)."""


@dataclass(frozen=True, eq=False)
class Measure:
    """One input under one filter in one window, answered at the given cells for each operation asked.

    `cells` are flat (entity, instant) indexes of the slice; `by_value` is needed for distinct counts only.
    """

    part: Slice
    column: InputColumn | None
    mask: Bools | None
    end: Ints
    cells: Ints
    by_value: Ints | None

    def answer(self, output: Output) -> pa.Array:
        """The output's column: one value per cell, of its result type; raises SumOverflow."""
        kind = output.result_type(None if self.column is None else self.column.array.type)
        divisor = output.divisor
        match output.operation:
            case Operation.COUNT:
                answer = pa.array(self.count)
            case Operation.COUNT_DISTINCT:
                answer = pa.array(self._distinct())
            case Operation.SUM:
                answer = self._sum(output, kind)
            case Operation.MEAN:
                answer = self._at_least(1, lambda at, n: ratio(self.total[at], n * divisor))
            case Operation.STDDEV:
                answer = self._at_least(2, lambda at, n: deviation(n, self.total[at], self.squares[at], divisor))
            case Operation.MIN | Operation.MAX:
                answer = self._divided(self._extreme(largest=output.operation == Operation.MAX), divisor)
            case _:
                answer = self._divided(self._choice(newest=output.operation == Operation.LAST), divisor)
        return answer if answer.type == kind else answer.cast(kind)

    @cached_property
    def counts(self) -> Bools:
        """Which rows of the slice count: they cover an instant, pass the filter and have a value (S23)."""
        counts = self.part.start < self.end
        for condition in (self.mask, None if self.column is None else self.column.valid):
            counts = counts if condition is None else counts & condition[self.part.rows]
        return counts

    @cached_property
    def rows(self) -> Ints:
        return np.flatnonzero(self.counts)

    @cached_property
    def coverage(self) -> Coverage:
        return self.part.coverage(self.end, self.rows)

    @cached_property
    def count(self) -> Ints:
        return self._at_cells(self.coverage.count())

    @cached_property
    def units(self) -> Values:
        values: Values = self._input.units[self.part.rows][self.rows]
        return values

    @cached_property
    def total(self) -> Values:
        return self._at_cells(summed(self.units, self.coverage.sum))

    @cached_property
    def squares(self) -> Values:
        return self._at_cells(summed(squared(self.units), self.coverage.sum))

    @property
    def _input(self) -> InputColumn:
        if self.column is None:
            raise TypeError("count(*) reads no input")
        return self.column

    def _at_cells(self, matrix: Values) -> Values:
        return matrix.reshape(-1)[self.cells]

    def _at_least(self, rows: int, formula: Callable[[Bools, Ints], Doubles]) -> pa.Array:
        """The formula where at least so many rows count, null elsewhere (S22)."""
        enough = self.count >= rows
        values = np.zeros(len(enough), np.float64)
        values[enough] = formula(enough, self.count[enough])
        return pa.array(values, mask=~enough)

    def _sum(self, output: Output, kind: pa.DataType) -> pa.Array:
        limit = 2**63 if kind == pa.int64() else DECIMAL_38
        total = self.total
        if total.dtype == object and any(not -limit <= value < limit for value in total.tolist()):
            raise SumOverflow(
                f"output '{output.name}': a sum of '{self._input.name}' leaves "
                f"{'int64' if kind == pa.int64() else 'decimal(38,0)'}; "
                "declare a coarser quantum, or look for a wrong value in the source"
            )
        return pa.array(total.astype(np.int64) if kind == pa.int64() else ratio(total, output.divisor))

    def _distinct(self) -> Ints:
        if self.by_value is None:
            raise TypeError("a distinct count needs the rows by value")
        rows = self.by_value[self.counts[self.by_value]]
        codes = self._input.codes[self.part.rows][rows]
        return self._at_cells(self.part.coverage(self.end, rows).distinct(codes))

    def _extreme(self, *, largest: bool) -> pa.Array:
        values = self._input.comparable[self.part.rows][self.rows]
        found = self._at_cells(self.coverage.extreme(values, largest=largest))
        return self._input.restored(found, is_null=self.count == 0)

    def _choice(self, *, newest: bool) -> pa.Array:
        """The input of the newest or oldest row; facts lie in their order, so the row number is the rank."""
        found = self._at_cells(self.coverage.extreme(self.rows, largest=newest)) + self.part.rows.start
        none = self.count == 0
        return self._input.array.take(pa.array(np.where(none, 0, found), mask=none))

    def _divided(self, units: pa.Array, divisor: int) -> pa.Array:
        if divisor == 1:
            return units
        none = np.asarray(units.is_null().to_numpy(zero_copy_only=False))
        numbers = InputColumn(self._input.name, units).units
        return pa.array(ratio(numbers, divisor), mask=none)
