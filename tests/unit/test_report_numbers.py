"""Figures are written as people write them, with no more and no fewer digits than are known."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from reports import numbers


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (0, "0"),
        (0.0, "0"),
        (-0.0, "0"),
        (True, "yes"),
        (1469307, "1,469,307"),
        (1469307.26, "1,469,307"),
        (1234.5, "1,234.50"),
        (-3.25, "-3.25"),
        (0.07925, "0.0793"),
        (0.5, "0.5"),
        (0.9998, "1"),
        (0.0000031, "3.1e-06"),
        (float("-inf"), "-∞"),
        (Decimal("0.30"), "0.30"),
        (Decimal("1234.00"), "1,234.00"),
        (Decimal("0E+2"), "0"),
        ("45-54", "45-54"),
    ],
)
def test_a_value_is_shown_as(found: numbers.Value, shown: str):
    assert numbers.value(found) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "–"),
        (0, "0.0 s"),
        (0.042, "0.04 s"),
        (12.44, "12.4 s"),
        (59.96, "1 min 00 s"),
        (212.4, "3 min 32 s"),
        (7384, "2 h 03 min"),
    ],
)
def test_a_duration_is_shown_as(seconds: float | None, shown: str):
    assert numbers.duration(seconds) == shown


@pytest.mark.parametrize(
    ("part", "shown"),
    [
        (None, "–"),
        (0, "0 %"),
        (0.0004, "< 0.1 %"),
        (0.0324, "3.2 %"),
        (0.5, "50 %"),
        (0.9996, "> 99.9 %"),
        (1.0, "100 %"),
    ],
)
def test_a_share_is_nothing_or_everything_only_where_it_is(part: float | None, shown: str):
    assert numbers.share(part) == shown


def test_two_figures_that_differ_never_look_the_same():
    assert numbers.figures(0.05, 0.0500001) == ("0.05", "0.0500001")
    assert numbers.figures(0.05, 0.0500001, as_share=True) == ("0.05", "0.0500001")
    assert numbers.figures(0.05, 0.0834, as_share=True) == ("5 %", "8.3 %")


def test_an_instant_is_written_in_utc_and_one_without_a_zone_stays_without():
    local = datetime(2026, 1, 31, 22, 12, 9, tzinfo=timezone(timedelta(hours=-5)))
    assert numbers.instant(local) == "2026-02-01 03:12:09 UTC"
    assert numbers.instant(local.astimezone(UTC)) == "2026-02-01 03:12:09 UTC"
    assert numbers.instant(datetime(2026, 2, 1, 3, 12, 9)) == "2026-02-01 03:12:09"


def test_one_row_is_not_rows():
    assert numbers.plural(1, "row") == "1 row"
    assert numbers.plural(0, "row") == "0 rows"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "–"),
        (0.0, "0 s"),
        (0.000001, "1 µs"),
        (0.25, "250 ms"),
        (59.999999, "59 s 999 ms"),
        (43_200.0, "12 h"),
        (86_400.0, "1 day"),
        (108_000.0, "1 day 6 h"),
        (172_860.0, "2 days"),
        (-21_600.0, "6 h"),
    ],
)
def test_a_span_has_two_units_and_is_never_rounded_up(seconds: float | None, shown: str):
    assert numbers.span(seconds) == shown


@pytest.mark.parametrize(
    ("text", "moment", "day"),
    [
        (None, "–", "–"),
        ("2017-11-30T00:00:00Z", "2017-11-30 00:00 UTC", "2017-11-30"),
        ("2017-11-30T12:00:00Z", "2017-11-30 12:00 UTC", "2017-11-30 12:00"),
        ("2017-11-30T12:00:01.000001Z", "2017-11-30 12:00:01.000001 UTC", "2017-11-30 12:00:01.000001"),
        ("2017-11-30T12:00", "2017-11-30T12:00", "2017-11-30T12:00"),
        ("as known", "as known", "as known"),
        ("2017-11-30T12:00:00Z or so", "2017-11-30T12:00:00Z or so", "2017-11-30T12:00:00Z or so"),
    ],
)
def test_an_instant_in_text_is_read_as_one_only_if_it_names_utc(text: str | None, moment: str, day: str):
    assert numbers.moment(text) == moment
    assert numbers.day(text) == day
