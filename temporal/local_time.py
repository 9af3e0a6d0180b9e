"""Local times to instants by our own zone data, as Spark columns: a Java runtime has those of another year (S3).

A zone's clock becomes literal arrays, and the piece of it that a local time lies in is found by shifting the time to
the number of its cell: no search, no join, and nothing that depends on the session's zone or on the JVM.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from pyspark.sql import Column
from pyspark.sql import functions as F

from definitions.durations import SECOND_US
from definitions.zones import local_clock

_MOST_EDGES = 2  # in a cell: a clock change has two, the ends of the time that it skips or repeats


@dataclass(frozen=True)
class Cells:
    """Sorted edges by cells of 2^bits: `first` has the piece that each cell begins in; at most two more begin in it."""

    bits: int
    first: tuple[int, ...]


def cells(edges: Sequence[int]) -> Cells:
    """The widest cells over all edges, from the first edge on."""
    bits = next(bits for bits in range(44, 0, -1) if _are_few(edges, 1 << bits))
    return Cells(bits, tuple(bisect_right(edges, low) - 1 for low in _lows(edges, 1 << bits)))


def _are_few(edges: Sequence[int], width: int) -> bool:
    return all(bisect_left(edges, low + width) - bisect_right(edges, low) <= _MOST_EDGES for low in _lows(edges, width))


def _lows(edges: Sequence[int], width: int) -> range:
    return range(edges[0], edges[-1] + 1, width)


@dataclass(frozen=True)
class LocalReading:
    """The instants, in microseconds, of a local time: with the offset before a clock change and with that after it.

    They differ only where the local time comes twice, or never.
    """

    before: Column
    after: Column

    @property
    def is_odd(self) -> Column:
        return self.before != self.after

    @property
    def earlier(self) -> Column:
        return F.least(self.before, self.after)

    @property
    def later(self) -> Column:
        return F.greatest(self.before, self.after)


def read_local(clock_us: Column, zone: str) -> LocalReading:
    """Reads a zone's local time, given as microseconds since 1970 as if it were UTC.

    Right from 1900 up to 2200; outside of them, the offset is that of the nearest of these years.
    """
    table = _table(zone)
    piece = _piece(clock_us, table)
    return LocalReading(clock_us - F.get(table.before, piece), clock_us - F.get(table.after, piece))


@dataclass(frozen=True)
class _Table:
    """A zone's clock as literals: offsets in microseconds, by piece."""

    edges: Column
    before: Column
    after: Column
    first: Column
    start: int
    bits: int
    cells: int


def _piece(clock_us: Column, table: _Table) -> Column:
    cell = F.shiftright(clock_us - F.lit(table.start), table.bits)
    first = F.get(table.first, F.least(F.greatest(cell, F.lit(0)), F.lit(table.cells - 1)).cast("int"))
    begun = [F.coalesce((clock_us >= F.get(table.edges, first + n)).cast("int"), F.lit(0)) for n in (1, 2)]
    return first + begun[0] + begun[1]


@cache
def _numbers(zone: str) -> tuple[Cells, tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    clock = local_clock(zone)
    edges, before, after = (tuple(SECOND_US * n for n in part) for part in (clock.at, clock.before, clock.after))
    return cells(edges), edges, before, after


def _table(zone: str) -> _Table:
    found, edges, before, after = _numbers(zone)
    return _Table(
        edges=_array(edges, "bigint"),
        before=_array(before, "bigint"),
        after=_array(after, "bigint"),
        first=_array(found.first, "int"),
        start=edges[0],
        bits=found.bits,
        cells=len(found.first),
    )


def _array(numbers: Sequence[int], kind: str) -> Column:
    """A literal: one text, since thousands of literal columns take Spark seconds; it is folded to an array once."""
    return F.split(F.lit(",".join(map(str, numbers))), ",").cast(f"array<{kind}>")
