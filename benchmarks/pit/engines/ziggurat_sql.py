"""Ours: `point_in_time_join`, by the SQL strategy or a given one."""

from pathlib import Path

from pyspark.sql import SparkSession

from benchmarks.pit.cases import FEATURES, Question
from benchmarks.pit.engines.spark import opened
from pit_join import History, point_in_time_join


class Ziggurat:
    def __init__(self, spark: SparkSession, strategy: str) -> None:
        self._spark = spark
        self._strategy = strategy

    def histories(self, question: Question) -> list[History]:
        return [self._history(f"h{number}", path, question) for number, path in enumerate(question.histories)]

    def answer(self, question: Question, output: Path) -> None:
        spine = self._spark.read.parquet(str(question.spine))
        joined = point_in_time_join(spine, self.histories(question), strategy=self._strategy)
        joined.write.mode("overwrite").parquet(str(output))

    def _history(self, name: str, path: Path, question: Question) -> History:
        clocks = ("available_time", "fact_id") if question.has_clocks else ()
        frame = self._spark.read.parquet(str(path)).select("entity_id", "event_time", *clocks, "seq", *FEATURES)
        return History(
            name,
            frame,
            keys=("entity_id",),
            features=FEATURES,
            tie_break=("seq",),
            available_time="available_time" if question.has_clocks else None,
            identity=("fact_id",) if question.has_clocks else None,
        )


def start(scratch: Path, shuffle_partitions: int) -> Ziggurat:
    return Ziggurat(opened(scratch, shuffle_partitions), "sql")
