"""The two clocks of a fact: when it happened (event time), and when it could have been known (availability)."""

from dataclasses import dataclass, field
from enum import StrEnum
from zoneinfo import ZoneInfo, available_timezones

from definitions.durations import duration_us, hours_text, instant_us
from definitions.errors import DefinitionError, UnknownName, did_you_mean


class Grain(StrEnum):
    """How coarse a source's times are; a coarse fact covers [start, end) (S6)."""

    INSTANT = "instant"
    DAY = "day"
    WEEK = "week"


class Ambiguous(StrEnum):
    """What becomes of a local time that a DST night makes ambiguous or impossible (S3)."""

    QUARANTINE = "quarantine"
    EARLIER = "earlier"
    LATER = "later"


def check_zone(zone: str, where: str) -> None:
    """Raises UnknownName for what is not an IANA time zone."""
    if zone not in available_timezones():
        raise UnknownName(f"{where}: zone '{zone}' is unknown.{did_you_mean(zone, available_timezones())}")
    ZoneInfo(zone)


@dataclass(frozen=True)
class EventTime:
    """Which column holds the time at which it happened, how coarse it is, and in which zone its days begin.

    known_in_advance: facts may be known before they happen (plans, bookings, price lists), as are those that are
    `known_at_start`. Of any other source a fact of later than its load, or its available time, is quarantined (S5).
    """

    column: str
    grain: Grain = Grain.INSTANT
    zone: str = ""
    known_at_start: bool = False
    ambiguous: Ambiguous = Ambiguous.QUARANTINE
    # Not in the repr, of which fingerprints are made: those of definitions without it must not change.
    known_in_advance: bool = field(default=False, repr=False)

    def __post_init__(self) -> None:
        if self.grain is not Grain.INSTANT and not self.zone:
            raise DefinitionError(
                f"event time '{self.column}' is a {self.grain}: say in which zone it begins, e.g. "
                "zone='America/New_York' (S6)."
            )
        if self.zone:
            check_zone(self.zone, f"event time '{self.column}'")

    @property
    def may_lie_ahead(self) -> bool:
        """Whether a fact may be known before it happens."""
        return self.known_in_advance or self.known_at_start

    @property
    def type(self) -> str:
        """The type that its column must have."""
        return "timestamp" if self.grain is Grain.INSTANT else "date"


@dataclass(frozen=True)
class LandingDelay:
    """Known this long after it happened.

    `first_load_until`: how far the first load may be trusted to have arrived so (S5).
    """

    delay: str
    first_load_until: str = ""

    def __post_init__(self) -> None:
        duration_us(self.delay, where="landing delay")
        if self.first_load_until:
            instant_us(self.first_load_until, where="first_load_until")

    def __str__(self) -> str:
        return f"event + {hours_text(self.delay_us)} (landing delay), or the load that brought it late"

    @property
    def delay_us(self) -> int:
        return duration_us(self.delay)


@dataclass(frozen=True)
class AvailableColumn:
    """A column of the source holds the time at which each version was known."""

    column: str

    def __str__(self) -> str:
        return f"column {self.column}"


@dataclass(frozen=True)
class LoadTime:
    """Known when the load that brought it began."""

    def __str__(self) -> str:
        return "the load that brought it"


Availability = LandingDelay | AvailableColumn | LoadTime
