"""The clock changes of every zone, and the cells in which Spark finds them, against Python's zoneinfo."""

import random
from bisect import bisect_right

import pytest

from definitions.errors import UnknownName
from definitions.zones import check_zone, local_clock, offsets, zone_names
from temporal.local_time import cells
from tests.spec.delivered import oracle

SECOND = 1_000_000
FIRST, END = -2_208_988_800, 7_258_118_400
# Half hours, a day that was left out (Apia), a change within days (Noronha), seconds (Monrovia), Ramadan (Casablanca).
ZONES = (
    "America/New_York Australia/Lord_Howe Antarctica/Troll Pacific/Apia America/Noronha Africa/Monrovia UTC "
    "Asia/Almaty Africa/Casablanca America/Coyhaique Europe/Dublin Pacific/Kwajalein Asia/Manila Europe/Amsterdam"
)


def readings(zone: str, clock: int) -> tuple[int, int]:
    """The earlier and the later instant of a local time, in seconds, as Spark finds them: by cell, then by edge."""
    known = local_clock(zone)
    found = cells(known.at)
    cell = min(max(0, (clock - known.at[0]) >> found.bits), len(found.first) - 1)
    piece = found.first[cell]
    piece += sum(piece + n < len(known.at) and clock >= known.at[piece + n] for n in (1, 2))
    assert piece == max(0, bisect_right(known.at, clock) - 1)
    return tuple(sorted((clock - known.before[piece], clock - known.after[piece])))


@pytest.mark.parametrize("zone", ZONES.split())
def test_every_local_time_near_a_clock_change_is_read_as_zoneinfo_reads_it(zone: str) -> None:
    chosen = random.Random(zone)
    changes = [at + seconds for at, seconds in zip(offsets(zone).at[1:], offsets(zone).seconds[1:], strict=True)]
    near = [
        change + by
        for change in chosen.sample(changes, min(25, len(changes)))
        for by in (-86_400, -3_601, -1_800, -1, 0, 1_799)
    ]
    for clock in [*near, *[chosen.randrange(FIRST, END) for _ in range(25)]]:
        wanted = tuple(oracle.local(clock * SECOND, zone, choice) // SECOND for choice in ("earlier", "later"))
        assert readings(zone, clock) == wanted, clock


def test_offsets_are_those_of_the_newest_data_whatever_the_system_has() -> None:
    assert [offsets("Asia/Almaty").of(at) for at in (1_709_229_599, 1_709_229_600)] == [6 * 3600, 5 * 3600]
    assert offsets("America/Coyhaique").of(1_750_000_000) == -3 * 3600
    assert offsets("UTC").seconds == (0,)


def test_a_zone_is_checked_by_its_name() -> None:
    for zone in ("America/New_York", "UTC", "EST5EDT"):
        check_zone(zone, "here")
    for zone in ("America/NewYork", "new_york", "", "../etc/passwd", "Mars/Base"):
        with pytest.raises(UnknownName, match="is unknown"):
            check_zone(zone, "here")
    assert len(zone_names()) > 590
