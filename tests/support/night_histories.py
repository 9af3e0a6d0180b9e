"""Histories of small projects, drawn: what is delivered when, which as-ofs are built, when the ledger is lost."""

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
)
# A rider of whom nothing is ever corrected, so that no snapshot is empty, which the gate refuses (D19).
ANCHOR: dict[str, tuple[Row, ...]] = {
    "rides": ((99, "R9", BEGIN - 9 * DAY, 3, 1, None, BEGIN - 9 * DAY),),
    "status": (),
    "taps": (("R9", BEGIN - 9 * DAY, 1),),
}


@dataclass(frozen=True)
class Deliver:
    """Rows with all that was delivered before them. Instants in hours since 2024-03-01."""

    source: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Correct:
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
    """After `hours` more: the as-ofs of some days, counted back from the newest whose cut is over."""

    hours: int
    days_back: tuple[int, ...]
    select: str = ""


@dataclass(frozen=True)
class LoseLedger:
    pass


@dataclass(frozen=True)
class ChangeDefinitions:
    pass


Step = Deliver | Correct | Build | LoseLedger | ChangeDefinitions

# Hours since the beginning; most of them beside a midnight, where an as-of and its cut are.
_hours = st.builds(lambda day, hour: 24 * day + hour, st.integers(0, 3), st.sampled_from([0, 1, 23, 23]))
_delays = st.sampled_from([0, 1, 1, 2, 10, 30])
_marks = st.sampled_from([None, None, None, False, True])
_riders = st.sampled_from(["R1", "R1", "R2"])


def _at(hours: int) -> int:
    return BEGIN + hours * HOUR


def _rides(ids: int) -> st.SearchStrategy[Row]:
    return st.builds(
        lambda ride, rider, at, metres, ver, mark, delay: (ride, rider, _at(at), metres, ver, mark, _at(at + delay)),
        st.integers(1, ids), _riders, _hours, st.sampled_from([None, 5, 7]), st.integers(1, 3), _marks, _delays,
    )  # fmt: skip


def _status(minutes: int) -> st.SearchStrategy[Row]:
    return st.builds(
        lambda rider, at, minute, plan, closed, delay: (
            rider, _at(at) + minute * 60_000_000, plan, closed, _at(at + delay) + minute * 60_000_000,
        ),
        _riders, st.sampled_from([-24, 0, 20, 40, 70]), st.integers(0, minutes), st.sampled_from(["annual", "day"]),
        _marks, _delays,
    )  # fmt: skip


_taps = st.builds(lambda rider, at, amount: (rider, _at(at), amount), _riders, _hours, st.integers(1, 2))


def _deliveries(source: str, rows: st.SearchStrategy[Row]) -> st.SearchStrategy[Step]:
    return st.lists(rows, min_size=1, max_size=2).map(lambda drawn: Deliver(source, tuple(drawn)))


_corrections = st.builds(
    Correct,
    st.integers(0, 2),
    st.sampled_from([-25, -1, 0, 1, 1, 2, 23]),
    st.sampled_from([0, 1, 1, 1, 5]),
    st.sampled_from([False, False, False, True]),
)
_builds = st.builds(
    Build,
    st.sampled_from([1, 1, 1, 12, 24]),
    st.sampled_from([[0], [1], [0, 1], [1, 2], [0, 1, 2]]).map(tuple),
    st.sampled_from(["", "", "", "plain", "activity"]),
)


def _before_a_build(*, are_corrected: bool) -> st.SearchStrategy[list[Step]]:
    """are_corrected: facts have few identities, so that most of them get several versions; else hardly one does."""
    rides = _deliveries("rides", _rides(3 if are_corrected else 10**6))
    status = _deliveries("status", _status(0 if are_corrected else 600))
    taps = _deliveries("taps", _taps)
    rarely = {8: st.just(LoseLedger()), 9: st.just(ChangeDefinitions())}
    corrections: st.SearchStrategy[Step] = _corrections if are_corrected else rides
    often = dict(enumerate([rides, corrections, corrections, corrections, status, status, status, taps]))
    steps = st.integers(0, 9).flatmap(lambda kind: {**often, **rarely}[kind])
    return st.lists(steps, min_size=0, max_size=2)


def histories(*, least: int, most: int) -> st.SearchStrategy[list[Step]]:
    """Of so many builds, with what happens before each. Whoever plays one builds all its as-ofs again at the end."""

    def nights(are_corrected: bool) -> st.SearchStrategy[list[Step]]:
        night = st.builds(lambda steps, build: [*steps, build], _before_a_build(are_corrected=are_corrected), _builds)
        return st.lists(night, min_size=least, max_size=most).map(lambda played: [s for steps in played for s in steps])

    return st.sampled_from([True, True, False]).flatmap(nights)
