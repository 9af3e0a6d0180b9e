"""dbl-tempo's asofJoin, one history after another. It knows only <=, so label times move back by a microsecond."""

from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from tempo import TSDF

from benchmarks.pit.cases import FEATURES, Question
from benchmarks.pit.engines.spark import opened


class Tempo:
    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark

    def answer(self, question: Question, output: Path) -> None:
        # Both sides' time columns must have one name.
        moved = F.expr("label_time - INTERVAL '0.000001' SECOND").alias("event_time")
        joined = self._spark.read.parquet(str(question.spine)).select("entity_id", moved, "label")
        columns = joined.columns
        for number, path in enumerate(question.histories):
            history = self._spark.read.parquet(str(path)).select("entity_id", "event_time", "seq", *FEATURES)
            result = TSDF(joined, ts_col="event_time", partition_cols=["entity_id"]).asofJoin(
                TSDF(history, ts_col="event_time", partition_cols=["entity_id"], sequence_col="seq"),
                right_prefix=f"h{number}_",
                skipNulls=False,
            )
            columns = [*columns, *(f"h{number}__{name}" for name in FEATURES)]
            joined = result.df.select(*columns)
        back = F.expr("event_time + INTERVAL '0.000001' SECOND")
        joined.withColumn("label_time", back).drop("event_time").write.mode("overwrite").parquet(str(output))


def start(scratch: Path, shuffle_partitions: int) -> Tempo:
    return Tempo(opened(scratch, shuffle_partitions))
