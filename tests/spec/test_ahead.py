"""Facts that are dated later than they can have been known: quarantined, or kept by declaration (S5)."""

from dataclasses import replace
from typing import Any

import pytest
from pyspark.sql import DataFrame

from compute.ahead import AHEAD_OF_KNOWN, AHEAD_OF_LOAD, with_corrections
from compute.delivery import REASON, typed
from lakehouse.files.records import typed_records
from tests.support.drawn import at, frame
from ziggurat.model import AvailableColumn, Column, EventTime, Grain, Kind, LandingDelay, Source

NEW_YORK = "America/New_York"


def reports(**how: Any) -> Source:
    clock = {"event_time": EventTime("event_at"), "available": AvailableColumn("told_at")}
    columns = [Column(name, "string", required=True) for name in ("case", "fact")]
    return Source(
        name="reports",
        kind=Kind.EVENTS,
        version=1,
        owner="tests",
        columns=(
            *columns,
            Column("event_at", "timestamp", required=True),
            Column("told_at", "timestamp", required=True),
            Column("never_was", "boolean"),
            Column("day", "date"),
        ),
        identity=("fact",),
        retraction="never_was",
        **{**clock, **how},
    )


# Loaded at 10d. Of a fact with a coarse time the start counts: it can be known before its day is over.
AHEAD = """
case                         fact  event_at  told_at   never_was:boolean  day:date
in time                      1     9d        9d01:00   -                  2017-01-09
known as it happens          2     9d        9d        -                  2017-01-09
known before it happens      3     9d+1us    9d        -                  2017-01-11
at the load                  4     10d       10d       -                  2017-01-10
after the load               5     10d+1us   10d+1us   -                  2017-01-12
a typo                       6     2099-01-01T00:00:00Z  9d  -            2017-01-09
it never was                 6     2099-01-01T00:00:00Z  9d  true         2017-01-09
moved, recorded as before    1     9d12:00   9d01:00   -                  2017-01-09
a first version of itself    7     9d12:00   9d01:00   -                  2017-01-09
and a second, not better     7     9d13:00   9d01:00   -                  2017-01-09
"""
LOADED_AT = at("10d")


def reasons(answer: DataFrame) -> dict[str, str | None]:
    short = {AHEAD_OF_LOAD: "load", AHEAD_OF_KNOWN: "known", None: None}
    return {row["case"]: short[row[REASON]] for row in answer.collect()}


def test_s5_a_fact_of_later_than_its_load_or_its_available_time_is_not_usable(spark) -> None:
    answer = typed(typed_records(frame(spark, AHEAD), "here"), reports(), loaded_at=LOADED_AT)
    assert {case: reason for case, reason in reasons(answer).items() if reason} == {
        "known before it happens": "known",
        "after the load": "load",
        "a typo": "load",
        "moved, recorded as before": "known",
        "a first version of itself": "known",
        "and a second, not better": "known",
    }


def test_s5_a_correction_may_keep_the_time_at_which_the_fact_was_recorded_first(spark) -> None:
    delivered = typed(typed_records(frame(spark, AHEAD), "here"), reports(), loaded_at=LOADED_AT)
    again = reasons(with_corrections(delivered, reports(), None, reason=REASON))
    assert {case for case, reason in again.items() if reason == "known"} == {
        "known before it happens",
        "a first version of itself",
        "and a second, not better",
    }
    known = (
        delivered.where("false").select("fact").union(delivered.sparkSession.createDataFrame([("7",)], "fact string"))
    )
    later = reasons(with_corrections(delivered, reports(), known, reason=REASON))
    assert {case for case, reason in later.items() if reason} == {
        "known before it happens",
        "after the load",
        "a typo",
    }
    without = replace(reports(), identity=())
    assert reasons(with_corrections(delivered, without, None, reason=REASON)) == reasons(delivered)


@pytest.mark.parametrize(
    ("clock", "available", "refused"),
    [
        (EventTime("event_at", known_in_advance=True), AvailableColumn("told_at"), {}),
        (
            EventTime("event_at"),
            LandingDelay("1d"),
            {"after the load": "load", "a typo": "load"},
        ),
        # The day of 11 January begins after the load at 10d = 11 January 00:00 UTC, in New York five hours later.
        (
            EventTime("day", grain=Grain.DAY, zone="UTC"),
            LandingDelay("0s"),
            {"after the load": "load"},
        ),
        (
            EventTime("day", grain=Grain.DAY, zone=NEW_YORK),
            LandingDelay("0s"),
            {"after the load": "load", "known before it happens": "load"},
        ),
        (EventTime("day", grain=Grain.DAY, zone=NEW_YORK, known_at_start=True), LandingDelay("0s"), {}),
    ],
)
def test_s5_plans_are_kept_by_declaration_and_a_coarse_fact_counts_from_its_start(
    spark, clock, available, refused
) -> None:
    source = reports(event_time=clock, available=available)
    answer = reasons(typed(typed_records(frame(spark, AHEAD), "here"), source, loaded_at=LOADED_AT))
    assert {case: reason for case, reason in answer.items() if reason} == refused
