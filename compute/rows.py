"""Derived views: one row per source row, with look-ups as they were known, and expressions (S13)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from compute.duplicates import resolved, value
from compute.failures import Probe
from compute.numbers import expressed
from definitions.views import DerivedView, Lookup
from temporal.order import clock_order, column_order
from temporal.versions import is_known_at, is_marked

_E, _A, _S = "event_time", "available_time", "superseded_at"


@dataclass(frozen=True)
class LookedUp:
    """A look-up with its facts (with `superseded_at`, unless static).

    is_regular: no fact has a second version, and each was known no later than any row that may look it up. Then a row's
    match never changes, and one search finds it. Otherwise each new version of a looked-up fact makes a new version of
    the row.
    """

    lookup: Lookup
    facts: DataFrame
    is_regular: bool


def derive(rows: DataFrame, lookups: Sequence[LookedUp], view: DerivedView) -> DataFrame:
    """rows: facts of the view's source with `superseded_at`. Returns its schema's columns and `superseded_at`.

    Where a row looked up several facts and duplicates=REFUSE, evaluating the frame fails: see `duplicates.refusal`.
    """
    rows = _looked_up(rows, lookups)
    for feature in view.outputs:
        if feature.input is not None:
            rows = rows.withColumn(feature.name, expressed(feature.input))
    return rows.select(*view.schema, _S)


def probes(rows: DataFrame, lookups: Sequence[LookedUp], view: DerivedView) -> Iterator[Probe]:
    """The view's expressions over the rows that `derive` evaluates them in, to find the one that failed."""
    rows = _looked_up(rows, lookups)
    for feature in view.outputs:
        if feature.input is not None:
            yield Probe(feature.name, feature.input.text, expressed(feature.input), rows)


def _looked_up(rows: DataFrame, lookups: Sequence[LookedUp]) -> DataFrame:
    for looked_up in lookups:
        take = _take_static if looked_up.lookup.source.is_static else _take_known
        rows = take(rows, looked_up)
    return rows


def _take_static(rows: DataFrame, looked_up: LookedUp) -> DataFrame:
    lookup = looked_up.lookup
    order = column_order(looked_up.facts.schema, list(lookup.source.schema)).alias("_order")
    facts = looked_up.facts.select(*lookup.on, *lookup.take, order, F.lit(False).alias("_gone"))
    matched = rows.join(resolved(facts, lookup, by=list(lookup.on)), on=list(lookup.on), how="left")
    return matched.select(*rows.columns, *[value(c, lookup).alias(c) for c in lookup.take])


def _take_known(rows: DataFrame, looked_up: LookedUp) -> DataFrame:
    lookup = looked_up.lookup
    facts = _usable(looked_up)
    if looked_up.is_regular:
        points = rows.select(*lookup.on, _E).distinct()
        best = _best(points, facts, lookup, by=[*lookup.on, _E])
        return rows.join(best, on=[*lookup.on, _E], how="left")
    points = rows.select(*lookup.on, _E, _A, _S).distinct()
    versions = _versions(points, facts, lookup)
    best = _best(versions, facts, lookup, by=[*lookup.on, _E, _A, "_known"])
    same = [F.col(f"r.{c}").eqNullSafe(F.col(f"v.{c}")) for c in [*lookup.on, _E, _A, _S]]
    versioned = (
        rows.alias("r")
        .join(versions.alias("v"), on=same, how="left")
        .select("r.*", F.col("v._known"), F.col("v._until"))
    )
    matched = versioned.join(best, on=[*lookup.on, _E, _A, "_known"], how="left")
    return matched.withColumn(_A, F.col("_known")).withColumn(_S, F.col("_until")).drop("_known", "_until")


def _usable(looked_up: LookedUp) -> DataFrame:
    """Facts with their clocks, whether each is a tombstone (`_gone`), and their order (S9)."""
    lookup, source = looked_up.lookup, looked_up.lookup.source
    root = source.root  # a derived view's marks are its source's
    schema = looked_up.facts.schema
    clocks = clock_order(
        schema, event_time=F.col(_E), available_time=F.col(_A), tie_break=root.tie_break, tombstone=root.tombstone
    )
    columns = column_order(schema, [name for name in source.schema if name not in (_E, _A)])
    return looked_up.facts.select(
        *lookup.on,
        F.col(_E).alias("_at"),
        F.col(_A).alias("_from"),
        F.col(_S).alias("_to"),
        is_marked(root.tombstone).alias("_gone"),
        *lookup.take,
        F.struct(clocks.alias("clocks"), columns.alias("columns")).alias("_order"),
    )


def _versions(points: DataFrame, facts: DataFrame, lookup: Lookup) -> DataFrame:
    """Per point (keys and clocks of a row) its versions: from each instant `_known` at which its match may change, to
    the next, `_until`.

    These are the row's own available time, and each later instant at which a fact becomes known or is superseded.
    """
    pairs = points.alias("q").join(
        facts.alias("f"), on=[F.col(f"q.{k}") == F.col(f"f.{k}") for k in lookup.on], how="left"
    )
    is_candidate = F.col("f._at") <= F.col(f"q.{_E}")
    instants = F.when(is_candidate, F.array("f._from", "f._to")).otherwise(F.array(F.lit(None).cast("timestamp")))
    known = pairs.select("q.*", F.explode(F.concat(F.array(f"q.{_A}"), instants)).alias("_known"))
    known = known.where(is_known_at(F.col("_known"), available=F.col(_A), superseded=F.col(_S)))
    key = [*lookup.on, _E, _A, _S]
    sorted_instants = known.groupBy(*key).agg(F.sort_array(F.collect_set("_known")).alias("_all"))
    return sorted_instants.select(*key, F.posexplode("_all").alias("_n", "_known"), "_all").select(
        *key, "_known", F.coalesce(F.try_element_at("_all", F.col("_n") + 2), F.col(_S)).alias("_until")
    )


def _best(points: DataFrame, facts: DataFrame, lookup: Lookup, *, by: list[str]) -> DataFrame:
    """Per point, and per version of it where `by` has `_known`: the newest fact known, duplicates resolved as declared.

    A point without a fact has no row.
    """
    pairs = points.join(facts, on=list(lookup.on), how="inner").where(F.col("_at") <= F.col(_E))
    if "_known" in by:
        pairs = pairs.where(is_known_at(F.col("_known"), available=F.col("_from"), superseded=F.col("_to")))
    newest = resolved(pairs, lookup, by=[*by, "_at"])
    best = newest.groupBy(*by).agg(F.max_by(F.struct("_taken", "_gone", "_facts"), "_at").alias("_best"))
    return best.select(*by, "_best.*").select(*by, *[value(c, lookup).alias(c) for c in lookup.take])
