"""Raw facts in the scenarios of the leak test: those that could be known are kept, all others removed or replaced."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from definitions.clocks import AvailableColumn
from definitions.durations import DAY_US
from definitions.sources import Source
from jobs.leak_test.scenarios import SCENARIO, Knowable, Perturbation, Scenario

_MOVED_WITHIN_US = 7 * DAY_US
_REPLACED_OF = 4
_CLOCKS = ("event_time", "available_time", "loaded_at")
_KNOWN, _PERTURBATION, _EDGE, _CUT = (f"leak_test_{name}" for name in ("known", "perturbation", "edge", "cut"))


@dataclass(frozen=True)
class SourceStats:
    """A source before its facts are changed. unknowable: per scenario, how many of its facts can't be known.

    extremes: one row with each column's least and greatest value (`least_…`, `greatest_…`).
    """

    facts: int
    unknowable: Mapping[int, int]
    extremes: pa.Table


def source_stats(rows: DataFrame, source: Source, scenarios: Sequence[Scenario]) -> SourceStats:
    """One pass over a source's raw rows."""
    names = [column.name for column in source.columns]
    knowables = list(dict.fromkeys(scenario.knowable for scenario in scenarios))
    stats = rows.agg(
        F.count(F.lit(1)).alias("facts"),
        *(F.count_if(~_is_knowable(knowable)).alias(f"unknowable_{index}") for index, knowable in enumerate(knowables)),
        *(F.min(name).alias(f"least_{name}") for name in names),
        *(F.max(name).alias(f"greatest_{name}") for name in names),
    ).toArrow()
    counts = {
        scenario.number: stats[f"unknowable_{knowables.index(scenario.knowable)}"][0].as_py() for scenario in scenarios
    }
    extremes = stats.select([name for name in stats.column_names if name.startswith(("least_", "greatest_"))])
    return SourceStats(stats["facts"][0].as_py(), counts, extremes)


def perturbed(
    rows: DataFrame,
    source: Source,
    scenarios: Sequence[Scenario],
    stats: SourceStats,
    *,
    keys: Collection[str],
    may_move: bool,
) -> DataFrame:
    """rows: the source's raw rows. Returns them once per scenario, with its number.

    A replaced fact keeps keys, identity and clocks; every other column takes the greatest value that it has anywhere,
    or the least. may_move: half of the replaced facts that become known only after the cut happen in the days before
    the edge instead, where every window contains them unless it checks when they became known.
    """
    spark = rows.sparkSession
    numbers = pa.table(
        {
            SCENARIO: pa.array([scenario.number for scenario in scenarios], pa.int32()),
            _PERTURBATION: [scenario.perturbation.value for scenario in scenarios],
            _EDGE: pa.array([scenario.knowable.edge_us for scenario in scenarios], pa.int64()),
            _CUT: pa.array([scenario.knowable.cut_us for scenario in scenarios], pa.int64()),
        }
    )
    frame = rows.crossJoin(F.broadcast(spark.createDataFrame(numbers))).withColumn(_KNOWN, _is_known(scenarios))
    draw = F.xxhash64(*(column.name for column in source.columns))
    perturbation = F.col(_PERTURBATION)
    is_replaced = (perturbation == Perturbation.REPLACED.value) | (
        (perturbation == Perturbation.MIXED.value) & (F.pmod(draw, F.lit(_REPLACED_OF)) == 0)
    )
    frame = frame.where(F.col(_KNOWN) | is_replaced | (perturbation == Perturbation.NOTHING.value))
    frame = frame.crossJoin(F.broadcast(spark.createDataFrame(stats.extremes)))
    is_changed = ~F.col(_KNOWN) & is_replaced
    kept = {*_kept(source), *keys}
    changed = {
        column.name: F.when(is_changed, _other(column.name)).otherwise(F.col(column.name))
        for column in source.columns
        if column.name not in kept
    }
    if may_move:
        # Of the draw's other bits: half stay, the others move by what is left.
        move = F.pmod(F.shiftright(draw, 8), F.lit(2 * _MOVED_WITHIN_US))
        is_moved = is_changed & (F.unix_micros("available_time") > F.col(_CUT)) & (move < _MOVED_WITHIN_US)
        earlier = F.timestamp_micros(F.col(_EDGE) - 1 - move)
        changed["event_time"] = F.when(is_moved, earlier).otherwise(F.col("event_time"))
    return frame.withColumns(changed).select(*rows.columns, SCENARIO)


def _kept(source: Source) -> set[str]:
    """Identity, clocks, version, retraction and tombstone: with them a replaced fact is read like the one it was."""
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


def _is_known(scenarios: Sequence[Scenario]) -> Column:
    """True for a fact that could be known in the scenario of its row."""
    known = F.lit(False)
    for knowable in dict.fromkeys(scenario.knowable for scenario in scenarios):
        numbers = [scenario.number for scenario in scenarios if scenario.knowable == knowable]
        known = known | (F.col(SCENARIO).isin(numbers) & _is_knowable(knowable))
    return known
