"""Derived views: one row per source row, with look-ups as they were known, and expressions (S13)."""

from collections.abc import Iterator, Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from compute.duplicates import resolved, value
from compute.failures import Probe
from compute.lookups import FEWEST, LookedUp, with_matches
from compute.numbers import expressed
from definitions.views import DerivedView
from temporal.order import column_order


def derive(rows: DataFrame, lookups: Sequence[LookedUp], view: DerivedView, *, partitions: int = FEWEST) -> DataFrame:
    """rows: facts of the view's source with `superseded_at`. Returns its schema's columns and `superseded_at`.

    partitions: how many tasks share rows and looked-up facts, which they hold in memory. 0: both are few, and looked up
    in this process, now. Where a row looked up several facts and duplicates=REFUSE, evaluating the frame fails: see
    `duplicates.refusal`.
    """
    rows = _looked_up(rows, lookups, partitions=partitions)
    for feature in view.outputs:
        if feature.input is not None:
            rows = rows.withColumn(feature.name, expressed(feature.input))
    return rows.select(*view.schema, "superseded_at")


def probes(rows: DataFrame, lookups: Sequence[LookedUp], view: DerivedView) -> Iterator[Probe]:
    """The view's expressions over the rows that `derive` evaluates them in, to find the one that failed."""
    rows = _looked_up(rows, lookups, partitions=FEWEST)
    for feature in view.outputs:
        if feature.input is not None:
            yield Probe(feature.name, feature.input.text, expressed(feature.input), rows)


def _looked_up(rows: DataFrame, lookups: Sequence[LookedUp], *, partitions: int) -> DataFrame:
    for looked_up in lookups:
        if looked_up.lookup.source.is_static:
            rows = _take_static(rows, looked_up)
        else:
            rows = _take_known(rows, looked_up, partitions=partitions)
    return rows


def _take_static(rows: DataFrame, looked_up: LookedUp) -> DataFrame:
    lookup = looked_up.lookup
    order = column_order(looked_up.facts.schema, list(lookup.source.schema)).alias("_order")
    facts = looked_up.facts.select(*lookup.on, *lookup.take, order, F.lit(False).alias("_gone"))
    matched = rows.join(resolved(facts, lookup, by=list(lookup.on)), on=list(lookup.on), how="left")
    return matched.select(*rows.columns, *[value(c, lookup).alias(c) for c in lookup.take])


def _take_known(rows: DataFrame, looked_up: LookedUp, *, partitions: int) -> DataFrame:
    lookup = looked_up.lookup
    matched = with_matches(rows, looked_up, partitions=partitions)
    return matched.select(*rows.columns, *[value(c, lookup).alias(c) for c in lookup.take])
