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

    def answer(self, asked: Question) -> pa.Table:
        with session_in(self._spark, asked.zone):
            # Both sides' time columns must have one name.
            spine = framed(self._spark, asked.spine, asked.rule.seen, asked)
            spine = spine.withColumnRenamed("label_time", "event_time")
            facts = framed(self._spark, asked.facts, asked.rule.facts, asked)
            facts = facts.select(*asked.keys, "event_time", *dict.fromkeys([*asked.tie_break, *asked.features]))
            keys = list(asked.keys)
            joined = TSDF(spine, ts_col="event_time", partition_cols=keys).asofJoin(
                TSDF(facts, ts_col="event_time", partition_cols=keys, sequence_col=next(iter(asked.tie_break), None)),
                skipNulls=False,
                tolerance=None if asked.max_age is None else asked.max_age.total_seconds(),
            )
            names = {f"right_{name}": name for name in asked.features} | {"event_time": "label_time"}
            return joined.df.withColumnsRenamed(names).toArrow()
