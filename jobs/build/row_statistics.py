"""What a plan has to know of the rows themselves, where the ledger is not enough: two questions, one pass each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from definitions.sources import Source
from definitions.views import DerivedView


@dataclass(frozen=True, kw_only=True)
class LoadedRows:
    """The rows of a source that one load brought.

    first_as_of_us: by cut delay c, the earliest T whose slice holds one of them, in µs. A row is in the slice of T
    when event_time < T and available_time <= T + c, so from max(event_time + 1 µs, available_time - c) on.
    """

    loaded_at_us: int
    first_as_of_us: Mapping[int, int]


@dataclass(frozen=True, kw_only=True)
class LaterThan:
    """What a derived view held when it was built last: facts before an as-of, known at its cut, of a load.

    loaded_at_us: None where the view reads another view, whose rows carry no load.
    """

    event_us: int
    known_us: int
    loaded_at_us: int | None


@dataclass(frozen=True, kw_only=True)
class FactsWanted:
    """The facts of a derived view with event_time < as_of_us known at cut_us.

    later_than: count only partitions that hold a fact the last build did not; None: all partitions.
    """

    as_of_us: int
    cut_us: int
    later_than: LaterThan | None


class RowStatistics(Protocol):
    """Answered by Spark in a build (`spark_statistics`), and without it for a plan (`delta_statistics`).

    The latter raises NeedsSpark for what one process should not, or can't, read.
    """

    def loaded_since(self, source: Source, since_us: int, *, delays_us: Sequence[int]) -> tuple[LoadedRows, ...]:
        """The loads after an instant that brought rows; one pass over those rows, for all as-ofs and cut delays."""

    def partitions(self, view: DerivedView, wanted: FactsWanted) -> dict[int, int]:
        """The partitions to build, by their first day in µs, with the number of facts in each."""

    def bytes(self, table: str, dates: Sequence[str] | None = None) -> int | None:
        """Of a table, or of some of its partitions; None where that is not known without reading."""
