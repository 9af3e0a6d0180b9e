"""The two clocks of a fact: when it happened (event time), and when it could have been known (availability)."""

from dataclasses import dataclass, field
from enum import StrEnum

from definitions.durations import duration_us, hours_text, instant_us
from definitions.errors import DefinitionError
from definitions.zones import check_zone


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


class Epoch(StrEnum):
    """The unit of times that are delivered as numbers since 1970, in UTC."""

    SECONDS = "s"
    MILLISECONDS = "ms"
    MICROSECONDS = "us"

    @property
    def decimals(self) -> int:
        """How many decimals of such a number a microsecond has."""
        return {Epoch.SECONDS: 6, Epoch.MILLISECONDS: 3, Epoch.MICROSECONDS: 0}[self]


def check_epoch(unit: str, where: str) -> None:
    """Raises DefinitionError for what is no unit of numbers since 1970."""
    if unit not in tuple(Epoch):
        raise DefinitionError(f"{where}: '{unit}' is no unit of numbers since 1970; write {', '.join(Epoch)}.")


@dataclass(frozen=True)
class EventTime:
    """Which column holds the time at which it happened, how coarse it is, and in which zone its days begin.

    known_in_advance: facts may be known before they happen (plans, bookings, price lists), as are those that are
    `known_at_start`. Of any other source a fact of later than its load, or its available time, is quarantined (S5).
    `unit`: the column is delivered as a number of seconds (`s`), milliseconds (`ms`) or microseconds (`us`) since 1970.
    """

    column: str
    grain: Grain = Grain.INSTANT
    zone: str = ""
    known_at_start: bool = False
    ambiguous: Ambiguous = Ambiguous.QUARANTINE
    # Not in the repr, of which fingerprints are made: those of definitions without it must not change.
    known_in_advance: bool = field(default=False, repr=False)
    unit: str = field(default="", repr=False)  # the fingerprint of what had none stays as it is

    def __post_init__(self) -> None:
        if self.grain is not Grain.INSTANT and not self.zone:
            raise DefinitionError(
                f"event time '{self.column}' is a {self.grain}: say in which zone it begins, e.g. "
                "zone='America/New_York' (S6)."
            )
        if self.zone:
            check_zone(self.zone, f"event time '{self.column}'")
        if self.unit:
            check_epoch(self.unit, f"event time '{self.column}'")
            if self.grain is not Grain.INSTANT:
                raise DefinitionError(
                    f"event time '{self.column}' is a {self.grain}, so it is delivered without a unit."
                )

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
