"""Labels: who stands in a spine, and what followed within the horizon (S4, S6, S7, S8, S14, S17, S27)."""

import random
from dataclasses import replace
from typing import Any

import pytest

from compute.labels import LabelInputs, candidates, label_spine, reach_of_label
from definitions.durations import DAY_US
from definitions.errors import DefinitionError
from definitions.labels import AtStart, Every, Label
from temporal.versions import with_superseded_at
from tests.support.drawn import at_us, frame, same
from ziggurat.model import (
    AvailableColumn,
    Column,
    Entity,
    EventTime,
    Grain,
    Kind,
    LandingDelay,
    Source,
)

SHOPPER = Entity("shopper", keys=(("case", "string"),))
OFFER = Entity("offer", keys=(("offer", "string"),))


def source(name: str, *columns: Column, kind: Kind = Kind.EVENTS, **how: Any) -> Source:
    clock = {} if kind is Kind.STATIC else {"event_time": EventTime("event_at"), "available": LandingDelay("1d")}
    timed = () if kind is Kind.STATIC else (Column("event_at", "timestamp"), Column("told_at", "timestamp"))
    return Source(name=name, kind=kind, version=1, owner="tests", columns=(*columns, *timed), **{**clock, **how})


CASE, OFFERED = Column("case", "string"), Column("offer", "string")
VISITS = source("visits", CASE)
USES = source("uses", CASE, OFFERED)
OFFERS = source(
    "offers", OFFERED, Column("is_over", "boolean"), kind=Kind.STATE, identity=("offer",), tombstone="is_over"
)
ADDRESSED = source("addressed", CASE, OFFERED, Column("channel", "string"), kind=Kind.STATIC)


def returns(**how: Any) -> Label:
    """One label time, at 10d, as long as the data end before 1010d; seven days to come back in."""
    return Label(
        "returns",
        **{
            "entities": (SHOPPER,),
            "source": VISITS,
            "column": "has_returned",
            "horizon": "7d",
            "at": Every(first="2017-01-11", step="1000d"),
            "owner": "tests",
            **how,
        },
    )


USED = returns(
    entities=(SHOPPER, OFFER), source=USES, column="has_used", at=AtStart(OFFERS, members=ADDRESSED), seen_in=VISITS
)


def visits(spark: Any, text: str) -> Any:
    """Known a day after they happened, and never corrected, unless drawn otherwise."""
    rows = frame(spark, text)
    unless_drawn = {"available_time": "event_time + interval 1 day", "superseded_at": "cast(null as timestamp)"}
    for name, otherwise in unless_drawn.items():
        if name not in rows.columns:
            rows = rows.selectExpr("*", f"{otherwise} as {name}")
    return rows


def seen_long_ago(rows: Any) -> Any:
    """Everybody in these rows, seen on the first of January."""
    long_ago = "timestamp'2017-01-01T00:00:00Z'"
    return rows.selectExpr("case", f"{long_ago} as event_time", f"{long_ago} as available_time", "superseded_at")


def spine(spark: Any, label: Label, text: str, **limits: int) -> Any:
    rows = visits(spark, text)
    return label_spine(label, LabelInputs(rows, rows), **limits)


def test_s27_the_horizon_begins_at_t_and_ends_before_t_plus_h(spark) -> None:
    answer = spine(
        spark,
        returns(),
        """
        case                  event_time
        at t                  1d
        at t                  10d
        just before t         1d
        just before t         10d-1us
        inside                1d
        inside                12d
        inside, twice         1d
        inside, twice         12d
        inside, twice         13d
        just before t + h     1d
        just before t + h     17d-1us
        at t + h              1d
        at t + h              17d
        after, and before     1d
        after, and before     9d
        after, and before     40d
        never again           1d
        the end               60d
        """,
    )
    same(
        answer,
        """
        case                  label_time:timestamp  has_returned:boolean
        at t                  10d                   true
        just before t         10d                   false
        inside                10d                   true
        inside, twice         10d                   true
        just before t + h     10d                   true
        at t + h              10d                   false
        after, and before     10d                   false
        never again           10d                   false
        """,
    )
    assert answer.columns == ["case", "label_time", "has_returned"]


