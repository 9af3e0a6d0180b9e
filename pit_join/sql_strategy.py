"""The search in Spark's DataFrame API alone: one shuffle and one sort per history, nothing on Python workers.

Facts and labels lie in one frame, by key and instant; what a label sees is the greatest fact before it. Superseded
versions come along as an array per key, which every later row of that key carries: cheap while they are few, quadratic
in a key that is corrected thousands of times. Only the DataFrame API: nothing that Spark Connect lacks.
"""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from pit_join.facts import Facts
from pit_join.labels import LABEL_US, Labels, match_name


def search(labels: Labels, facts: Mapping[int, Facts]) -> DataFrame:
    """The `Search` of this strategy. A history after the other: one for all is no faster, and holds all in memory."""
    frame = labels.frame
    for index, each in facts.items():
        partition = [*each.keys, labels.away(each.history)]
        rows = each.frame.withColumn(partition[-1], F.lit(0).cast("bigint"))
        step = _looked_up if each.history.is_static else _seen
        frame = step(frame, rows, each, partition).withColumnRenamed("match", match_name(index))
    return frame


def _looked_up(labels: DataFrame, rows: DataFrame, facts: Facts, partition: list[str]) -> DataFrame:
    """A static history: the greatest row of each key (S9, S10)."""
    greatest = rows.groupBy(*partition).agg(F.max("fact").alias("fact"), (F.count("fact") > 1).alias("is_tied"))
    match = greatest.select(*partition, F.struct("fact.at", "fact.row", "is_tied").alias("match"))
    return labels.join(match, on=partition, how="left")


def _seen(labels: DataFrame, rows: DataFrame, facts: Facts, partition: list[str]) -> DataFrame:
    """Every label's latest fact: the greatest of those that came before it and are still in force."""
    is_current = F.col("superseded_us").isNull()
    events = rows.select(
        *partition,
        F.col("visible_us").alias(LABEL_US),
        F.lit(False).alias("is_label"),
        F.when(is_current, F.col("fact")).alias("current"),
        F.when(~is_current, F.struct("superseded_us", "fact")).alias("superseded"),
    )
    both = labels.withColumn("is_label", F.lit(True)).unionByName(events, allowMissingColumns=True)
    answered = _with_latest(both, facts, partition).where("is_label")
    return answered.select(*labels.columns, _match(facts).alias("match"))


def _with_latest(both: DataFrame, facts: Facts, partition: list[str]) -> DataFrame:
    """Plus the latest current fact so far, whether it is tied, and all superseded ones so far.

    Facts with one `at` become visible at one instant: in this order they stand side by side, where `lag` finds ties.
    """
    order = Window.partitionBy(*partition).orderBy(LABEL_US, "is_label", *(["current.at"] if facts.counts_ties else []))
    so_far = order.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    answers = {"latest": F.max("current").over(so_far)}
    if facts.counts_ties:
        is_second = F.col("current.at").eqNullSafe(F.lag("current.at").over(order))
        tie = F.struct("current.at", is_second.alias("is_tied"))
        both = both.withColumn("tie", F.when(F.col("current").isNotNull(), tie))
        answers["latest_tie"] = F.max("tie").over(so_far)
    if facts.has_superseded:
        answers["overtaken"] = F.collect_list("superseded").over(so_far)
    return both.withColumns(answers)


def _match(facts: Facts) -> Column:
    """The later of the current facts' latest and of the superseded ones' that are in force at the label's instant."""
    best, in_force = F.col("latest"), None
    if facts.has_superseded:
        still = F.filter("overtaken", lambda each: each.getField("superseded_us") > F.col(LABEL_US))
        in_force = F.transform(still, lambda each: each.getField("fact"))
        best = F.greatest(best, F.array_max(in_force))
    is_tied = _equals(best.getField("at"), in_force) > 1 if facts.counts_ties else F.lit(False)
    told = F.struct(best.getField("at").alias("at"), best.getField("row").alias("row"), is_tied.alias("is_tied"))
    return F.when(best.isNotNull(), told)


def _equals(at: Column, in_force: Column | None) -> Column:
    """How many of the facts that a label sees have this `at`; of the current ones it is enough to know one or two."""
    tie = F.col("latest_tie")
    current = F.when(tie.getField("at") == at, F.when(tie.getField("is_tied"), 2).otherwise(1)).otherwise(0)
    if in_force is None:
        return current
    return current + F.size(F.filter(in_force, lambda each: each.getField("at") == at))
