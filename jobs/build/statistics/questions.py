"""What a plan has to know of the rows themselves, where the ledger is not enough: few questions, one pass each.

Each answer goes by the clocks and the load of single rows of raw. What a row's version does to other rows of its fact
is the plan's to conclude (`derived_plan`, `planners`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from definitions.sources import Source


@dataclass(frozen=True, kw_only=True)
class LoadedRows:
    """The rows of a source that one load brought.

    first_as_of_us: by cut delay c, the earliest T whose slice one of them changes, in µs. A row is known at T's cut
    from available_time - c on. It changes the slice when its own event_time < T, and also when another version of its
    fact lies before T: the newer of the two takes the older one out (S7).
    """

    loaded_at_us: int
    first_as_of_us: Mapping[int, int]


@dataclass(frozen=True, kw_only=True)
class Knowledge:
    """The rows of a source that were known at a cut: available by then, and brought by a load up to then."""

    cut_us: int
    loaded_at_us: int


@dataclass(frozen=True, kw_only=True)
class FactsWanted:
    """The rows of a source with event_time < as_of_us, available at cut_us.

    before, from_us: only the partitions that hold a row which `before` did not have, or one of `from_us` or later;
    None for `before`: all partitions.
    """

    as_of_us: int
    cut_us: int
    before: Knowledge | None
    from_us: int


class RowStatistics(Protocol):
    """Answered with Spark in a build (`spark`), and without it for a plan (`delta`): alike.

    The latter raises NeedsSpark for what one process should not, or can't, read.
    """

    def loaded_since(
        self, source: Source, since_us: int, *, delays_us: Sequence[int], has_versions: bool
    ) -> tuple[LoadedRows, ...]:
        """The loads after an instant that brought rows; one pass over those rows, for all as-ofs and cut delays.

        has_versions: whether a fact may have several rows; then a second pass looks for those of the same facts.
        """

    def first_new_event(self, source: Source, before: Knowledge, *, cut_us: int) -> int | None:
        """The earliest event_time (µs) of the rows available at the cut that `before` did not have; None: no rows."""

    def partitions(self, source: Source, wanted: FactsWanted) -> dict[int, int]:
        """The partitions to build, by their first day in µs, with the number of rows available in each."""

    def dates(self, table: str) -> set[str]:
        """The partitions of a table that others may have written to, by their first days; none where none is."""

    def bytes(self, table: str, dates: Sequence[str] | None = None) -> int | None:
        """Of a table, or of some of its partitions; None where that is not known without reading."""
