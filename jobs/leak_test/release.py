"""The release that a training set was made of: its table versions, its visible snapshots, how far it was built."""

import json
from collections.abc import Mapping
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from definitions.errors import NotReleased
from definitions.registry import key_of
from definitions.services import FeatureService, Selection
from jobs.build.continued import built_to_us
from jobs.inputs.releases import Released, earlier_release, rows_of
from jobs.leak_test.scenarios import VisibleSnapshots
from jobs.run.context import Context
from jobs.spines.spine import LABEL_TIME
from lakehouse.tables import read


def release_of(context: Context, release_id: int) -> Released:
    """The release that the training set was made of, which need not be the newest."""
    rows = read(context.spark, context.warehouse.releases.path).where(F.col("release_id") == release_id).collect()
    if not rows:
        raise NotReleased(
            f"release {release_id} is not in {context.warehouse.releases.path}; build the training set again."
        )
    versions = {table: view["version"] for table, view in json.loads(rows[0]["views"]).items()}
    return earlier_release(context, release_id, versions)


def entities_of(spine: DataFrame, selection: Selection, keys: Mapping[str, str]) -> DataFrame:
    """The entities that a spine names for a selection, each once. keys: what the spine calls a join key."""
    return _spine_keys(spine, selection, keys).distinct()


def visible_snapshots(
    context: Context, service: FeatureService, released: Released, spine: DataFrame, *, keys: Mapping[str, str]
) -> VisibleSnapshots:
    """The snapshots that the rows of a spine can see, by S14 and S11 alone: no code of the join is used."""
    parts = [
        _visible(rows_of(context, selection.view, released), spine, selection, keys).select(
            F.lit(number).alias("index"), "at", "as_of"
        )
        for number, selection in enumerate(service.features)
        if selection.is_snapshot
    ]
    visible: dict[tuple[int, int], list[int]] = {}
    for row in sorted(reduce(DataFrame.union, parts).collect()) if parts else ():
        visible.setdefault((row["index"], row["at"]), []).append(row["as_of"])
    return visible


def built_to(context: Context, service: FeatureService, released: Released) -> dict[str, int]:
    """How far each derived view that is joined itself was built in this release, from its commits."""
    views = (selection.view for selection in service.features)
    derived = [view for view in views if not (view.is_snapshot or view.is_delivered)]
    return {key_of(view): built_to_us(context, view, released) for view in derived}


def _visible(rows: DataFrame, spine: DataFrame, selection: Selection, keys: Mapping[str, str]) -> DataFrame:
    names = list(selection.entity.key_names)
    wanted = _spine_keys(spine, selection, keys, F.unix_micros(LABEL_TIME).alias("at")).distinct()
    both = rows.join(F.broadcast(wanted), on=names, how="inner").where(
        (F.unix_micros("event_time") <= F.col("at"))
        & (F.unix_micros("available_time") <= F.col("at"))
        & (F.col("superseded_at").isNull() | (F.unix_micros("superseded_at") > F.col("at")))
    )
    newest = both.groupBy("at", *names).agg(F.max(F.unix_micros("event_time")).alias("as_of"))
    return newest.select("at", "as_of").distinct()


def _spine_keys(spine: DataFrame, selection: Selection, keys: Mapping[str, str], *more: Column) -> DataFrame:
    named = zip(selection.entity.key_names, selection.spine_keys, strict=True)
    return spine.select(*(F.col(keys.get(key, key)).alias(own) for own, key in named), *more)
