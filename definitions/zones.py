"""Time zones: the clock changes of each from 1900 to 2200, as the package `tzdata` has them.

Values must not depend on the machine: the zone data of the system and those inside a Java runtime are of other years.
"""

import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from io import BytesIO
from itertools import pairwise
from zoneinfo import ZoneInfo

from definitions.errors import UnknownName, did_you_mean

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = int((datetime(1899, 12, 1, tzinfo=UTC) - _EPOCH).total_seconds())
_END = int((datetime(2200, 2, 1, tzinfo=UTC) - _EPOCH).total_seconds())
_DAY = 86_400
_HEADER = struct.Struct(">4sc15x6l")


@dataclass(frozen=True)
class Offsets:
    """Seconds since 1970, in order, from which on the clock is so many seconds ahead of UTC.

    `at` begins with an instant before 1900. The last offset holds on.
    """

    at: tuple[int, ...]
    seconds: tuple[int, ...]

    def of(self, instant: int) -> int:
        """The offset at an instant, in seconds."""
        return self.seconds[max(0, bisect_right(self.at, instant) - 1)]


@dataclass(frozen=True)
class LocalClock:
    """What a local clock reads, in seconds since 1970 as if it were UTC, in pieces that begin at `at`.

    `before` and `after` are the offsets on either side of a clock change, where a local time comes twice, or never;
    everywhere else both are the offset of that time.
    """

    at: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]


@cache
def zone_names() -> frozenset[str]:
    """Every zone that can be declared."""
    return frozenset(files("tzdata").joinpath("zones").read_text("utf-8").split())


def check_zone(zone: str, where: str) -> None:
    """Raises UnknownName for what is not an IANA time zone."""
    if zone not in zone_names():
        raise UnknownName(f"{where}: zone '{zone}' is unknown.{did_you_mean(zone, zone_names())}")


@cache
def offsets(zone: str) -> Offsets:
    """All offsets of a zone between 1900 and 2200."""
    content = files("tzdata").joinpath("zoneinfo", *zone.split("/")).read_bytes()
    info = ZoneInfo.from_file(BytesIO(content), key=zone)
    listed = [at for at in _listed(content) if _FIRST < at < _END]
    after = max(listed, default=_FIRST)
    known: list[tuple[int, int]] = [(_FIRST, _offset(info, _FIRST))]
    for at in [*listed, *_by_rule(info, after)]:
        if (offset := _offset(info, at)) != known[-1][1]:
            known.append((at, offset))
    return Offsets(tuple(at for at, _ in known), tuple(offset for _, offset in known))


@cache
def local_clock(zone: str) -> LocalClock:
    """A zone's local clock between 1900 and 2200."""
    known = offsets(zone)
    changes = list(zip(known.at[1:], pairwise(known.seconds), strict=True))
    edges = sorted({known.at[0] + known.seconds[0]} | {at + side for at, sides in changes for side in sides})
    pieces = [(edge, *_either_side(edge, known)) for edge in edges]
    kept = [piece for n, piece in enumerate(pieces) if n == 0 or piece[1:] != pieces[n - 1][1:]]
    return LocalClock(*(tuple(piece[n] for piece in kept) for n in range(3)))


def _either_side(clock: int, known: Offsets) -> tuple[int, int]:
    """The offsets with which a local time can be read: of the first and the last instant that show it.

    Where none does, those on either side of the change that skipped it.
    """
    near = range(max(0, bisect_right(known.at, clock - 2 * _DAY) - 1), bisect_right(known.at, clock + 2 * _DAY))
    shown = [known.seconds[n] for n in near if known.of(clock - known.seconds[n]) == known.seconds[n]]
    if shown:
        return shown[0], shown[-1]
    change = next(n for n in near if known.at[n] + known.seconds[n] > clock)
    return known.seconds[change - 1], known.seconds[change]


def _listed(content: bytes) -> Sequence[int]:
    """The instants that a zone's file lists (RFC 9636: a block of 32 bits, then the same in 64)."""
    _, _, isutc, isstd, leap, times, types, letters = _HEADER.unpack_from(content)
    second = _HEADER.size + times * 5 + types * 6 + letters + leap * 8 + isstd + isutc
    count = _HEADER.unpack_from(content, second)[5]
    return struct.unpack_from(f">{count}q", content, second + _HEADER.size)


def _by_rule(info: ZoneInfo, after: int) -> Iterator[int]:
    """The changes that follow from the rule of today, after the last that is listed; more than a week lies between."""
    weeks = range(after + 1, _END, 7 * _DAY)
    for (low, before), (high, offset) in pairwise((week, _offset(info, week)) for week in weeks):
        while before != offset and high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if _offset(info, middle) == before else (low, middle)
        if before != offset:
            yield high


def _offset(info: ZoneInfo, at: int) -> int:
    offset = (_EPOCH + timedelta(seconds=at)).astimezone(info).utcoffset() or timedelta()
    return int(offset.total_seconds())
