"""Statistics of rows, counted by Spark."""

import threading
from collections.abc import Callable, Hashable, Sequence
from functools import reduce
from operator import and_
from typing import Any, TypeVar

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from definitions.durations import instant_us
from definitions.registry import key_of
from definitions.sources import Source
from jobs.build.statistics.questions import FactsWanted, Knowledge, LoadedRows
from jobs.run.context import Job
from lakehouse.tables import read
from temporal.instants import event_date, instant
from temporal.versions import known_before

Answer = TypeVar("Answer")


class SparkStatistics:
    """Of the table versions that a run knows. Answers are kept: one Spark job per source is enough for all its views.

    before: an earlier look at the same warehouse, whose answers are taken over.
    """

    def __init__(self, job: Job, *, before: "SparkStatistics | None" = None) -> None:
        self._job, self._lock = job, threading.Lock()
        self._answers: dict[Hashable, Any] = before._answers if before else {}

    def loaded_since(
        self, source: Source, since_us: int, *, delays_us: Sequence[int], has_versions: bool
    ) -> tuple[LoadedRows, ...]:
        delays = tuple(sorted(set(delays_us)))
        question = ("loads", key_of(source), self._version(source), delays, has_versions)
        with self._lock:
            known = self._answers.get(question)
            if known is None or known[0] > since_us:
                loads = self._loaded_since(source, since_us, delays, has_versions=has_versions)
                known = self._answers[question] = (since_us, loads)
        return tuple(rows for rows in known[1] if rows.loaded_at_us > since_us)

    def first_new_event(self, source: Source, before: Knowledge, *, cut_us: int) -> int | None:
        def counted() -> int | None:
            is_new = (F.col("available_time") <= instant(cut_us)) & _is_new(before)
            row = self._rows(source).where(is_new).agg(F.min(F.unix_micros("event_time")).alias("first")).first()
            return row["first"] if row else None

        return self._kept(("first", key_of(source), self._version(source), before, cut_us), counted)

    def partitions(self, source: Source, wanted: FactsWanted) -> dict[int, int]:
        return self._kept(
            ("partitions", key_of(source), self._version(source), wanted), lambda: self._counted(source, wanted)
        )

    def dates(self, table: str) -> set[str]:
        job, version = self._job, self._job.published.version(table)
        if version is None:
            return set()
        rows = read(job.context.spark, job.context.warehouse.address(table).path, version=version)
        return {row["event_date"].isoformat() for row in rows.select("event_date").distinct().dropna().collect()}

    def bytes(self, table: str, dates: Sequence[str] | None = None) -> int | None:
        return None

    def _kept(self, question: Hashable, answer: Callable[[], Answer]) -> Answer:
        if question not in self._answers:
            self._answers[question] = answer()
        kept: Answer = self._answers[question]
        return kept

    def _loaded_since(
        self, source: Source, since_us: int, delays_us: Sequence[int], *, has_versions: bool
    ) -> tuple[LoadedRows, ...]:
        rows = self._rows(source)
        loaded = rows.where(F.col("loaded_at") > instant(since_us))
        if has_versions:
            loaded = _with_first_event(loaded, rows, source)
        event_us, known_us = F.unix_micros("event_time"), F.unix_micros("available_time")

        def first(delay: int) -> Column:
            return F.greatest(event_us + 1, known_us - delay)

        loads = (
            loaded.groupBy(F.unix_micros("loaded_at").alias("loaded_at_us"))
            .agg(*[F.min(first(delay)).alias(f"after_{delay}") for delay in delays_us])
            .collect()
        )
        return tuple(
            LoadedRows(
                loaded_at_us=row["loaded_at_us"],
                first_as_of_us={delay: row[f"after_{delay}"] for delay in delays_us},
            )
            for row in loads
        )

    def _counted(self, source: Source, wanted: FactsWanted) -> dict[int, int]:
        is_changed = F.lit(True)
        if wanted.before is not None:
            is_changed = _is_new(wanted.before) | (F.col("event_time") >= instant(wanted.from_us))
        counts = (
            known_before(self._rows(source), as_of_us=wanted.as_of_us, cut_us=wanted.cut_us)
            .groupBy(event_date(source.partition_by).alias("event_date"))
            .agg(F.count(F.lit(1)).alias("rows"), F.count_if(is_changed).alias("changed"))
            .where("changed > 0")
        )
        return {instant_us(row["event_date"].isoformat()): row["rows"] for row in counts.collect()}

    def _rows(self, source: Source) -> DataFrame:
        path = self._job.context.warehouse.address(key_of(source)).path
        return read(self._job.context.spark, path, version=self._version(source))

    def _version(self, source: Source) -> int | None:
        return self._job.published.version(key_of(source))


def _with_first_event(loaded: DataFrame, rows: DataFrame, source: Source) -> DataFrame:
    """The rows, with the earliest event_time of any version of their fact instead of their own."""
    same = reduce(and_, (F.col(f"n.{name}").eqNullSafe(F.col(f"a.{name}")) for name in source.identity))
    named = [F.col(f"n.{name}") for name in source.identity]
    facts = loaded.select(*source.identity).distinct()
    firsts = (
        facts.alias("n")
        .join(rows.alias("a"), on=same, how="inner")
        .groupBy(*named)
        .agg(F.min("a.event_time").alias("event_time"))
    )
    clocks = F.col("n.available_time"), F.col("n.loaded_at"), F.col("a.event_time")
    return loaded.alias("n").join(firsts.alias("a"), on=same, how="inner").select(*clocks)


def _is_new(before: Knowledge) -> Column:
    return (F.col("available_time") > instant(before.cut_us)) | (F.col("loaded_at") > instant(before.loaded_at_us))
