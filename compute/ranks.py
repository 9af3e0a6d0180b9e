"""How many of a group have a smaller value, and how many the same: counted per distinct value, in many tasks (S24).

No task holds a whole group. Values are cut into buckets of neighbours with about equally many rows, by approximate
quantiles; the answer does not depend on where they are cut. A count within the bucket and the counts of the buckets
before it make the count within the group.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from compute.bisection import smaller_cuts

_COUNT, _BUCKET, _PART = "_count", "_bucket", "_part"
_CUTS_PER_TASK = 4


def smaller_name(value: str) -> str:
    return f"_smaller_{value}"


def equal_name(value: str) -> str:
    return f"_equal_{value}"


def with_standing(rows: DataFrame, group: str, value: str, *, keys: Sequence[str], tasks: int) -> DataFrame:
    """The rows, and how many of their group have a smaller value, and how many the same (`smaller_name`, `equal_name`).

    Null where the value is null. group: a column that is never null. keys: columns that tell rows with one value apart.
    Cost: two shuffles of group and value, one of the rows; with more than one task, a pass over the values before.
    """
    known = rows.where(F.col(value).isNotNull()).select(group, value)
    cuts = _Cuts.of(known, value, tasks) if tasks > 1 else _Cuts((), frozenset())
    standing = _standing(known, group, value, cuts=cuts, tasks=tasks)
    if tasks <= 1:
        return rows.join(standing, on=[group, value], how="left")
    # A value that very many rows have goes to every task, and its rows to any.
    is_frequent = F.col(value).isin(*cuts.frequent) if cuts.frequent else F.lit(False)
    any_part = F.pmod(F.xxhash64(*keys), F.lit(tasks))
    parted = rows.withColumn(_PART, F.when(is_frequent, any_part).otherwise(F.lit(0).cast("bigint")))
    every_part = F.sequence(F.lit(0).cast("bigint"), F.lit(tasks - 1).cast("bigint"))
    parts = F.when(is_frequent, every_part).otherwise(F.array(F.lit(0).cast("bigint")))
    standing = standing.withColumn(_PART, F.explode(parts))
    by = [group, value, _PART]
    return parted.repartition(tasks, *by).join(standing.repartition(tasks, *by), on=by, how="left").drop(_PART)


def _standing(known: DataFrame, group: str, value: str, *, cuts: "_Cuts", tasks: int) -> DataFrame:
    """One row per group and distinct value, with both counts."""
    bucketed = known.withColumn(_BUCKET, cuts.bucket(F.col(value)))
    if tasks > 1:
        bucketed = bucketed.repartition(tasks, group, _BUCKET)
    counts = bucketed.groupBy(group, _BUCKET, value).agg(F.count(F.lit(1)).alias(_COUNT))
    within = counts.withColumn("_within", _before([group, _BUCKET], value))
    smaller = F.col("_within")
    if tasks > 1:
        buckets = counts.groupBy(group, _BUCKET).agg(F.sum(_COUNT).alias(_COUNT))
        earlier = buckets.select(group, _BUCKET, _before([group], _BUCKET).alias("_earlier"))
        within = within.join(earlier, on=[group, _BUCKET], how="inner")
        smaller = smaller + F.col("_earlier")
    return within.select(group, value, smaller.alias(smaller_name(value)), F.col(_COUNT).alias(equal_name(value)))


def _before(partition: Sequence[str], order: str) -> Column:
    """The sum of the counts of the rows before each."""
    so_far = Window.partitionBy(*partition).orderBy(order).rowsBetween(Window.unboundedPreceding, -1)
    return F.coalesce(F.sum(_COUNT).over(so_far), F.lit(0))


@dataclass(frozen=True)
class _Cuts:
    """Values between buckets, ascending. frequent: values that fill a bucket or more by themselves."""

    values: tuple[Any, ...]
    frequent: frozenset[Any]

    @classmethod
    def of(cls, known: DataFrame, value: str, tasks: int) -> "_Cuts":
        parts = _CUTS_PER_TASK * tasks
        shares = [n / parts for n in range(1, parts)]
        row = known.agg(F.percentile_approx(value, shares, 10 * parts).alias("cuts")).first()
        cuts = Counter(row["cuts"] or () if row else ())
        return cls(tuple(sorted(cuts)), frozenset(cut for cut, times in cuts.items() if times > 1))

    def bucket(self, value: Column) -> Column:
        """How many cuts are smaller than the value."""
        return smaller_cuts(value, self.values)
