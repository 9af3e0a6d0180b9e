"""Facts and labels in hash buckets of their keys, and what a Python worker does with one bucket of both."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, StructField, StructType

from kernels.as_of.search import ALWAYS, NEVER
from kernels.as_of.tables import FOUND, TIED, latest
from pit_join.facts import Facts, brought
from pit_join.labels import SPINE, Labels, has_all, match_name

BUCKET = "bucket"
CLOCKS = ("event_time", "available_time", "is_ended")


def bucket_of(keys: Sequence[str], buckets: int) -> Column:
    """PyPI's `xxhash` with seed 42 finds the same bucket without Spark; int and bigint of one value do not."""
    return F.pmod(F.xxhash64(*(F.col(key) for key in keys)), F.lit(buckets)).cast("int").alias(BUCKET)


def where_to(labels: Labels, facts: Facts, buckets: int) -> Column:
    """The bucket that holds a label's facts; labels without a key, which see none, are spread over all."""
    away = F.pmod(F.col(labels.away(facts.history)), F.lit(buckets)).cast("int")
    return F.when(has_all([F.col(key) for key in facts.keys]), bucket_of(facts.keys, buckets)).otherwise(away)


def sorted_facts(facts: Facts, *, buckets: int, partitions: int) -> DataFrame:
    """The facts as pieces for `kernels.as_of.tables`: each bucket whole in one partition, sorted by key and S9.

    Columns: bucket, the pieces' own, event_time, available_time, is_ended, then c0 … as `carried` names them.
    Cost: one shuffle and one sort.
    """
    keys = [F.col(key).alias(f"key_{n}") for n, key in enumerate(facts.keys)]
    names = [f"key_{n}" for n in range(len(keys))]
    rows = facts.frame.select(
        bucket_of(facts.keys, buckets), *keys, "visible_us", "superseded_us", "fact.at", "fact.row"
    ).repartition(partitions, BUCKET)
    if facts.counts_ties:
        rows = rows.withColumn("tied_until_us", _tied_until(names))
    shown = [F.col("at").getField(name).alias(name) for name in CLOCKS]
    told = ["tied_until_us"] if facts.counts_ties else []
    return rows.sortWithinPartitions(BUCKET, *names, "at", "row").select(
        BUCKET, *names, "visible_us", "superseded_us", *told, *shown, "row.*"
    )


def _tied_until(keys: Sequence[str]) -> Column:
    """Until when another fact with the same `at` is seen that stands before this one."""
    equals = Window.partitionBy(BUCKET, *keys, "at").orderBy("row").rowsBetween(Window.unboundedPreceding, -1)
    return F.max(F.coalesce("superseded_us", F.lit(int(NEVER)))).over(equals)


@dataclass(frozen=True)
class Wanted:
    """What is looked up for one history: by which of the sent columns, and which of the facts' are brought."""

    keys: tuple[str, ...]
    label_time: str
    columns: tuple[str, ...]
    index: int
    marks: tuple[str, ...]

    def found(self, labels: pa.Table, pieces: Iterable[pa.Table]) -> list[pa.Array]:
        """The columns of the fact that each label sees, as `fields` names them."""
        label_us = _one(labels[self.label_time]).cast(pa.int64()).fill_null(ALWAYS).to_numpy(zero_copy_only=False)
        seen = latest([_one(labels[key]) for key in self.keys], label_us, pieces, self.columns)
        return [seen[name] for name in (*self.columns, *self.marks)]

    def name(self, column: str) -> str:
        return f"{self.index}_{column}"

    def fields(self, facts: StructType) -> list[StructField]:
        """What `found` gives, typed as in the facts' frame."""
        marks = [StructField(self.name(name), BooleanType()) for name in self.marks]
        return [StructField(self.name(name), facts[name].dataType) for name in self.columns] + marks


def wanted(labels: Labels, facts: Facts, index: int) -> Wanted:
    """The clocks that somebody looks at, and the features; not what only the order needed."""
    marks = (FOUND, TIED) if facts.has_evidence else ()
    keys = tuple(_sent(labels, name) for name in facts.history.joined_by)
    columns = (*facts.clocks, *brought(facts.history).values())
    return Wanted(keys, _sent(labels, labels.label_time), columns, index, marks)


def _sent(labels: Labels, name: str) -> str:
    """How a column of the spine is called on its way."""
    return f"s{labels.spine_columns.index(name)}"


@dataclass(frozen=True)
class Sent:
    """Labels on their way to the workers: the row as columns `s0` …, matches, and the bucket. The others come back.

    A struct of the row, and what can be computed from it again, would cost more on the way.
    """

    labels: Labels
    frame: DataFrame
    kept: tuple[StructField, ...]

    @classmethod
    def of(cls, labels: Labels, facts: Facts, buckets: int) -> "Sent":
        parts = [F.col(SPINE).getField(name).alias(_sent(labels, name)) for name in labels.spine_columns]
        frame = labels.frame.select(*parts, *labels.matches, where_to(labels, facts, buckets).alias(BUCKET))
        return cls(labels, frame, tuple(frame.schema.fields[:-1]))

    @property
    def names(self) -> list[str]:
        return [field.name for field in self.kept]

    def schema(self, found: Sequence[StructField]) -> StructType:
        return StructType([*self.kept, *found])

    def back(self, found: DataFrame, wanteds: Sequence[Wanted]) -> Labels:
        """The labels again, with one more match for each that was wanted."""
        names = self.labels.spine_columns
        spine = F.struct(*(F.col(_sent(self.labels, name)).alias(name) for name in names)).alias(SPINE)
        rows = found.select(spine, *self.labels.matches, *(_match(each) for each in wanteds))
        return self.labels.on(rows, rows.columns[1:])


def in_utc(arrays: Sequence[pa.ChunkedArray | pa.Array], schema: pa.Schema) -> pa.Table:
    """As a table of these types. Instants come to a worker with the session's zone in their type; they are the same."""
    typed = [
        array if array.type == field.type else array.cast(field.type)
        for array, field in zip(arrays, schema, strict=True)
    ]
    return pa.Table.from_arrays(typed, schema.names)


def _match(each: Wanted) -> Column:
    """Where nobody will ask whether there was a fact, a match whose row is null says the same."""
    unasked = {"event_time": F.lit(None).cast("timestamp"), "is_ended": F.lit(False)}
    unasked["available_time"] = unasked["event_time"]
    at = F.struct(*((F.col(each.name(n)) if n in each.columns else unasked[n]).alias(n) for n in CLOCKS))
    features = [F.col(each.name(name)).alias(name) for name in each.columns if name not in CLOCKS]
    row = F.struct(*(features or [F.lit(None).alias("nothing")]))
    is_tied = F.col(each.name(TIED)) if TIED in each.marks else F.lit(False)
    match = F.struct(at.alias("at"), row.alias("row"), is_tied.alias("is_tied"))
    return (F.when(F.col(each.name(FOUND)), match) if FOUND in each.marks else match).alias(match_name(each.index))


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks()
