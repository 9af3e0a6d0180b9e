"""How far the data of a source reach, whatever single facts are dated (S5, S27)."""

import random

import pytest

from compute.reach import EventDay, reach_us
from definitions.durations import instant_us


def days(*drawn: tuple[str, int]) -> list[EventDay]:
    """A day each: the instant of all its facts, and their number."""
    return [EventDay(instant_us(at), instant_us(at), rows) for at, rows in drawn]


MARCH = [(f"2024-03-{day:02d}T18:00:00Z", 1_000) for day in range(1, 32)]
NEWEST = MARCH[-1][0]


@pytest.mark.parametrize(
    ("later", "reach"),
    [
        ([], NEWEST),
        ([("2024-04-20", 1)], "2024-04-20"),  # a gap of 19 days
        ([("2024-04-30T18:00:00Z", 1)], "2024-04-30T18:00:00Z"),  # 30 days exactly
        ([("2024-04-30T18:00:01Z", 1)], NEWEST),
        ([("2099-01-01", 1)], NEWEST),
        ([("2025-01-01", 3), ("2099-01-01", 1)], "2025-01-01"),  # four of 31,004 are more than one of 10,000
        ([("2025-01-01", 2), ("2099-01-01", 1)], NEWEST),  # three are not
        ([("2024-05-15", 1), ("2024-05-16", 500)], "2024-05-16"),  # the source was quiet, then went on
    ],
)
def test_facts_that_stand_alone_far_behind_the_others_are_not_counted(later: list[tuple[str, int]], reach: str) -> None:
    drawn = days(*MARCH, *later)
    random.Random(1).shuffle(drawn)
    assert reach_us(drawn) == instant_us(reach)


def test_what_is_a_long_gap_is_measured_by_the_gaps_before_it() -> None:
    rare = [(f"20{year}-01-01", 1) for year in range(10, 24)]
    assert reach_us(days(*rare, ("2033-01-01", 1))) == instant_us("2033-01-01")
    assert reach_us(days(*rare, ("2034-01-08", 1))) == instant_us("2023-01-01")


def test_of_fewer_than_ten_facts_all_are_counted() -> None:
    few = [("2024-03-01", 8), ("2099-01-01", 1)]
    assert reach_us(days(*few)) == instant_us("2099-01-01")
    assert reach_us(days(("2024-03-01", 9), ("2099-01-01", 1))) == instant_us("2024-03-01")


def test_the_data_reach_the_newest_load_at_most_and_nowhere_without_facts() -> None:
    assert reach_us(days(*MARCH), loaded_at_us=instant_us("2024-03-20")) == instant_us("2024-03-20")
    assert reach_us(days(*MARCH), loaded_at_us=instant_us("2024-05-01")) == instant_us(NEWEST)
    assert reach_us([]) is None


def test_the_order_of_days_and_how_often_each_is_given_change_nothing() -> None:
    drawn, split = days(*MARCH, ("2099-01-01", 1)), []
    for day in drawn:
        split += [
            EventDay(day.first_us, day.first_us, day.rows // 2),
            EventDay(day.first_us, day.last_us, day.rows % 2),
        ]
    assert reach_us(reversed(split)) == reach_us(drawn) == instant_us(NEWEST)


def test_a_gap_is_from_the_last_fact_before_it_to_the_first_after_it() -> None:
    """30 days exactly, however long the facts on both sides go on: they do not stand alone."""
    before = EventDay(instant_us("2024-03-31T01:00:00Z"), instant_us("2024-03-31T18:00:00Z"), 1_000)
    after = EventDay(instant_us("2024-04-30T18:00:00Z"), instant_us("2024-04-30T23:00:00Z"), 2)
    assert reach_us([*days(*MARCH[:-1]), before, after]) == after.last_us
    later = EventDay(after.first_us + 1, after.last_us, 2)
    assert reach_us([*days(*MARCH[:-1], (MARCH[-1][0], 30_000)), later]) == instant_us(NEWEST)
