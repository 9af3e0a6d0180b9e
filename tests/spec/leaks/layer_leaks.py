"""Leaks below the join: in what raw is stamped with, in derived rows, snapshots, cohorts and labels.

Each is judged by the spec of its layer: a test that holds for the engine as it is, and must fail with the leak in it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from compute import arrival, cross, labels, lookups, windows
from compute.windows import _aggregate_partition
from definitions.durations import to_us
from kernels.as_of.lookup_facts import LookupFacts
from kernels.as_of.lookups import look_up
from kernels.windows.plan import WindowPlan
from tests.spec import test_arrival, test_cohorts, test_delivery, test_labels, test_lookups, test_snapshots
from tests.spec.leaks.leak import SPEC, Leak, Plant


@dataclass(frozen=True)
class LayerLeak(Leak):
    """spec: a test of the layer; it takes the session and raises AssertionError when the layer is not as drawn."""

    plant: Plant
    spec: Callable[[Any], None]


def _setting(module: Any, name: str, planted: Any) -> Plant:
    return lambda monkeypatch: monkeypatch.setattr(module, name, planted)


def _known_at_once(looked_up: lookups.LookedUp) -> DataFrame:
    return _USABLE(looked_up).withColumn("available_time", F.col("event_time"))


def _newest_of_all_time(rows: pa.Table, facts: LookupFacts) -> pa.Table:
    """Each row asks at the end of time, and gets its own event time back."""
    index = rows.schema.get_field_index(facts.plan.event_time)
    at_the_end = pa.array([to_us(datetime(2199, 12, 31, tzinfo=UTC))] * rows.num_rows)
    field = rows.schema.field(index)
    later = rows.set_column(index, field, at_the_end.cast(field.type)).append_column("own", rows[index])
    found = look_up(later, facts)
    return found.set_column(index, rows.schema.field(index), found["own"]).drop_columns("own")


def _stamped_by_the_clock(frame: DataFrame, source: Any, load: arrival.Load, *, known: Any) -> DataFrame:
    at = F.timestamp_micros(F.lit(to_us(load.at)))
    return _STAMPED(frame, source, load, known=known).withColumn("available_time", at)


def _never_late(expected: Column, delay: Any, load: arrival.Load) -> Column:
    return F.lit(False)


def _at_its_start(clock: Any) -> Column:
    return _EVENT_TIME(replace(clock, known_at_start=True))


def _cut_by_the_data(*args: Any, **how: Any) -> DataFrame:
    label = args[0]
    return _LABEL_SPINE(*args, **how).withColumn(label.column, F.coalesce(label.column, F.lit(label.is_absence)))


def _all_entities(spine: DataFrame, label: Any, seen: DataFrame) -> DataFrame:
    return spine


def of_all_time(by: Sequence[str]) -> Column:
    """Cohorts over all snapshots at once."""
    return F.struct(F.lit(0), *by)


def _moved(name: str, by: Callable[[pa.Table], pa.Array]) -> Callable[[Iterator[pa.RecordBatch], WindowPlan], Any]:
    """The kernel's entry function, defined here so that all of it is sent to the Python workers."""

    def planted(batches: Iterator[pa.RecordBatch], plan: WindowPlan) -> Iterator[pa.RecordBatch]:
        moved = []
        for batch in batches:
            table = pa.Table.from_batches([batch])
            index = table.schema.get_field_index(name)
            moved += table.set_column(index, table.schema.field(index), by(table)).to_batches()
        yield from _aggregate_partition(iter(moved), plan)

    return planted


def _a_microsecond_earlier(table: pa.Table) -> pa.Array:
    at = pa.compute.subtract(table["event_time"].cast(pa.int64()), 1)
    return at.cast(table.schema.field("event_time").type)


_USABLE, _STAMPED, _EVENT_TIME = lookups.usable, arrival.with_available_time, test_delivery.event_time
_UNFILLED = ("18d-1us", "-")  # the newest event, and the label then
_LABEL_SPINE = labels.label_spine

LAYER_LEAKS = (
    LayerLeak(
        "look-up without availability",
        "a derived row takes a looked-up fact before it was known",
        (SPEC,),
        _setting(lookups, "usable", _known_at_once),
        test_lookups.test_s13_a_row_takes_the_newest_fact_known_and_gets_a_version_when_that_changes,
    ),
    LayerLeak(
        "look-up ahead of its row",
        "a derived row takes a fact that happened after it",
        (SPEC,),
        _setting(lookups, "look_up", _newest_of_all_time),
        test_lookups.test_s13_a_row_takes_the_newest_fact_known_and_gets_a_version_when_that_changes,
    ),
    LayerLeak(
        "wall clock as availability",
        "a load stamps its own time on history, and hides it from every label",
        (SPEC,),
        _setting(test_arrival, "with_available_time", _stamped_by_the_clock),
        test_arrival.test_s5_a_first_load_gives_every_fact_its_landing_delay,
    ),
    LayerLeak(
        "late delivery backdated",
        "a fact that came weeks late gets the landing delay of one that came in time",
        (SPEC,),
        _setting(arrival, "_overdue", _never_late),
        test_arrival.test_s5_s7_a_later_load_keeps_what_is_new_and_stamps_what_is_late_with_itself,
    ),
    LayerLeak(
        "coarse time at its start",
        "a day's sum is stamped with the day's first instant",
        (SPEC,),
        _setting(test_delivery, "event_time", _at_its_start),
        test_delivery.test_s6_days_and_weeks_end_where_the_next_begins_on_dst_nights_too,
    ),
    LayerLeak(
        "window that holds its own instant",
        "a window ends at T, T included",
        (SPEC,),
        _setting(windows, "_aggregate_partition", _moved("event_time", _a_microsecond_earlier)),
        test_snapshots.test_s11_s20_s22_a_window_holds_what_is_younger_than_w_before_t_and_known_at_the_cut,
    ),
    LayerLeak(
        "window without a cut",
        "a snapshot counts what became known only after its cut",
        (SPEC,),
        _setting(windows, "_aggregate_partition", _moved("available_time", lambda table: table["event_time"])),
        test_snapshots.test_s11_s20_s22_a_window_holds_what_is_younger_than_w_before_t_and_known_at_the_cut,
    ),
    LayerLeak(
        "cohort over all time",
        "a mean over the snapshots of all as-ofs, the later ones among them",
        (SPEC,),
        _setting(cross, "group_of", of_all_time),
        test_cohorts.test_s26_an_entity_is_compared_with_its_group_at_the_same_instant,
    ),
    LayerLeak(
        "horizon cut by the data's end",
        "a label whose horizon is not over when the data end is no, instead of null",
        (SPEC,),
        _setting(test_labels, "label_spine", _cut_by_the_data),
        lambda spark: test_labels.test_s27_a_horizon_that_the_data_may_not_fill_is_null_whatever_is_there_already(
            spark, *_UNFILLED
        ),
    ),
    LayerLeak(
        "spine of all entities there will be",
        "a spine lists entities that came only later",
        (SPEC,),
        _setting(labels, "_seen", _all_entities),
        test_labels.test_s14_seen_is_what_happened_before_t_was_known_by_t_and_stood_at_t,
    ),
)
