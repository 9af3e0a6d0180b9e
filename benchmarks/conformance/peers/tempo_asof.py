"""dbl-tempo's asofJoin, with the nulls of the newest row kept (skipNulls=False): the option nearest to whole rows."""

from importlib.metadata import version

import pyarrow as pa
from pyspark.sql import SparkSession
from tempo import TSDF

from benchmarks.conformance.questions import TIE_BREAK, Question
from benchmarks.conformance.sessions import framed, session_in

NAME, VERSION = "dbl-tempo asofJoin", version("dbl-tempo")
HAS_STRICT_EDGE = False
KNOWS = {TIE_BREAK}


class Peer:
    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark

    def answer(self, question: Question) -> pa.Table:
        with session_in(self._spark, question.zone):
            # Both sides' time columns must have one name.
            spine = framed(self._spark, question.spine, question.rule.seen, question)
            spine = spine.withColumnRenamed("label_time", "event_time")
            facts = framed(self._spark, question.facts, question.rule.facts, question)
            keys, ties = list(question.keys), question.tie_break
            facts = facts.select(*keys, "event_time", *dict.fromkeys([*ties, *question.features]))
            joined = TSDF(spine, ts_col="event_time", partition_cols=keys).asofJoin(
                TSDF(facts, ts_col="event_time", partition_cols=keys, sequence_col=next(iter(ties), None)),
                skipNulls=False,
                tolerance=None if question.max_age is None else question.max_age.total_seconds(),
            )
            names = {f"right_{name}": name for name in question.features} | {"event_time": "label_time"}
            return joined.df.withColumnsRenamed(names).toArrow()
