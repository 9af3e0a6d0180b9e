"""Durations and instants: their text as definitions and commands write it, and the microseconds it means (S1, S4)."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from definitions.errors import DefinitionError

SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US
_UNITS = {"d": DAY_US, "h": 3_600 * SECOND_US, "m": 60 * SECOND_US, "s": SECOND_US}
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9:.]+(Z|[+-][0-9]{2}:?[0-9]{2})?)?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
FIRST_US, END_US = ((at - _EPOCH) // timedelta(microseconds=1) for at in (_FIRST, _LAST))  # of all times (S1)


def duration_us(text: str, *, where: str = "duration") -> int:
    """`7d` is 7 × 86,400 seconds, also over a change of clocks; units are d, h, m and s."""
    match = re.fullmatch(r"([0-9]+)([dhms])", text)
    if match is None:
        raise DefinitionError(
            f"{where}: '{text}' is not a duration; write a whole number and a unit, e.g. 7d, 4h, 30m or 15s."
        )
    return int(match[1]) * _UNITS[match[2]]


def instant_us(text: str, *, where: str = "instant") -> int:
    """`2017-11-30` means its midnight in UTC. Raises DefinitionError for a time of day without zone or offset (S3)."""
    if re.fullmatch(r".*\.[0-9]{6}[0-9]*[1-9].*", text):
        raise DefinitionError(f"{where}: '{text}' is finer than a microsecond; write at most six digits of a second.")
    try:
        # Python alone would also read 20171130 and 2017-W48-4.
        parsed = datetime.fromisoformat(text if _INSTANT.fullmatch(text) else "")
    except ValueError:
        raise DefinitionError(
            f"{where}: '{text}' is not an instant; write 2017-11-30 or 2017-11-30T06:00:00Z."
        ) from None
    if parsed.tzinfo is None:
        if len(text) != len("2017-11-30"):
            raise DefinitionError(
                f"{where}: '{text}' has no zone, so it names no instant; add Z or an offset, e.g. {text}Z."
            )
        parsed = parsed.replace(tzinfo=UTC)
    if not _FIRST <= parsed < _LAST:
        raise DefinitionError(f"{where}: '{text}' lies outside the years 1900 to 2200.")
    return to_us(parsed)


def to_us(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)


def to_datetime(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)


def instant_text(us: int) -> str:
    """An instant as text, e.g. `2017-11-30T00:00:00Z`: the names of slices in the ledger and on the terminal."""
    at = to_datetime(us)
    return at.strftime("%Y-%m-%dT%H:%M:%S") + (f".{at.microsecond:06d}" if at.microsecond else "") + "Z"


def hours_text(us: int) -> str:
    """`4 h`, `0.5 h`."""
    return f"{us / 3_600_000_000:g} h"


def instant_or_none(us: int | None) -> str | None:
    return None if us is None else instant_text(us)


def day_or_instant(us: int) -> str:
    """`2017-11-30` when the instant is a UTC midnight, else its whole text."""
    return instant_text(us).removesuffix("T00:00:00Z")


@dataclass(frozen=True)
class Window:
    """[t − length, t); `lifetime` is [the source's history_start, t) (S20)."""

    label: str

    def __post_init__(self) -> None:
        if self.label != "lifetime" and duration_us(self.label, where="window") == 0:
            raise DefinitionError(f"window '{self.label}' has no length; make it longer, or write LIFETIME.")

    @property
    def length_us(self) -> int | None:
        return None if self.label == "lifetime" else duration_us(self.label)


LIFETIME = "lifetime"