def test_s27_absence_is_the_other_answer_and_knows_no_more(spark) -> None:
    drawn = """
        case       event_time
        returns    1d
        returns    11d
        leaves     1d
        the end    17d
    """
    as_known, cut = {"available": LandingDelay("0s")}, {"available": LandingDelay("1h")}
    for available, returned, left in ((as_known, "true", "false"), (cut, "-", "-")):
        visits_of = replace(VISITS, **available)
        there = spine(spark, returns(source=visits_of), drawn)
        gone = spine(spark, returns(source=visits_of, column="has_left", is_absence=True), drawn)
        opposite = {"true": "false", "false": "true", "-": "-"}
        same(
            there,
            f"""
            case       label_time:timestamp  has_returned:boolean
            returns    10d                   {returned}
            leaves     10d                   {left}
            """,
        )
        same(
            gone,
            f"""
            case       label_time:timestamp  has_left:boolean
            returns    10d                   {opposite[returned]}
            leaves     10d                   {opposite[left]}
            """,
        )


def test_s14_seen_is_what_happened_before_t_was_known_by_t_and_stood_at_t(spark) -> None:
    answer = spine(
        spark,
        returns(),
        """
        case                          event_time  available_time  superseded_at
        the last instant              10d-1us     10d             -
        only at t                     10d         10d             -
        known before it happens       10d-1us     5d              -
        happens at t, long known      10d         5d              -
        known at t                    1d          10d             -
        known too late                1d          10d+1us         -
        stands at t                   1d          2d              10d+1us
        corrected at t                1d          2d              10d
        corrected long before         1d          2d              5d
        corrected before it happened  8d          2d              5d
        corrected to another day      1d          2d              5d
        corrected to another day      3d          5d              -
        first known by its correction  1d          11d             12d
        first known by its correction  1d          12d             -
        another fact stands           1d          2d              5d
        another fact stands           3d          4d              -
        one gone, then another        1d          2d              5d
        one gone, then another        2d          6d              11d
        the end                       60d         61d             -
        """,
    )
    same(
        answer,
        """
        case                      label_time:timestamp
        the last instant          10d
        known before it happens   10d
        known at t                10d
        stands at t               10d
        corrected to another day  10d
        another fact stands       10d
        one gone, then another    10d
        """,
    )


def test_s8_what_was_seen_then_and_retracted_since_stays_seen_then_but_does_not_count_as_an_outcome(spark) -> None:
    """Spines are of what was known at t, labels of what is known now."""
    as_known = source(
        "told",
        CASE,
        Column("fact", "bigint"),
        Column("never_was", "boolean"),
        identity=("fact",),
        retraction="never_was",
        available=AvailableColumn("told_at"),
    )
    raw = frame(
        spark,
        """
        case                     fact:bigint  never_was:boolean  event_time  available_time
        retracted before t       1            -                  1d          2d
        retracted before t       1            true               1d          9d
        retracted after t        2            -                  1d          2d
        retracted after t        2            true               1d          30d
        outcome retracted        3            -                  1d          2d
        outcome retracted        4            -                  11d         12d
        outcome retracted        4            true               11d         30d
        outcome moved away       5            -                  1d          2d
        outcome moved away       6            -                  11d         12d
        outcome moved away       6            -                  18d         30d
        outcome moved here       7            -                  1d          2d
        outcome moved here       8            -                  9d          12d
        outcome moved here       8            -                  10d         30d
        another's after all      9            -                  1d          2d
        another's after all      10           -                  11d         12d
        whose it was             11           -                  1d          2d
        whose it was             10           -                  11d         30d
        the end                  12           -                  60d         61d
        retracted, and last      13           -                  2000d       2001d
        retracted, and last      13           true               2000d       2002d
        """,
    ).selectExpr("*", "event_time as event_at", "available_time as told_at")
    versions = with_superseded_at(raw, as_known, has_versions=True)
    same(
        label_spine(returns(source=as_known), LabelInputs(versions, versions)),
        """
        case                     label_time:timestamp  has_returned:boolean
        retracted after t        10d                   false
        outcome retracted        10d                   false
        outcome moved away       10d                   false
        outcome moved here       10d                   true
        another's after all      10d                   false
        whose it was             10d                   true
        """,
    )


def test_an_entity_that_was_seen_may_be_unseen_and_seen_again(spark) -> None:
    """Every ten days: one fact is known at first and taken back later; another comes, and both stand for a while."""
    answer = spine(
        spark,
        returns(at=Every(first="2017-01-11", step="10d"), horizon="1d"),
        """
        case     event_time  available_time  superseded_at
        a        1d          2d              15d
        a        2d          25d             45d
        a        3d          35d             60d
        b        12d         13d             -
        the end  60d         61d             -
        """,
    )
    same(
        answer,
        """
        case  label_time:timestamp
        a     10d
        a     30d
        b     20d
        b     30d
        b     40d
        b     50d
        b     60d
        a     40d
        a     50d
        """,
    )


