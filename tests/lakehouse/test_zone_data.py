"""The zone data of the JVM are compared with ours before an expression reads a local clock (S2)."""

from definitions.zones import offsets
from lakehouse.session.zone_data import Difference, differences, require_zones


def test_a_clock_that_the_jvm_shows_otherwise_is_found_with_its_first_instant(spark) -> None:
    clocks = {
        "America/New_York": offsets("America/New_York"),
        "Europe/Vienna": offsets("Europe/Moscow"),
        "Asia/Tokyo": offsets("Asia/Seoul"),
        "Mars/Base": offsets("UTC"),
    }
    found = {difference.zone: difference for difference in differences(spark, clocks)}
    assert found == {
        "Europe/Vienna": Difference("Europe/Vienna", 0),
        # In the summers of 1987 and 1988 Seoul was an hour ahead of Tokyo.
        "Asia/Tokyo": Difference("Asia/Tokyo", 547_578_000),
        "Mars/Base": Difference("Mars/Base", None),
    }


def test_a_zone_in_which_both_agree_passes(spark) -> None:
    require_zones(spark, ["America/New_York", "UTC"])
    require_zones(spark, [])
