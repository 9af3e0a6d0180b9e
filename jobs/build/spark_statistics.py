"""Statistics of rows, counted by Spark."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from pyspark.sql import functions as F

from definitions.durations import instant_us
from definitions.registry import key_of
from definitions.sources import Source
from definitions.views import DerivedView
from jobs.build.derived import rows_of
from jobs.build.row_statistics import FactsWanted, LoadedRows
from jobs.run.context import Job
from lakehouse.tables import read
from temporal.instants import event_date, instant


@dataclass
class Answers:
    """Answers by question, with the table version that they were given of; loads with the instant they begin after."""

    loads: dict[tuple[str, int | None, tuple[int, ...]], tuple[int, tuple[LoadedRows, ...]]] = field(
        default_factory=dict
    )
    partitions: dict[tuple[str, int | None, FactsWanted], dict[int, int]] = field(default_factory=dict)


class SparkStatistics:
    """Of the table versions that a run knows. Answers are kept: one Spark job per source is enough for all its views.

    before: an earlier look at the same warehouse, whose answers are taken over.
    """

    def __init__(self, job: Job, *, before: "SparkStatistics | None" = None) -> None:
        self._job, self._lock = job, threading.Lock()
        self._answers: Answers = before._answers if before else Answers()

    def loaded_since(self, source: Source, since_us: int, *, delays_us: Sequence[int]) -> tuple[LoadedRows, ...]:
        question = (key_of(source), self._job.published.version(key_of(source)), tuple(sorted(set(delays_us))))
        with self._lock:
            known = self._answers.loads.get(question)
            if known is None or known[0] > since_us:
                known = self._answers.loads[question] = (since_us, self._loaded_since(source, since_us, question[2]))
        return tuple(rows for rows in known[1] if rows.loaded_at_us > since_us)

    def _loaded_since(self, source: Source, since_us: int, delays_us: Sequence[int]) -> tuple[LoadedRows, ...]:
        table = key_of(source)
        rows = read(
            self._job.context.spark,
            self._job.context.warehouse.address(table).path,
            version=self._job.published.version(table),
        )
        event_us, known_us = F.unix_micros("event_time"), F.unix_micros("available_time")
        firsts = [F.min(F.greatest(event_us + 1, known_us - delay)).alias(f"after_{delay}") for delay in delays_us]
        loads = (
            rows.where(F.col("loaded_at") > instant(since_us))
            .groupBy(F.unix_micros("loaded_at").alias("loaded_at_us"))
            .agg(*firsts)
            .collect()
        )
        return tuple(
            LoadedRows(
                loaded_at_us=row["loaded_at_us"],
                first_as_of_us={delay: row[f"after_{delay}"] for delay in delays_us},
            )
            for row in loads
        )

    def partitions(self, view: DerivedView, wanted: FactsWanted) -> dict[int, int]:
        question = (key_of(view), self._job.published.version(key_of(view.source)), wanted)
        if question not in self._answers.partitions:
            self._answers.partitions[question] = self._counted(view, wanted)
        return self._answers.partitions[question]

    def _counted(self, view: DerivedView, wanted: FactsWanted) -> dict[int, int]:
        facts = rows_of(self._job, view.source, cut_us=wanted.cut_us).where(
            F.col("event_time") < instant(wanted.as_of_us)
        )
        is_new, before = F.lit(True), wanted.later_than
        if before is not None:
            is_new = (F.col("event_time") >= instant(before.event_us)) | (
                F.col("available_time") > instant(before.known_us)
            )
            if before.loaded_at_us is not None:
                is_new = is_new | (F.col("loaded_at") > instant(before.loaded_at_us))
        counts = (
            facts.groupBy(event_date(view.root.partition_by).alias("event_date"))
            .agg(F.count(F.lit(1)).alias("rows"), F.count_if(is_new).alias("new"))
            .where("new > 0")
        )
        return {instant_us(row["event_date"].isoformat()): row["rows"] for row in counts.collect()}

    def bytes(self, table: str, dates: Sequence[str] | None = None) -> int | None:
        return None