@pytest.mark.parametrize(("newest", "value"), [("18d", "true"), ("18d-1us", "-")])
def test_s27_a_horizon_that_the_data_may_not_fill_is_null_whatever_is_there_already(spark, newest, value) -> None:
    """Seven days of horizon from 10d, one of landing: complete when the newest event is of 18d."""
    answer = spine(
        spark,
        returns(),
        f"""
        case      event_time
        returned  1d
        returned  11d
        not yet   1d
        the end   {newest}
        """,
    )
    same(
        answer,
        f"""
        case      label_time:timestamp  has_returned:boolean
        returned  10d                   {value}
        not yet   10d                   {"false" if value == "true" else "-"}
        """,
    )


@pytest.mark.parametrize(
    ("newest", "limits", "times"),
    [
        ("24d", {}, ["3d", "10d", "17d", "24d"]),
        ("24d-1us", {}, ["3d", "10d", "17d"]),
        ("3d-1us", {}, []),
        ("24d", {"start_us": at_us("10d"), "end_us": at_us("17d")}, ["10d", "17d"]),
        ("24d", {"start_us": at_us("10d+1us"), "end_us": at_us("24d-1us")}, ["17d"]),
        ("24d", {"start_us": at_us("25d")}, []),
    ],
)
def test_label_times_run_from_the_first_to_the_newest_event_and_inside_the_limits(spark, newest, limits, times) -> None:
    weekly = returns(at=Every(first="2017-01-04", step="7d"))
    drawn = f"""
        case     event_time
        a        1d
        the end  {newest}
    """
    lines = "\n".join(f"a  {time}" for time in times)
    same(spine(spark, weekly, drawn, **limits), f"case  label_time:timestamp\n{lines}")


@pytest.mark.parametrize(
    ("t", "horizon", "counted"),
    [
        # The day without two o'clock, 23 hours: whole inside a day from its beginning, with the next one not begun.
        ("2017-03-12T05:00:00Z", "1d", {"march 12"}),
        ("2017-03-12T05:00:00Z", "23h", {"march 12"}),
        ("2017-03-12T05:00:00Z", "82799s", set()),
        ("2017-03-12T05:00:01Z", "2d", {"march 13"}),
        ("2017-03-11T05:00:00Z", "47h", {"march 11", "march 12"}),
        # The day with one o'clock twice, 25 hours: a day from its beginning ends before it.
        ("2017-11-05T04:00:00Z", "1d", set()),
        ("2017-11-05T04:00:00Z", "25h", {"november 5"}),
        ("2017-11-04T04:00:00Z", "2d", {"november 4"}),
        ("2017-11-04T04:00:00Z", "49h", {"november 4", "november 5"}),
    ],
)
def test_s6_a_day_counts_if_all_of_it_lies_inside_also_when_clocks_change(spark, t, horizon, counted) -> None:
    """Its event time is its end; horizons are seconds, never calendar days (S4)."""
    clock = EventTime("day", grain=Grain.DAY, zone="America/New_York")
    uses = source("day_uses", CASE, Column("day", "date"), event_time=clock)
    drawn = """
        case         day:date    event_time
        march 11     2017-03-11  2017-03-12T05:00:00Z
        march 12     2017-03-12  2017-03-13T04:00:00Z
        march 13     2017-03-13  2017-03-14T04:00:00Z
        november 4   2017-11-04  2017-11-05T04:00:00Z
        november 5   2017-11-05  2017-11-06T05:00:00Z
        november 6   2017-11-06  2017-11-07T05:00:00Z
        the end      2017-12-31  2018-01-01T05:00:00Z
    """
    facts = visits(spark, drawn)
    label = returns(source=uses, seen_in=VISITS, horizon=horizon, at=Every(first=t, step="1000d"))
    answer = label_spine(label, LabelInputs(facts, seen_long_ago(facts)))
    assert {row["case"] for row in answer.where("has_returned").collect()} == counted
    assert answer.where("has_returned is null").isEmpty()


def test_s6_a_week_known_at_its_start_still_counts_by_all_of_it(spark) -> None:
    clock = EventTime("week", grain=Grain.WEEK, zone="UTC", known_at_start=True)
    plans = source("plans", CASE, Column("week", "date"), event_time=clock)
    drawn = """
        case     week:date   event_time
        a        2017-01-11  10d
        b        2017-01-12  11d
        c        2017-01-10  9d
        the end  2017-06-01  151d
    """
    facts = visits(spark, drawn)
    for horizon, counted in (("7d", {"a"}), ("167h", set()), ("8d", {"a", "b"})):
        label = returns(source=plans, seen_in=VISITS, horizon=horizon)
        answer = label_spine(label, LabelInputs(facts, seen_long_ago(facts)))
        assert {row["case"] for row in answer.where("has_returned").collect()} == counted


