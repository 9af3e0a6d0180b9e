"""The search on Python workers: spine rows and facts meet in hash buckets, and NumPy finds the fact of each row.

Runs on any frames whose workers have this package. Memory of a worker: one bucket of both sides.
"""

from collections.abc import Mapping

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import to_arrow_schema

from pit_join.buckets import BUCKET, BucketedSpine, BucketSearch, in_utc, sorted_facts
from pit_join.facts import SearchableFacts
from pit_join.keyed_spine import KeyedSpine

BUCKETS = 64  # 10 million facts are 160,000 a bucket: some 30 MB of Arrow


def search(spine: KeyedSpine, facts: Mapping[int, SearchableFacts]) -> DataFrame:
    """The `Search` of this strategy: per history a shuffle and a sort of the facts, and a shuffle of the spine."""
    for index, history_facts in facts.items():
        spine = _matched(spine, history_facts, index)
    return spine.frame


def _matched(spine: KeyedSpine, facts: SearchableFacts, index: int) -> KeyedSpine:
    """The spine with one more match."""
    bucket_search = BucketSearch.of(spine, facts, index)
    bucketed = BucketedSpine.of(spine, facts, BUCKETS)
    partitions = int(bucketed.frame.sparkSession.conf.get("spark.sql.shuffle.partitions") or BUCKETS)
    sorted_rows = sorted_facts(facts, buckets=BUCKETS, partitions=partitions)
    schema, names = bucketed.schema(bucket_search.fields(sorted_rows.schema)), bucketed.names
    arrow_schema = to_arrow_schema(schema)

    def join_bucket(spine_rows: pa.Table, bucket_facts: pa.Table) -> pa.Table:
        matches = bucket_search.run(spine_rows, [bucket_facts.combine_chunks()])
        return in_utc([*spine_rows.select(names).columns, *matches], arrow_schema)

    grouped = bucketed.frame.repartition(partitions, BUCKET).groupBy(BUCKET)
    joined = grouped.cogroup(sorted_rows.groupBy(BUCKET)).applyInArrow(join_bucket, schema)
    return bucketed.with_matches(joined, [bucket_search])
