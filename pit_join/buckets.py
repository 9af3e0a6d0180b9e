"""Facts and labels in hash buckets of their keys, and what a Python worker does with one bucket of both."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, StructField, StructType

from kernels.as_of import NEVER
from kernels.as_of_tables import FOUND, TIED, latest
from pit_join.facts import Facts, brought
from pit_join.labels import LABEL_US, SPINE, Labels, has_all, match_name

BUCKET = "bucket"
CLOCKS = ("event_time", "available_time", "is_ended")


def bucket_of(keys: Sequence[str], buckets: int) -> Column:
    """PyPI's `xxhash` with seed 42 finds the same bucket without Spark; int and bigint of one value do not."""
    return F.pmod(F.xxhash64(*(F.col(key) for key in keys)), F.lit(buckets)).cast("int").alias(BUCKET)


def where_to(labels: Labels, facts: Facts, buckets: int) -> Column:
    """The bucket that holds a label's facts; labels without a key, which see none, are spread over all."""
    away = F.pmod(F.col(labels.away(facts.history)), F.lit(buckets)).cast("int")
    return F.when(has_all([F.col(key) for key in facts.keys]), bucket_of(facts.keys, buckets)).otherwise(away)


def sorted_facts(facts: Facts, *, buckets: int, partitions: int, extra: Sequence[str] = ()) -> DataFrame:
    """The facts as pieces for `kernels.as_of_tables`: each bucket whole in one partition, sorted by key and S9.

    Columns: bucket, the pieces' own, event_time, available_time, is_ended, then c0 … as `carried` names them.
    Cost: one shuffle and one sort.
    """
    keys = [F.col(key).alias(f"key_{n}") for n, key in enumerate(facts.keys)]
    names = [f"key_{n}" for n in range(len(keys))]
    rows = facts.frame.select(
        bucket_of(facts.keys, buckets), *keys, "visible_us", "superseded_us", "fact.at", "fact.row", *extra
    ).repartition(partitions, BUCKET)
    if facts.counts_ties:
        rows = rows.withColumn("tied_until_us", _tied_until(names))
    shown = [F.col("at").getField(name).alias(name) for name in CLOCKS]
    told = ["tied_until_us"] if facts.counts_ties else []
    return rows.sortWithinPartitions(BUCKET, *names, "at", "row").select(
        BUCKET, *names, "visible_us", "superseded_us", *told, *shown, *extra, "row.*"
    )


def _tied_until(keys: Sequence[str]) -> Column:
    """Until when another fact with the same `at` is seen that stands before this one."""
    equals = Window.partitionBy(BUCKET, *keys, "at").orderBy("row").rowsBetween(Window.unboundedPreceding, -1)
    return F.max(F.coalesce("superseded_us", F.lit(int(NEVER)))).over(equals)


@dataclass(frozen=True)
class Wanted:
    """What is looked up for one history: by which of the labels' columns, and which of the facts' are brought."""

    keys: tuple[str, ...]
    columns: tuple[str, ...]
    place: int

    def found(self, labels: pa.Table, pieces: Iterable[pa.Table]) -> pa.Table:
        """The labels with the columns of the fact that each sees beside them."""
        label_us = np.asarray(_one(labels[LABEL_US]).fill_null(0).to_numpy(zero_copy_only=False))
        seen = latest([_one(labels[key]) for key in self.keys], label_us, pieces, self.columns)
        for name in (*self.columns, FOUND, TIED):
            labels = labels.append_column(self.name(name), seen[name])
        return labels

    def name(self, column: str) -> str:
        return f"{self.place}_{column}"

    def fields(self, facts: StructType) -> list[StructField]:
        """The columns that `found` adds, typed as in the facts' frame."""
        marks = [StructField(self.name(name), BooleanType()) for name in (FOUND, TIED)]
        return [StructField(self.name(name), facts[name].dataType) for name in self.columns] + marks


def wanted(facts: Facts, place: int) -> Wanted:
    """The clocks that somebody looks at, and the features; not what only the order needed."""
    return Wanted(facts.keys, (*facts.clocks, *brought(facts.history)), place)


def flat(labels: Labels) -> DataFrame:
    """The labels' frame with the spine's row as columns `s0` …: a struct of many costs more on its way to Python."""
    parts = [F.col(SPINE).getField(name).alias(f"s{n}") for n, name in enumerate(labels.spine_columns)]
    return labels.frame.select(*parts, *(name for name in labels.frame.columns if name != SPINE))


def restored(found: DataFrame, labels: Labels, wanteds: Sequence[Wanted]) -> DataFrame:
    """The strategy's answer out of what the workers gave: the labels' columns again, then the matches."""
    spine = F.struct(*(F.col(f"s{n}").alias(name) for n, name in enumerate(labels.spine_columns))).alias(SPINE)
    others = [name for name in labels.frame.columns if name != SPINE]
    return found.select(spine, *others, *(_match(each) for each in wanteds))


def _match(each: Wanted) -> Column:
    unasked = {"event_time": F.lit(None).cast("timestamp"), "is_ended": F.lit(False)}
    unasked["available_time"] = unasked["event_time"]
    at = F.struct(*((F.col(each.name(n)) if n in each.columns else unasked[n]).alias(n) for n in CLOCKS))
    features = [F.col(each.name(name)).alias(name) for name in each.columns if name not in CLOCKS]
    row = F.struct(*(features or [F.lit(None).alias("nothing")]))
    match = F.struct(at.alias("at"), row.alias("row"), F.col(each.name(TIED)).alias("is_tied"))
    return F.when(F.col(each.name(FOUND)), match).alias(match_name(each.place))


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks()