def test_s17_null_keys_neither_stand_in_a_spine_nor_match_one(spark) -> None:
    both = returns(entities=(SHOPPER, OFFER), source=USES)
    answer = spine(
        spark,
        both,
        """
        case  offer  event_time
        a     x      1d
        a     -      11d
        -     x      11d
        b     -      1d
        -     x      1d
        -     -      1d
        b     y      1d
        b     y      11d
        c     z      60d
        """,
    )
    same(
        answer,
        """
        case  offer  label_time:timestamp  has_returned:boolean
        a     x      10d                   false
        b     y      10d                   true
        """,
    )


def addressed(spark: Any, *, uses: str, starts: str = "", members: str = "") -> LabelInputs:
    seen = """
        case            event_time  available_time
        seen            1d          2d
        seen early      20d         20d
        seen at start   10d         10d
        told too late   1d          11d
    """
    starts = (
        starts
        or """
        offer   is_over:boolean  event_time  superseded_at
        x       -                10d         -
        y       -                30d         -
    """
    )
    members = (
        members
        or """
        case           offer  channel
        seen           x      mail
        seen           x      app
        seen           y      mail
        seen early     x      mail
        seen early     y      mail
        seen at start  x      mail
        told too late  x      mail
        never seen     x      mail
        -              x      mail
        seen           -      mail
        seen           z      mail
    """
    )
    return LabelInputs(visits(spark, uses), visits(spark, seen), visits(spark, starts), frame(spark, members))


def test_s27_a_label_at_starts_has_their_members_that_were_seen_before(spark) -> None:
    facts = addressed(
        spark,
        uses="""
        case           offer  event_time
        seen           x      10d
        seen           y      20d
        seen early     y      36d
        seen at start  x      11d
        never seen     x      11d
        seen           -      31d
        -              x      11d
        the end        x      90d
        """,
    )
    same(
        label_spine(USED, facts),
        """
        case        offer  label_time:timestamp  has_used:boolean
        seen        x      10d                   true
        seen        y      30d                   false
        seen early  y      30d                   true
        """,
    )
    assert candidates(USED, facts).count() == 8
    assert candidates(USED, facts, start_us=at_us("10d+1us"), end_us=at_us("30d")).count() == 2
    assert candidates(USED, facts, end_us=at_us("30d-1us")).count() == 6


def test_s7_an_offer_that_was_moved_starts_at_its_newest_time_and_its_end_is_no_start(spark) -> None:
    facts = addressed(
        spark,
        uses="""
        case     offer  event_time
        the end  x      90d
        """,
        starts="""
        offer  is_over:boolean  event_time  superseded_at
        x      -                10d         9d
        x      -                12d         -
        y      true             30d         -
        y      false            40d         -
        -      -                10d         -
        """,
        members="""
        case  offer  channel
        seen  x      mail
        seen  y      mail
        seen  -      mail
        """,
    )
    same(
        label_spine(USED, facts),
        """
        case  offer  label_time:timestamp  has_used:boolean
        seen  x      12d                   false
        seen  y      40d                   false
        """,
    )


def test_without_facts_no_entity_is_seen_and_no_label_is_known(spark) -> None:
    assert spine(spark, returns(), "case  event_time").isEmpty()
    assert spine(spark, returns(column="has_left", is_absence=True), "case  event_time").isEmpty()
    same(
        label_spine(USED, addressed(spark, uses="case  offer  event_time")),
        """
        case        offer  label_time:timestamp  has_used:boolean
        seen        x      10d                   -
        seen        y      30d                   -
        seen early  y      30d                   -
        """,
    )


def test_a_label_whose_entities_no_source_names_is_refused(spark) -> None:
    rows = visits(spark, "case  event_time")
    listed = returns(entities=(SHOPPER, OFFER), source=USES, seen_in=VISITS)
    refused = "label 'returns': 'visits' must have its entities' keys, but has no 'offer'"
    with pytest.raises(DefinitionError, match=refused):
        label_spine(listed, LabelInputs(rows, rows))
    numbered = source("numbered", Column("case", "bigint"), OFFERED, kind=Kind.STATIC)
    unlike = replace(USED, at=AtStart(OFFERS, members=numbered))
    facts = addressed(spark, uses="case  offer  event_time")
    with pytest.raises(DefinitionError, match=r"'numbered' and 'offers' must have .* no 'case' of type string"):
        label_spine(unlike, facts)
    with pytest.raises(DefinitionError, match="its label times are at 'offers'; give starts and members"):
        label_spine(USED, LabelInputs(facts.source, facts.seen))


