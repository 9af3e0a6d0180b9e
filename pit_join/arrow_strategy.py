"""The search on Python workers: labels and facts meet in hash buckets, and NumPy finds each label's fact.

Runs on any frames whose workers have this package. Memory of a worker: one bucket of both sides.
"""

from collections.abc import Mapping

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import to_arrow_schema

from pit_join.buckets import BUCKET, Sent, in_utc, sorted_facts, wanted
from pit_join.facts import Facts
from pit_join.labels import Labels

BUCKETS = 64  # 10 million facts are 160,000 a bucket: some 30 MB of Arrow


def search(labels: Labels, facts: Mapping[int, Facts]) -> DataFrame:
    """The `Search` of this strategy: a shuffle and a sort of the facts, and a shuffle of the labels, per history."""
    for index, each in facts.items():
        labels = _met(labels, each, index)
    return labels.frame


def _met(labels: Labels, facts: Facts, index: int) -> Labels:
    """The labels with one more match."""
    asked, sent = wanted(labels, facts, index), Sent.of(labels, facts, BUCKETS)
    partitions = int(sent.frame.sparkSession.conf.get("spark.sql.shuffle.partitions") or BUCKETS)
    theirs = sorted_facts(facts, buckets=BUCKETS, partitions=partitions)
    schema, names = sent.schema(asked.fields(theirs.schema)), sent.names
    typed = to_arrow_schema(schema)

    def answer(here: pa.Table, facts_here: pa.Table) -> pa.Table:
        found = asked.found(here, [facts_here.combine_chunks()])
        return in_utc([*here.select(names).columns, *found], typed)

    mine = sent.frame.repartition(partitions, BUCKET).groupBy(BUCKET)
    together = mine.cogroup(theirs.groupBy(BUCKET)).applyInArrow(answer, schema)
    return sent.back(together, [asked])
