"""A histogram shows what is there: every value in one bar, long tails named, nulls left out."""

import re

from hypothesis import given
from hypothesis import strategies as st

from reports.histogram import HEIGHT, WIDTH, histogram, trend

BAR = re.compile(r"M(?P<x>-?[\d.]+) 48v-(?P<tall>[\d.]+)h(?P<wide>[\d.]+)v[\d.]+z")


def bars(path: str) -> list[tuple[float, float, float]]:
    return [(float(bar["x"]), float(bar["tall"]), float(bar["wide"])) for bar in BAR.finditer(path)]


def test_whole_numbers_have_a_bar_each():
    drawn = histogram([0, 0, 1, 2, 2, 2, None])
    assert drawn is not None
    assert [tall for _, tall, _ in bars(drawn.path)] == [30.7, 15.3, 46.0]  # 2, 1 and 3 of at most 46
    assert (drawn.low, drawn.high) == ("0", "2")


def test_a_value_that_never_changes_is_one_bar_in_the_middle():
    drawn = histogram([3.5, 3.5])
    assert drawn is not None
    assert len(bars(drawn.path)) == 1
    assert drawn.low == drawn.high == "3.50"


def test_a_long_tail_is_gathered_in_the_last_bar_and_named():
    drawn = histogram([number / 10 for number in range(1000)] + [1_000_000.0])
    assert drawn is not None
    assert drawn.high == "≥ 99"
    assert "to 1,000,000" in drawn.summary


def test_a_long_tail_to_the_left_is_gathered_in_the_first_bar():
    drawn = histogram([number / 10 for number in range(1000)] + [-80.0])
    assert drawn is not None
    assert drawn.low == "≤ 0.9"
    assert drawn.high == "99.90"


def test_no_value_at_all_is_no_picture():
    assert histogram([]) is None
    assert histogram([None, float("nan"), float("inf")]) is None


@given(st.lists(st.none() | st.floats(-1e12, 1e12) | st.integers(-50, 50), max_size=60))
def test_bars_stay_inside_the_picture_whatever_the_values(values: list[float | None]):
    drawn = histogram(values)
    if any(value is not None for value in values):
        assert drawn is not None
        drawn_bars = bars(drawn.path)
        assert len(drawn_bars) == drawn.path.count("M") >= 1
        assert all(x >= -0.1 and x + wide <= WIDTH + 0.1 and tall < HEIGHT for x, tall, wide in drawn_bars)


def test_a_trend_breaks_where_a_slice_is_missing():
    drawn = trend([1.0, 2.0, None, 2.0, 3.0])
    assert drawn is not None
    assert drawn.path.count("M") == 2
    assert (drawn.x, drawn.y) == (94.0, 2.0)  # the newest is the highest


def test_two_points_are_no_trend():
    assert trend([1.0, None, 2.0]) is None
    assert trend([]) is None
