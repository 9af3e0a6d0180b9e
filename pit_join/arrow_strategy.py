"""The search on Python workers: labels and facts meet in hash buckets, and NumPy finds each label's fact.

Runs on any frames whose workers have this package. Memory of a worker: one bucket of both sides.
"""

from collections.abc import Mapping

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.types import StructType

from pit_join.buckets import BUCKET, Wanted, flat, restored, sorted_facts, wanted, where_to
from pit_join.facts import Facts
from pit_join.labels import Labels

BUCKETS = 64  # 10 million facts are 160,000 a bucket: some 30 MB of Arrow


def search(labels: Labels, facts: Mapping[int, Facts]) -> DataFrame:
    """The `Search` of this strategy: a shuffle and a sort of the facts, and a shuffle of the labels, per history."""
    frame, wanteds = flat(labels), []
    for place, each in facts.items():
        wanteds.append(wanted(each, place))
        frame = met(frame, labels, each, wanteds[-1])
    return restored(frame, labels, wanteds)


def met(frame: DataFrame, labels: Labels, facts: Facts, asked: Wanted) -> DataFrame:
    """The frame with one history's columns beside it."""
    partitions = int(frame.sparkSession.conf.get("spark.sql.shuffle.partitions") or BUCKETS)
    theirs = sorted_facts(facts, buckets=BUCKETS, partitions=partitions)
    mine = frame.withColumn(BUCKET, where_to(labels, facts, BUCKETS)).repartition(partitions, BUCKET)
    schema = StructType([*frame.schema.fields, *asked.fields(theirs.schema)])
    columns = frame.columns

    def answer(labels_here: pa.Table, facts_here: pa.Table) -> pa.Table:
        return asked.found(labels_here.select(columns), [facts_here.combine_chunks()])

    return mine.groupBy(BUCKET).cogroup(theirs.groupBy(BUCKET)).applyInArrow(answer, schema)
