"""Facts and spine rows in hash buckets of their keys, and what a Python worker does with one bucket of both."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, StructField, StructType

from kernels.as_of.search import ALWAYS, NEVER
from kernels.as_of.tables import FOUND, TIED, latest
from pit_join.facts import SearchableFacts, feature_fields
from pit_join.keyed_spine import SPINE, KeyedSpine, has_all, match_name

BUCKET = "bucket"
CLOCKS = ("event_time", "available_time", "is_ended")


def bucket_of(keys: Sequence[str], buckets: int) -> Column:
    """PyPI's `xxhash` with seed 42 finds the same bucket without Spark; int and bigint of one value do not."""
    return F.pmod(F.xxhash64(*(F.col(key) for key in keys)), F.lit(buckets)).cast("int").alias(BUCKET)


def spine_bucket(spine: KeyedSpine, facts: SearchableFacts, buckets: int) -> Column:
    """The bucket that holds the facts of a spine row; rows without a key, which match none, are spread over all."""
    spread = F.pmod(F.col(spine.spread(facts.history)), F.lit(buckets)).cast("int")
    return F.when(has_all([F.col(key) for key in facts.keys]), bucket_of(facts.keys, buckets)).otherwise(spread)


def sorted_facts(facts: SearchableFacts, *, buckets: int, partitions: int) -> DataFrame:
    """The facts as pieces for `kernels.as_of.tables`: each bucket whole in one partition, sorted by key and S9.

    Columns: bucket, the pieces' own, event_time, available_time, is_ended, then c0 … of the `carried_columns`.
    Cost: one shuffle and one sort.
    """
    keys = [F.col(key).alias(f"key_{n}") for n, key in enumerate(facts.keys)]
    names = [f"key_{n}" for n in range(len(keys))]
    rows = facts.frame.select(
        bucket_of(facts.keys, buckets), *keys, "visible_us", "superseded_us", "fact.at", "fact.row"
    ).repartition(partitions, BUCKET)
    if facts.counts_ties:
        rows = rows.withColumn("tied_until_us", _tied_until(names))
    clocks = [F.col("at").getField(name).alias(name) for name in CLOCKS]
    ties = ["tied_until_us"] if facts.counts_ties else []
    return rows.sortWithinPartitions(BUCKET, *names, "at", "row").select(
        BUCKET, *names, "visible_us", "superseded_us", *ties, *clocks, "row.*"
    )


def _tied_until(keys: Sequence[str]) -> Column:
    """Until when labels see another fact with the same `at` that is ordered before this one; null: there is none."""
    equals = Window.partitionBy(BUCKET, *keys, "at").orderBy("row").rowsBetween(Window.unboundedPreceding, -1)
    return F.max(F.coalesce("superseded_us", F.lit(int(NEVER)))).over(equals)


@dataclass(frozen=True)
class BucketSearch:
    """The search for one history's facts in a bucket.

    `keys` and `label_time` are columns of the bucketed spine, `columns` those of the facts that the result needs,
    `marks` whether a fact was found and whether it was tied, where the result says so.
    """

    keys: tuple[str, ...]
    label_time: str
    columns: tuple[str, ...]
    index: int
    marks: tuple[str, ...]

    @classmethod
    def of(cls, spine: KeyedSpine, facts: SearchableFacts, index: int) -> "BucketSearch":
        """Only the clocks that the result needs, and the features; not the columns that only the order needed."""
        marks = (FOUND, TIED) if facts.has_evidence else ()
        keys = tuple(_travel_name(spine, name) for name in facts.history.joined_by)
        columns = (*facts.clocks, *feature_fields(facts.history).values())
        return cls(keys, _travel_name(spine, spine.label_time), columns, index, marks)

    def run(self, spine_rows: pa.Table, pieces: Iterable[pa.Table]) -> list[pa.Array]:
        """The columns of the fact that each spine row sees, as `fields` names them."""
        label_us = _combined(spine_rows[self.label_time]).cast(pa.int64()).fill_null(ALWAYS)
        keys = [_combined(spine_rows[key]) for key in self.keys]
        seen = latest(keys, label_us.to_numpy(zero_copy_only=False), pieces, self.columns)
        return [seen[name] for name in (*self.columns, *self.marks)]

    def name(self, column: str) -> str:
        return f"{self.index}_{column}"

    def fields(self, facts: StructType) -> list[StructField]:
        """What `run` returns, typed as in the facts' frame."""
        marks = [StructField(self.name(name), BooleanType()) for name in self.marks]
        return [StructField(self.name(name), facts[name].dataType) for name in self.columns] + marks


def _travel_name(spine: KeyedSpine, name: str) -> str:
    """The name that a column of the spine has while it is on the workers."""
    return f"s{spine.spine_columns.index(name)}"


@dataclass(frozen=True)
class BucketedSpine:
    """The spine as it is sent to the workers: each row as columns `s0` …, the matches so far, and its bucket.

    A struct of the row, and the columns that can be computed from it again, would cost more to send. All but the
    bucket come back.
    """

    spine: KeyedSpine
    frame: DataFrame
    kept: tuple[StructField, ...]

    @classmethod
    def of(cls, spine: KeyedSpine, facts: SearchableFacts, buckets: int) -> "BucketedSpine":
        parts = [F.col(SPINE).getField(name).alias(_travel_name(spine, name)) for name in spine.spine_columns]
        frame = spine.frame.select(*parts, *spine.matches, spine_bucket(spine, facts, buckets).alias(BUCKET))
        return cls(spine, frame, tuple(frame.schema.fields[:-1]))

    @property
    def names(self) -> list[str]:
        return [field.name for field in self.kept]

    def schema(self, matches: Sequence[StructField]) -> StructType:
        """What the workers return: what they were sent, and the columns of the matches."""
        return StructType([*self.kept, *matches])

    def with_matches(self, joined: DataFrame, searches: Sequence[BucketSearch]) -> KeyedSpine:
        """The keyed spine again, with one more match for each search."""
        names = self.spine.spine_columns
        row = F.struct(*(F.col(_travel_name(self.spine, name)).alias(name) for name in names)).alias(SPINE)
        rows = joined.select(row, *self.spine.matches, *(_match(search) for search in searches))
        return self.spine.with_matches(rows, rows.columns[1:])


def in_utc(arrays: Sequence[pa.ChunkedArray | pa.Array], schema: pa.Schema) -> pa.Table:
    """As a table of these types. Instants come to a worker with the session's zone in their type; they are the same."""
    typed = [
        array if array.type == field.type else array.cast(field.type)
        for array, field in zip(arrays, schema, strict=True)
    ]
    return pa.Table.from_arrays(typed, schema.names)


def _match(search: BucketSearch) -> Column:
    """The match as a struct. Without marks it is never null: where no fact was found, its row has only nulls."""
    absent = {"event_time": F.lit(None).cast("timestamp"), "is_ended": F.lit(False)}
    absent["available_time"] = absent["event_time"]
    at = F.struct(*((F.col(search.name(n)) if n in search.columns else absent[n]).alias(n) for n in CLOCKS))
    features = [F.col(search.name(name)).alias(name) for name in search.columns if name not in CLOCKS]
    row = F.struct(*(features or [F.lit(None).alias("nothing")]))
    is_tied = F.col(search.name(TIED)) if TIED in search.marks else F.lit(False)
    match = F.struct(at.alias("at"), row.alias("row"), is_tied.alias("is_tied"))
    if FOUND in search.marks:
        match = F.when(F.col(search.name(FOUND)), match)
    return match.alias(match_name(search.index))


def _combined(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks()
