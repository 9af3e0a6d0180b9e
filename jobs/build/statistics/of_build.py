"""Statistics of rows in a build: small tables are read in this process, without a Spark job; Spark counts others."""

from collections.abc import Sequence

from definitions.registry import key_of
from definitions.sources import Source
from jobs.build.statistics.delta import DeltaStatistics
from jobs.build.statistics.questions import FactsWanted, Knowledge, LoadedRows, RowStatistics
from jobs.build.statistics.spark import SparkStatistics
from jobs.run.context import Job
from lakehouse.reader import DeltaReader, is_local

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
        return self._of(source).loaded_since(source, since_us, delays_us=delays_us, has_versions=has_versions)

    def first_new_event(self, source: Source, before: Knowledge, *, cut_us: int) -> int | None:
        return self._of(source).first_new_event(source, before, cut_us=cut_us)

    def partitions(self, source: Source, wanted: FactsWanted) -> dict[int, int]:
        return self._of(source).partitions(source, wanted)

    def bytes(self, table: str, dates: Sequence[str] | None = None) -> int | None:
        return None

    def _of(self, source: Source) -> RowStatistics:
        """A bucket is left to Spark, which is running by then and has its own credentials."""
        table = key_of(source)
        if not is_local(self._warehouse.address(table).path):
            return self._spark
        size = self._small.bytes(table)
        return self._small if size is not None and size <= MOST_BYTES else self._spark