def test_random_facts_give_what_a_plain_reading_of_the_rule_gives(spark) -> None:
    """Few days and many ties; every row judged by comparing it with every fact, one after the other."""
    dice = random.Random(27)
    label = returns(at=Every(first="2017-01-06", step="3d"), horizon="4d")
    first, step, horizon = at_us("5d"), 3 * DAY_US, 4 * DAY_US
    facts = []
    for _ in range(600):
        happened = at_us("0d") + dice.randrange(0, 40 * 4) * DAY_US // 4
        known = happened + dice.randrange(-2, 12) * DAY_US // 2
        ended = known + dice.randrange(1, 12) * DAY_US // 2 if dice.random() < 0.6 else None
        facts.append((f"shopper {dice.randrange(60)}", happened, known, ended))
    newest = max(at for _, at, _, ended in facts if ended is None)
    expected = set()
    for t in range(first, newest + 1, step):
        for case in {case for case, *_ in facts}:
            of_it = [fact[1:] for fact in facts if fact[0] == case]
            if any(at < t and known <= t and (ended is None or ended > t) for at, known, ended in of_it):
                follows = any(t <= at < t + horizon for at, _, ended in of_it if ended is None)
                expected.add((case, t, follows if t + horizon + DAY_US <= newest else None))
    rows = spark.createDataFrame(facts, "case string, at bigint, known bigint, ended bigint").selectExpr(
        "case",
        "timestamp_micros(at) as event_time",
        "timestamp_micros(known) as available_time",
        "timestamp_micros(ended) as superseded_at",
    )
    answer = label_spine(label, LabelInputs(rows, rows)).selectExpr("case", "unix_micros(label_time)", "has_returned")
    spine = [tuple(row) for row in answer.collect()]
    assert len(spine) == len(set(spine)) > 300
    assert set(spine) == expected
    assert {value for *_, value in spine} == {True, False, None}


def loaded(spark: Any, text: str) -> Any:
    """With the load of each row, as raw has it."""
    return frame(spark, text).selectExpr("*", "cast(null as timestamp) as superseded_at")


# Weekly label times from 3d on, and seven days to return in. `typo` is dated later than the load that brought it: no
# source can know that. Earlier versions kept such rows.
DATED = """
case    event_time            available_time        loaded_at
a       1d                    1d                    60d
a       12d                   12d                   60d
b       2d                    2d                    60d
b       20d                   20d                   61d
typo    2099-01-01T00:00:00Z  60d                   60d
"""


def test_s27_facts_that_are_dated_later_than_their_load_say_nothing_of_the_end_of_the_data(spark) -> None:
    weekly = returns(source=replace(VISITS, available=LandingDelay("0s")), at=Every(first="2017-01-04", step="7d"))
    rows = loaded(spark, DATED)
    facts = LabelInputs(rows, rows)
    assert reach_of_label(weekly, rows) == at_us("20d")
    same(
        label_spine(weekly, facts),
        """
        case  label_time:timestamp  has_returned:boolean
        a     3d                    false
        b     3d                    false
        a     10d                   true
        b     10d                   false
        a     17d                   -
        b     17d                   -
        """,
    )


def test_s27_of_a_source_that_is_known_in_advance_the_data_reach_the_newest_load(spark) -> None:
    planned = replace(VISITS, event_time=EventTime("event_at", known_in_advance=True), available=LandingDelay("0s"))
    weekly = returns(source=planned, at=Every(first="2017-01-04", step="7d"))
    rows = loaded(spark, DATED)
    assert reach_of_label(weekly, rows) == at_us("61d")
    newest = label_spine(weekly, LabelInputs(rows, rows)).selectExpr("max(unix_micros(label_time))").first()[0]
    assert newest == at_us("59d")


def test_s27_a_fact_that_stands_alone_years_later_does_not_end_the_data(spark) -> None:
    lines = "\n".join(f"a  {day}d  {day}d  1500d" for day in range(1, 40))
    rows = loaded(spark, f"case  event_time  available_time  loaded_at\n{lines}\nb  1400d  1400d  1500d")
    assert reach_of_label(returns(), rows) == at_us("39d")
