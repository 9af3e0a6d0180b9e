"""Spines with their labels: the entities seen before t, and whether the predicted event followed (S27)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from compute.delivered_times import event_time
from compute.reach import event_days, not_ahead, reach_us
from definitions.clocks import Grain
from definitions.durations import duration_us, instant_us
from definitions.errors import DefinitionError
from definitions.labels import AtStart, Every, Label
from definitions.sources import Source
from temporal.versions import LOADED, current_versions, visible_us, without_marked

_T, _EDGE, _IS_SPINE = "_label_us", "_edge_us", "_is_spine"
_FOREVER = 2**63 - 1


@dataclass(frozen=True)
class LabelInputs:
    """The rows a label reads: all versions with `superseded_at`, as `with_superseded_at` gives them.

    source: rows of the label's source. seen: rows of the source in which its entities are seen. starts, members: rows
    of an AtStart's two sources; members are static rows. reach: how far the facts of the label's source reach, as
    `reach_of_label` finds it; None: not worked out yet.
    """

    source: DataFrame
    seen: DataFrame
    starts: DataFrame | None = None
    members: DataFrame | None = None
    reach: int | None = field(default=None, kw_only=True)


def reach_of_label(label: Label, source: DataFrame) -> int | None:
    """The instant up to which the facts of a label's source reach, in µs (S27): the end of the data for its outcomes.

    source: as in `LabelInputs`. Cost: a pass over its clocks.
    """
    facts = not_ahead(current_versions(source), label.source)
    newest = reach_us(event_days(facts))
    if newest is None or LOADED not in source.columns:
        return newest
    loaded_us: int = source.agg(F.max(F.unix_micros(LOADED)).alias("us")).collect()[0]["us"]
    return min(newest, loaded_us)


def label_spine(
    label: Label, facts: LabelInputs, *, start_us: int | None = None, end_us: int | None = None
) -> DataFrame:
    """The label's keys, `label_time` and its column: one row per entity and label time at which it had been seen.

    Null: t + horizon + landing delay is after `reach`, so that the data end too early to decide. A fact inside the
    horizon does not change that, else the last weeks would have positive labels alone. Facts of later than their own
    load are not counted, unless they may lie ahead (S5). start_us and end_us limit
    label times, both included. Raises DefinitionError for a label whose sources lack its entities' keys. Cost: facts
    are shuffled by key, reduced to distinct intervals, and swept in order of time; there is no range join.
    """
    facts = _with_reach(label, facts)
    current = not_ahead(current_versions(facts.source), label.source)
    spine = _seen(candidates(label, facts, start_us=start_us, end_us=end_us), label, facts.seen)
    swept = _swept(spine, _intervals(current, label), label.key_names, order=Column.desc, fold=F.min)
    ends = F.col(_T) + label.horizon_us
    follows = F.coalesce(F.col(_EDGE) <= ends, F.lit(False))
    is_decided = ends + label.source.landing_delay_us <= F.lit(facts.reach).cast("bigint")
    value = F.when(is_decided, ~follows if label.is_absence else follows)
    return swept.select(*label.key_names, F.timestamp_micros(_T).alias("label_time"), value.alias(label.column))


def candidates(
    label: Label, facts: LabelInputs, *, start_us: int | None = None, end_us: int | None = None
) -> DataFrame:
    """All candidates for the spine, seen before t or not: the keys and the label time in µs, each pair once."""
    if isinstance(label.at, Every):
        rows = _every(label, label.at, _with_reach(label, facts))
    else:
        rows = _at_start(label, label.at, facts)
    if start_us is not None:
        rows = rows.where(F.col(_T) >= start_us)
    return rows if end_us is None else rows.where(F.col(_T) <= end_us)


def _with_reach(label: Label, facts: LabelInputs) -> LabelInputs:
    return facts if facts.reach is not None else replace(facts, reach=reach_of_label(label, facts.source))


def _every(label: Label, at: Every, facts: LabelInputs) -> DataFrame:
    _refuse_unknown(label, label.seen)
    first, step = instant_us(at.first), duration_us(at.step)
    last = first - step if facts.reach is None else facts.reach
    times = facts.seen.sparkSession.range(first, last + 1, step, 1).select(F.col("id").alias(_T))
    return _with_keys(facts.seen, label.key_names).distinct().crossJoin(F.broadcast(times))


def _at_start(label: Label, at: AtStart, facts: LabelInputs) -> DataFrame:
    if facts.starts is None or facts.members is None:
        raise DefinitionError(f"{label.where}: its label times are at '{at.source.name}'; give starts and members.")
    _refuse_unknown(label, at.members, at.source)
    # A tombstone says that something ended, not that it started (S8).
    starts = not_ahead(without_marked(current_versions(facts.starts), at.source.tombstone), at.source)
    only_there = [key for key in label.key_names if key not in at.members.schema]
    times = starts.select(*at.on, *only_there, F.unix_micros("event_time").alias(_T))
    # Neither source need have one row per entity: members may have several that differ in columns that are no key.
    return facts.members.join(times, on=list(at.on), how="inner").select(*label.key_names, _T).distinct()


def _refuse_unknown(label: Label, *sources: Source) -> None:
    """These sources together must have all of the label's keys, with the same types (S17)."""
    types = {name: type_ for source in reversed(sources) for name, type_ in source.schema.items()}
    for key, type_ in label.keys:
        if types.get(key) != type_:
            where = " and ".join(f"'{source.name}'" for source in sources)
            raise DefinitionError(
                f"{label.where}: {where} must have its entities' keys, but has no '{key}' of type {type_}. "
                "List them from a source that has all of the label's keys."
            )


