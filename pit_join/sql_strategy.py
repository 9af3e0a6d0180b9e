"""The search in Spark's DataFrame API alone: one shuffle and one sort per history, nothing on Python workers.

Facts and labels stand in one frame, by key and instant; what a label sees is the greatest fact before it. Superseded
versions are an array per key, which every later row of that key carries: cheap while they are few, quadratic in a key
that is corrected thousands of times. Only the DataFrame API: nothing that Spark Connect lacks.
"""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from pit_join.facts import SearchableFacts
from pit_join.keyed_spine import LABEL_US, KeyedSpine, match_name


def search(spine: KeyedSpine, facts: Mapping[int, SearchableFacts]) -> DataFrame:
    """The `Search` of this strategy: one history after the other. One window for all would be no faster, and would
    hold all histories in memory.
    """
    frame = spine.frame
    for index, history_facts in facts.items():
        partition = [*history_facts.keys, spine.spread(history_facts.history)]
        rows = history_facts.frame.withColumn(partition[-1], F.lit(0).cast("bigint"))
        step = _looked_up if history_facts.history.is_static else _seen
        frame = step(frame, rows, history_facts, partition).withColumnRenamed("match", match_name(index))
    return frame


def _looked_up(labels: DataFrame, rows: DataFrame, facts: SearchableFacts, partition: list[str]) -> DataFrame:
    """A static history: the greatest row of each key (S9, S10)."""
    greatest = rows.groupBy(*partition).agg(F.max("fact").alias("fact"), (F.count("fact") > 1).alias("is_tied"))
    match = greatest.select(*partition, F.struct("fact.at", "fact.row", "is_tied").alias("match"))
    return labels.join(match, on=partition, how="left")


def _seen(labels: DataFrame, rows: DataFrame, facts: SearchableFacts, partition: list[str]) -> DataFrame:
    """Every label's latest fact: the greatest of those that became visible before it and are not superseded."""
    is_current = F.col("superseded_us").isNull()
    events = rows.select(
        *partition,
        F.col("visible_us").alias(LABEL_US),
        F.lit(False).alias("is_label"),
        F.when(is_current, F.col("fact")).alias("current"),
        F.when(~is_current, F.struct("superseded_us", "fact")).alias("superseded"),
    )
    both = labels.withColumn("is_label", F.lit(True)).unionByName(events, allowMissingColumns=True)
    matched = _with_latest(both, facts, partition).where("is_label")
    return matched.select(*labels.columns, _match(facts).alias("match"))


def _with_latest(both: DataFrame, facts: SearchableFacts, partition: list[str]) -> DataFrame:
    """Plus the latest current fact so far, whether it is tied, and all superseded ones so far.

    Facts with one `at` become visible at one instant: in this order they stand side by side, where `lag` finds ties.
    """
    order = Window.partitionBy(*partition).orderBy(LABEL_US, "is_label", *(["current.at"] if facts.counts_ties else []))
    so_far = order.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    columns = {"latest": F.max("current").over(so_far)}
    if facts.counts_ties:
        is_second = F.col("current.at").eqNullSafe(F.lag("current.at").over(order))
        tie = F.struct("current.at", is_second.alias("is_tied"))
        both = both.withColumn("tie", F.when(F.col("current").isNotNull(), tie))
        columns["latest_tie"] = F.max("tie").over(so_far)
    if facts.has_superseded:
        columns["superseded_so_far"] = F.collect_list("superseded").over(so_far)
    return both.withColumns(columns)


def _match(facts: SearchableFacts) -> Column:
    """The later of the latest current fact and the latest fact that will be superseded only after the label."""
    best, in_force = F.col("latest"), None
    if facts.has_superseded:
        versions = F.filter("superseded_so_far", lambda version: version.getField("superseded_us") > F.col(LABEL_US))
        in_force = F.transform(versions, lambda version: version.getField("fact"))
        best = F.greatest(best, F.array_max(in_force))
    is_tied = _equals(best.getField("at"), in_force) > 1 if facts.counts_ties else F.lit(False)
    match = F.struct(best.getField("at").alias("at"), best.getField("row").alias("row"), is_tied.alias("is_tied"))
    return F.when(best.isNotNull(), match)


def _equals(at: Column, in_force: Column | None) -> Column:
    """How many of the facts that a label sees have this `at`; current ones count as 0, 1, or 2 for more."""
    tie = F.col("latest_tie")
    current = F.when(tie.getField("at") == at, F.when(tie.getField("is_tied"), 2).otherwise(1)).otherwise(0)
    if in_force is None:
        return current
    return current + F.size(F.filter(in_force, lambda fact: fact.getField("at") == at))
