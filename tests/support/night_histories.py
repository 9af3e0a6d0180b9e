"""What may happen to a small project between two nights, as values to draw: deliveries, corrections, builds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from definitions.durations import instant_us
from definitions.registry import Registry
from tests.support import night_definitions as night

HOUR, DAY = 3_600_000_000, 86_400_000_000
BEGIN = instant_us("2024-03-01")
FIRST_NIGHT = BEGIN + 3 * DAY + 5 * HOUR  # when most of what happens has happened
Row = tuple[Any, ...]

# Each project has the views of those before, and one change more; a history goes through them in this order.
PROJECTS: tuple[Registry, ...] = (
    night.registry(night.plain, night.activity, night.tapping),
    night.registry(night.plain, night.activity, night.tapping, night.distance),
    night.registry(night.wider_plain, night.activity, night.tapping, night.distance),
    night.registry(night.wider_plain, night.activity, night.tapping, night.distance, night.activity_slow),
    night.registry(
        night.wider_plain, night.wider_activity, night.tapping, night.wider_distance, night.wider_activity_slow
    ),
)
# A rider of whom nothing is ever corrected, so that no snapshot is empty, which the gate refuses (D19).
ANCHOR: dict[str, tuple[Row, ...]] = {
    "rides": ((99, "R9", BEGIN - 9 * DAY, 3, 1, None, BEGIN - 9 * DAY),),
    "status": (),
    "taps": (("R9", BEGIN - 9 * DAY, 1),),
}


@dataclass(frozen=True)
class Correction:
    """A newer version of a ride that was delivered: moved to some hours beside the newest as-of, known later."""

    which: int
    hours: int
    known_after: int
    is_retracted: bool

    def of(self, rides: Sequence[Row], as_of_us: int) -> Row:
        corrected = [row for row in rides if row not in ANCHOR["rides"]] or [(1, "R1", BEGIN, 5, 1, None, BEGIN)]
        ride, rider, _, metres, version, *_ = corrected[-1 - self.which % len(corrected)]
        moved = as_of_us + self.hours * HOUR
        return ride, rider, moved, metres, version + 1, self.is_retracted or None, moved + self.known_after * HOUR


@dataclass(frozen=True)
class Build:
    """After `hours` more: the as-ofs some half days before the newest whose cut is over."""

    hours: int
    half_days_back: tuple[int, ...]
    select: str = ""

    def as_ofs(self, newest_us: int) -> list[int]:
        return sorted(newest_us - back * DAY // 2 for back in self.half_days_back)


# Hours since the beginning; most of them beside a midnight, where an as-of and its cut are.
_hours = st.builds(lambda day, hour: 24 * day + hour, st.integers(0, 3), st.sampled_from([0, 1, 23, 23]))
_delays = st.sampled_from([0, 1, 1, 2, 10, 30])
_marks = st.sampled_from([None, None, None, False, True])
_riders = st.sampled_from(["R1", "R1", "R2"])


def _at(hours: int) -> int:
    return BEGIN + hours * HOUR


def _rides(ids: st.SearchStrategy[int]) -> st.SearchStrategy[Row]:
    return st.builds(
        lambda ride, rider, at, metres, ver, mark, delay: (ride, rider, _at(at), metres, ver, mark, _at(at + delay)),
        ids, _riders, _hours, st.sampled_from([None, 5, 7]), st.integers(1, 3), _marks, _delays,
    )  # fmt: skip


def _status(minutes: st.SearchStrategy[int]) -> st.SearchStrategy[Row]:
    return st.builds(
        lambda rider, at, minute, plan, closed, delay: (
            rider, _at(at) + minute * 60_000_000, plan, closed, _at(at + delay) + minute * 60_000_000,
        ),
        _riders, st.sampled_from([-24, 0, 20, 40, 70]), minutes, st.sampled_from(["annual", "day"]), _marks, _delays,
    )  # fmt: skip


def _few(rows: st.SearchStrategy[Row]) -> st.SearchStrategy[list[Row]]:
    return st.lists(rows, min_size=1, max_size=2)


# Of few identities, so that most facts get several versions; and of so many that hardly one does.
rides, single_rides = _rides(st.integers(1, 3)), _rides(st.integers(100, 10**6))
status, single_status = _status(st.just(0)), _status(st.integers(1, 600))
taps = st.builds(lambda rider, at, amount: (rider, _at(at), amount), _riders, _hours, st.integers(1, 2))
ROWS = {"rides": rides, "status": status, "taps": taps}
few_rides, few_single_rides = _few(rides), _few(single_rides)
few_status, few_single_status, few_taps = _few(status), _few(single_status), _few(taps)

corrections = st.builds(
    Correction,
    st.integers(0, 2),
    st.sampled_from([-25, -1, 0, 1, 1, 2, 23]),
    st.sampled_from([0, 1, 1, 1, 5]),
    st.sampled_from([False, False, False, True]),
)
builds = st.builds(
    Build,
    st.sampled_from([1, 1, 1, 12, 24]),
    st.sampled_from([[0], [0], [2], [0, 2], [2, 4], [0, 2, 4], [1], [3, 1]]).map(tuple),
    st.sampled_from(["", "", "", "plain", "activity"]),
)
