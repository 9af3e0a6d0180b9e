"""Leaks in a whole project: views that leak beside views that don't, caught by the leak test alone.

Each leak is planted in the functions that build and leak test share, for the one view that is named after it.
"""

import threading
from dataclasses import dataclass
from typing import Any

import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from compute import cross
from definitions.durations import DAY_US
from jobs.build import continued
from jobs.build import derived as deriver
from jobs.build import snapshots as builder
from jobs.build.derived import rows_of
from jobs.leak_test import rebuild
from temporal.instants import instant
from tests.spec.leaks.layer_leaks import of_all_time
from tests.spec.leaks.leak import LEAK_TEST, Leak

_YEAR_US = 365 * DAY_US
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class PyramidLeak(Leak):
    """view: the name of the view that leaks, in the project."""

    view: str


PYRAMID_LEAKS = (
    PyramidLeak(
        "snapshot stamped at the day's start",
        "a snapshot of T holds the day that begins at T",
        (LEAK_TEST,),
        "stamped_at_start",
    ),
    PyramidLeak("as-of included", "a snapshot of T holds what happens at T", (LEAK_TEST,), "as_of_included"),
    PyramidLeak("cut ignored", "a snapshot of T holds what became known long after T", (LEAK_TEST,), "cut_ignored"),
    PyramidLeak(
        "current value in a snapshot",
        "a snapshot of T is made of the facts' present content",
        (LEAK_TEST,),
        "current_values",
    ),
    PyramidLeak(
        "publication backdated",
        "a snapshot is stamped as available at T, hours before its cut",
        (LEAK_TEST,),
        "published_early",
    ),
    PyramidLeak(
        "cohort over all as-ofs",
        "a comparison with the mean of later snapshots, too",
        (LEAK_TEST,),
        "cohort_of_all_time",
    ),
    PyramidLeak(
        "derived row backdated",
        "a derived row is stamped as known a day before its fact was",
        (LEAK_TEST,),
        "early_trips",
    ),
)

HONEST = ("rider_activity", "rider_vs_plan", "trips")
SERVICE = "leaking_v1"
DEFINITIONS = '''"""Views that are named after the leak that a test plants in each."""

from {package}.aggregate.rider_activity import rider_activity
from {package}.cross_entity.rider_vs_plan import rider_vs_plan
from {package}.derived.trips import trips
from {package}.entities import rider
from {package}.raw.rides import rides
from ziggurat.model import (
    EVERYONE,
    AggregateView,
    CrossEntityView,
    DerivedView,
    FeatureService,
    count,
    expression,
    features_of,
    ratio_to_mean,
    sum_of,
)


def activity(name):
    return AggregateView(
        name,
        entity=rider,
        source=trips,
        version=1,
        owner="tests",
        windows=("30d",),
        cut_delay="4h",
        features=(count(named="ride"), sum_of("fare", quantum="0.01")),
    )


stamped_at_start = activity("stamped_at_start")
as_of_included = activity("as_of_included")
cut_ignored = activity("cut_ignored")
current_values = activity("current_values")
published_early = activity("published_early")
cohort_of_all_time = CrossEntityView(
    "cohort_of_all_time",
    entity=rider,
    of=rider_activity,
    version=1,
    owner="tests",
    group=EVERYONE,
    features=(ratio_to_mean("fare_sum_30d"),),
)
early_trips = DerivedView(
    "early_trips", source=rides, version=1, owner="tests", features=(expression("is_long", "minutes > 30"),)
)

leaking_v1 = FeatureService(
    "leaking_v1",
    features=(
        features_of(rider_activity, "ride_count_30d", "fare_sum_30d"),
        features_of(rider_vs_plan),
        features_of(trips, "fare", entity=rider),
        features_of(stamped_at_start),
        features_of(as_of_included),
        features_of(cut_ignored),
        features_of(current_values),
        features_of(published_early),
        features_of(cohort_of_all_time),
        features_of(early_trips, "fare", entity=rider),
    ),
    owner="tests",
)
'''
# A ride known two hours after midnight, one at midnight (two in Amsterdam), one in the day that follows.
RIDES = """ride_id,rider_id,started_at,minutes,metres,fare,recorded_at
2001,R01,2024-06-01 14:00:00,20,4000,2.00,2024-06-01T12:30:00Z
2002,R02,2024-05-31 22:00:00,20,4000,2.00,2024-06-01T02:00:00Z
2003,R04,2024-06-01 02:00:00,10,1000,1.00,2024-06-01T00:10:00Z
"""
LABEL_TIMES = ("2024-06-01T01:00:00Z", "2024-06-01T05:00:00Z", "2024-06-08T05:00:00Z")


def plant_in_the_pyramid(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (builder, rebuild):
        for name, planted in (
            ("facts_of", _facts_of),
            ("snapshots", _snapshots),
            ("stamped", _stamped),
            ("compare", _compare),
        ):
            monkeypatch.setattr(module, name, planted)
    for module in (deriver, continued, rebuild):
        monkeypatch.setattr(module, "derive", _derive)


def _facts_of(job: Any, view: Any, last_us: int) -> DataFrame:
    later = {"stamped_at_start": DAY_US, "as_of_included": 1}.get(view.name, 0)
    if view.name not in ("cut_ignored", "current_values"):
        return _HONEST_FACTS(job, view, last_us + later)
    known = rows_of(job, view.source, cut_us=last_us + _YEAR_US).where(F.col("event_time") < instant(last_us))
    if view.name == "current_values":
        known = known.where("superseded_at is null")
    return known.withColumn("available_time", F.col("event_time"))


def _snapshots(frame: DataFrame, view: Any, as_ofs_us: Any, *, partitions: int) -> DataFrame:
    later = {"stamped_at_start": DAY_US, "as_of_included": 1}.get(view.name, 0)
    correct = _HONEST_SNAPSHOTS(frame, view, [us + later for us in as_ofs_us], partitions=partitions)
    return correct.withColumn("event_time", F.timestamp_micros(F.unix_micros("event_time") - later))


def _stamped(job: Any, view: Any, frame: DataFrame) -> DataFrame:
    correct = _HONEST_STAMPED(job, view, frame)
    is_early = view.name == "published_early"
    return correct.withColumn("available_time", F.col("event_time")) if is_early else correct


def _compare(rows: DataFrame, membership: Any, view: Any, *, tasks: int) -> DataFrame:
    with _ONE_AT_A_TIME, pytest.MonkeyPatch.context() as patch:  # steps run side by side
        if view.name == "cohort_of_all_time":
            patch.setattr(cross, "group_of", of_all_time)
        return _HONEST_COMPARE(rows, membership, view, tasks=tasks)


def _derive(rows: DataFrame, lookups: Any, view: Any, *, partitions: int) -> DataFrame:
    correct = _HONEST_DERIVE(rows, lookups, view, partitions=partitions)
    earlier = F.timestamp_micros(F.unix_micros("available_time") - DAY_US)
    known = F.greatest("event_time", earlier)
    return correct.withColumn("available_time", known) if view.name == "early_trips" else correct


_HONEST_FACTS, _HONEST_SNAPSHOTS, _HONEST_STAMPED = builder.facts_of, builder.snapshots, builder.stamped
_HONEST_COMPARE, _HONEST_DERIVE = builder.compare, deriver.derive
