"""Raw facts in the worlds of a proof: what could be known is as it was, the rest is gone or says something else."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from definitions.durations import DAY_US
from definitions.sources import AvailableColumn, Source
from jobs.leak_test.scenarios import SCENARIO, Knowable, Perturbation, Scenario

_MOVED_WITHIN_US = 7 * DAY_US
_REPLACED_OF = 4
_CLOCKS = ("event_time", "available_time", "loaded_at")


@dataclass(frozen=True)
class Found:
    """A source before it is poisoned: its facts, how many can't be known in each world, each column's least and
    greatest value (`least_…`, `greatest_…`, one row)."""

    facts: int
    unknowable: Mapping[int, int]
    extremes: pa.Table


def source_stats(rows: DataFrame, source: Source, worlds: Sequence[Scenario]) -> Found:
    """One pass over a source's raw rows."""
    names = [column.name for column in source.columns]
    told = list(dict.fromkeys(world.knowable for world in worlds))
    found = rows.agg(
        F.count(F.lit(1)).alias("facts"),
        *(F.count_if(~_is_knowable(each)).alias(f"unknowable_{index}") for index, each in enumerate(told)),
        *(F.min(name).alias(f"least_{name}") for name in names),
        *(F.max(name).alias(f"greatest_{name}") for name in names),
    ).toArrow()
    counts = {world.number: found[f"unknowable_{told.index(world.knowable)}"][0].as_py() for world in worlds}
    extremes = found.select([name for name in found.column_names if name.startswith(("least_", "greatest_"))])
    return Found(found["facts"][0].as_py(), counts, extremes)


def perturbed(
    rows: DataFrame, source: Source, worlds: Sequence[Scenario], found: Found, *, keys: Collection[str], may_move: bool
) -> DataFrame:
    """rows: the source's raw rows. Returns them once per world, with its number.

    Garbage keeps keys, identity and clocks; every other column takes the greatest value that it has anywhere, or the
    least. may_move: half of the garbage that becomes known only after the cut happens in the days before the edge
    instead, where all windows would find it, if nobody looked at when it was known.
    """
    spark = rows.sparkSession
    is_known = _among([world.knowable for world in worlds], [world.number for world in worlds])
    told = pa.table(
        {
            SCENARIO: pa.array([world.number for world in worlds], pa.int32()),
            "proof_poison": [world.poison.value for world in worlds],
            "proof_edge": pa.array([world.knowable.edge_us for world in worlds], pa.int64()),
            "proof_cut": pa.array([world.knowable.cut_us for world in worlds], pa.int64()),
        }
    )
    frame = rows.crossJoin(F.broadcast(spark.createDataFrame(told))).withColumn("proof_known", is_known)
    draw = F.xxhash64(*(column.name for column in source.columns))
    poison = F.col("proof_poison")
    is_replaced = (poison == Perturbation.REPLACED.value) | (
        (poison == Perturbation.MIXED.value) & (F.pmod(draw, F.lit(_REPLACED_OF)) == 0)
    )
    frame = frame.where(F.col("proof_known") | is_replaced | (poison == Perturbation.NOTHING.value))
    frame = frame.crossJoin(F.broadcast(spark.createDataFrame(found.extremes)))
    is_garbage = ~F.col("proof_known") & is_replaced
    kept = {*_kept(source), *keys}
    changed = {
        column.name: F.when(is_garbage, _other(column.name)).otherwise(F.col(column.name))
        for column in source.columns
        if column.name not in kept
    }
    if may_move:
        # Of the draw's other bits: half stay, the others move by what is left.
        move = F.pmod(F.shiftright(draw, 8), F.lit(2 * _MOVED_WITHIN_US))
        is_moved = is_garbage & (F.unix_micros("available_time") > F.col("proof_cut")) & (move < _MOVED_WITHIN_US)
        earlier = F.timestamp_micros(F.col("proof_edge") - 1 - move)
        changed["event_time"] = F.when(is_moved, earlier).otherwise(F.col("event_time"))
    return frame.withColumns(changed).select(*rows.columns, SCENARIO)


def _kept(source: Source) -> set[str]:
    """Whose a fact is, when, which version, and whether it stands: what makes garbage be mistaken for a fact."""
    clocks = [source.event_time.column] if source.event_time else []
    clocks += [source.available.column] if isinstance(source.available, AvailableColumn) else []
    return {*_CLOCKS, *source.identity, *clocks, source.version_by, source.retraction, source.tombstone}


def _other(name: str) -> Column:
    greatest, least = F.col(f"greatest_{name}"), F.col(f"least_{name}")
    return F.when(F.col(name).eqNullSafe(greatest), least).otherwise(greatest)


def _is_knowable(knowable: Knowable) -> Column:
    event_us = F.unix_micros("event_time")
    happened = event_us <= knowable.edge_us if knowable.includes_edge else event_us < knowable.edge_us
    return happened & (F.unix_micros("available_time") <= knowable.cut_us)


def _among(knowables: Sequence[Knowable], numbers: Sequence[int]) -> Column:
    known = F.lit(False)
    for knowable in dict.fromkeys(knowables):
        here = [number for each, number in zip(knowables, numbers, strict=True) if each == knowable]
        known = known | (F.col(SCENARIO).isin(here) & _is_knowable(knowable))
    return known
