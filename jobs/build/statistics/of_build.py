"""Statistics of rows in a build: small tables are read in this process, without a Spark job; Spark counts others."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from definitions.registry import key_of
from definitions.sources import Source
from jobs.build.statistics.delta import DeltaStatistics
from jobs.build.statistics.questions import FactsWanted, Knowledge, LoadedRows, RowStatistics
from jobs.build.statistics.spark import SparkStatistics
from jobs.run.context import Job
from lakehouse.reader import DeltaReader, NeedsSpark
from lakehouse.tables import local_folder

Answer = TypeVar("Answer")
MOST_BYTES = 32 * 1024 * 1024


class BuildStatistics:
    """Of the table versions that a run knows. before: an earlier look at the same warehouse; its answers are kept."""

    def __init__(self, job: Job, *, before: "BuildStatistics | None" = None) -> None:
        self._warehouse = job.context.warehouse
        reader = DeltaReader(most_bytes=MOST_BYTES)
        self._small = DeltaStatistics(reader, self._warehouse, job.published, counts_rows=True)
        self._spark: SparkStatistics = SparkStatistics(job, before=before._spark if before else None)

    def loaded_since(
        self, source: Source, since_us: int, *, delays_us: Sequence[int], has_versions: bool
    ) -> tuple[LoadedRows, ...]:
        return self._asked(
            key_of(source),
            lambda asked: asked.loaded_since(source, since_us, delays_us=delays_us, has_versions=has_versions),
        )

    def first_new_event(self, source: Source, before: Knowledge, *, cut_us: int) -> int | None:
        return self._asked(key_of(source), lambda asked: asked.first_new_event(source, before, cut_us=cut_us))

    def partitions(self, source: Source, wanted: FactsWanted) -> dict[int, int]:
        return self._asked(key_of(source), lambda asked: asked.partitions(source, wanted))

    def dates(self, table: str) -> set[str]:
        return self._asked(table, lambda asked: asked.dates(table))

    def bytes(self, table: str, dates: Sequence[str] | None = None) -> int | None:
        return None

    def _asked(self, table: str, question: Callable[[RowStatistics], Answer]) -> Answer:
        if self._is_small(table):
            with suppress(NeedsSpark):
                return question(self._small)
        return question(self._spark)

    def _is_small(self, table: str) -> bool:
        """A bucket is left to Spark, which is running by then and has its own credentials."""
        size = self._small.bytes(table) if local_folder(self._warehouse.address(table).path) is not None else None
        return size is not None and size <= MOST_BYTES
