"""Durations and instants are whole microseconds, read one way only (S1, S3, S4, S11)."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from definitions.durations import (
    DAY_US,
    LIFETIME,
    Window,
    day_or_instant,
    duration_us,
    instant_text,
    instant_us,
    to_datetime,
    to_us,
)
from definitions.errors import DefinitionError

FIRST, END = -2_208_988_800_000_000, 7_258_118_400_000_000  # 1900-01-01 and 2200-01-01, in µs


@pytest.mark.parametrize(
    ("text", "us"),
    [("7d", 7 * 86_400_000_000), ("4h", 14_400_000_000), ("30m", 1_800_000_000), ("15s", 15_000_000), ("0s", 0)],
)
def test_s4_a_duration_is_a_whole_number_of_one_unit(text: str, us: int) -> None:
    assert duration_us(text) == us


@pytest.mark.parametrize("text", ["", "7", "d", "7 d", "-7d", "1.5h", "7D", "1w", "7d4h", " 7d", "7d\n", "٧d"])
def test_s4_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(DefinitionError, match=r"(?s)^here: '.*' is not a duration; write .* e\.g\. 7d") as refused:
        duration_us(text, where="here")
    assert refused.value.exit_code == 10


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("1970-01-01", 0),
        ("2017-11-30", 1_512_000_000_000_000),
        ("2017-11-30T00:00:00Z", 1_512_000_000_000_000),
        ("2017-11-30T01:00:00+01:00", 1_512_000_000_000_000),
        ("2017-11-29T19:00:00-05:00", 1_512_000_000_000_000),
        ("2017-11-30T00:00:00.000001Z", 1_512_000_000_000_001),
        ("1900-01-01", FIRST),
        ("2199-12-31T23:59:59.999999Z", END - 1),
    ],
)
def test_s11_a_day_is_its_midnight_in_utc_and_an_instant_is_itself(text: str, us: int) -> None:
    assert instant_us(text) == us


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("yesterday", "is not an instant"),
        ("2017-13-01", "is not an instant"),
        ("20171130", "is not an instant"),
        ("2017-W48-4", "is not an instant"),
        ("2017-11-30T06:00:00", "has no zone, so it names no instant; add Z"),
        ("2017-11-30 06:00", "has no zone"),
        ("1899-12-31T23:59:59.999999Z", "lies outside the years 1900 to 2200"),
        ("2200-01-01", "lies outside the years 1900 to 2200"),
        ("2017-11-30T00:00:00.0000001Z", "finer than a microsecond"),
    ],
)
def test_s1_s3_what_names_no_instant_is_refused(text: str, message: str) -> None:
    with pytest.raises(DefinitionError, match=f"^here: '.*' .*{message}"):
        instant_us(text, where="here")


@given(st.integers(FIRST, END - 1))
def test_s1_instants_survive_their_text(us: int) -> None:
    assert instant_us(instant_text(us)) == us
    assert instant_us(day_or_instant(us)) == us
    assert to_us(to_datetime(us)) == us


def test_texts_of_instants() -> None:
    assert instant_text(0) == "1970-01-01T00:00:00Z"
    assert instant_text(-1) == "1969-12-31T23:59:59.999999Z"
    assert day_or_instant(DAY_US) == "1970-01-02"
    assert day_or_instant(DAY_US + 1) == "1970-01-02T00:00:00.000001Z"
    assert to_us(datetime(2017, 11, 30, tzinfo=UTC)) == 1_512_000_000_000_000


def test_s20_a_window_has_a_length_or_is_a_lifetime() -> None:
    assert Window("7d").length_us == 7 * DAY_US
    assert Window(LIFETIME).length_us is None
    with pytest.raises(DefinitionError, match="window: 'week' is not a duration"):
        Window("week")
    with pytest.raises(DefinitionError, match="window '0d' has no length"):
        Window("0d")
