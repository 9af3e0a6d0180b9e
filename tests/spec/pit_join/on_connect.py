"""The drawn rules, joined by a client of Spark Connect that has no Java: prints what fails, as JSON.

python -m tests.spec.pit_join.on_connect sc://localhost:PORT
"""

import json
import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from definitions.errors import UsageError
from pit_join import History, facts_at_label, gather_evidence, join_with_evidence, point_in_time_join
from tests.spec.pit_join.stacked import Cases, session_like
from tests.support.drawn import frame

ELSEWHERE = {"spark.sql.session.timeZone": "America/New_York", "spark.sql.ansi.enabled": "false"}
FACTS = "who:bigint  event_time  value\n1  3d  a\n1  4d  b"
SPINE = "who:bigint  label_time:timestamp\n1  4d\n2  4d"


def main(server: str) -> dict[str, list[str]]:
    spark = SparkSession.builder.remote(server).getOrCreate()
    cases = Cases(spark)
    failures = {"auto": cases.failures("auto", partitions=3), "evidence": evidence(spark), "refused": refused(spark)}
    with session_like(spark, ELSEWHERE):
        failures["sql, in New York, without ANSI"] = cases.failures("sql", only={0})
    spark.stop()
    return failures


def evidence(spark: SparkSession) -> list[str]:
    """The evidence that the certificate needs of a finished join."""
    history = History("view", frame(spark, FACTS), keys=("who",), features=("value",))
    spine = frame(spark, SPINE)
    counts_of_view = gather_evidence(join_with_evidence(spine, [history]), [history])["view"]
    counts = (counts_of_view.matched, counts_of_view.unseen, facts_at_label(spine, history))
    return [] if counts == (1, 1, 1) else [f"matched, unseen and at the label time: {counts}"]


def refused(spark: SparkSession) -> list[str]:
    """Strategies that need this package on the workers say so."""
    history = History("view", frame(spark, FACTS), keys=("who",), features=("value",))
    try:
        point_in_time_join(frame(spark, SPINE).select("*", F.lit(1).alias("n")), [history], strategy="arrow")
    except UsageError:
        return []
    return ["strategy 'arrow' was not refused"]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1])))
