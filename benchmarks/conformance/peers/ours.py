"""Ziggurat's own join, by its SQL strategy, of each rule alone."""

import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from benchmarks.conformance.questions import Question
from benchmarks.conformance.sessions import framed, session_in
from pit_join import History, point_in_time_join

NAME, VERSION = "Ziggurat", ""
HAS_STRICT_EDGE = True


class Peer:
    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark

    def answer(self, question: Question) -> pa.Table:
        with session_in(self._spark, question.zone):
            facts = framed(self._spark, question.facts, question.rule.facts, question)
            spine = framed(self._spark, question.spine, question.rule.seen, question)
            view = History("view", facts, keys=question.keys, features=question.features, **question.rule.how)
            joined = point_in_time_join(spine, [view], knowledge=question.rule.knowledge, strategy="sql")
            features = [F.col(f"view__{name}").alias(name) for name in question.features]
            return joined.select(*spine.columns, *features).toArrow()