def _seen(spine: DataFrame, label: Label, seen: DataFrame) -> DataFrame:
    """The rows whose entity had a fact that happened before t, was known by t, and was not superseded then (S14)."""
    known_us = visible_us(F.col("event_time"), F.col("available_time"))
    until_us = F.coalesce(F.unix_micros("superseded_at"), F.lit(_FOREVER))
    visible = _with_keys(seen, label.seen_by, known_us.alias(_T), until_us.alias(_EDGE))
    # Of facts that are superseded at the same instant, or never, only the one known first matters: one per entity.
    visible = visible.groupBy(*label.seen_by, _EDGE).agg(F.min(_T).alias(_T))
    latest = _swept(spine, visible, label.seen_by, order=Column.asc, fold=F.max)
    return latest.where(F.col(_EDGE) > F.col(_T)).drop(_EDGE)


def _intervals(current: DataFrame, label: Label) -> DataFrame:
    """[start, end) of each fact (S6). An instant gets the length of a microsecond, so that one test serves both."""
    clock = label.source.event_time
    if clock is None or clock.grain is Grain.INSTANT:
        starts, ends = F.unix_micros("event_time"), F.unix_micros("event_time") + 1
    else:
        starts = F.unix_micros(event_time(replace(clock, known_at_start=True)))
        ends = F.unix_micros(event_time(replace(clock, known_at_start=False)))
    facts = _with_keys(current, label.key_names, starts.alias(_T), ends.alias(_EDGE))
    return facts.groupBy(*label.key_names, _T).agg(F.min(_EDGE).alias(_EDGE))


def _with_keys(rows: DataFrame, keys: Sequence[str], *columns: Column) -> DataFrame:
    """Only rows that have all keys: a null key matches nothing (S17)."""
    return rows.where(" and ".join(f"`{key}` is not null" for key in keys)).select(*keys, *columns)


def _swept(
    spine: DataFrame,
    facts: DataFrame,
    keys: Sequence[str],
    *,
    order: Callable[[Column], Column],
    fold: Callable[[str], Column],
) -> DataFrame:
    """The spine with the fold of `_edge_us` over its key's facts up to t, t included, going up or down in time.

    Null where there is none. One shuffle and one sort by key.
    """
    both = spine.withColumn(_IS_SPINE, F.lit(True)).unionByName(
        facts.withColumn(_IS_SPINE, F.lit(False)), allowMissingColumns=True
    )
    so_far = (
        Window.partitionBy(*keys)
        .orderBy(order(F.col(_T)), F.col(_IS_SPINE).asc())
        .rowsBetween(Window.unboundedPreceding, Window.currentRow)
    )
    return both.withColumn(_EDGE, fold(_EDGE).over(so_far)).where(_IS_SPINE).drop(_IS_SPINE)
