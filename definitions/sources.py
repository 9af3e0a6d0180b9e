"""Entities and sources: what arrives, which columns name one fact, and when it could have been known."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from zoneinfo import ZoneInfo, available_timezones

from definitions.durations import duration_us, instant_us
from definitions.errors import DefinitionError, UnknownName, did_you_mean
from definitions.expressions import Expression, parse_expression

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TYPES = re.compile(r"boolean|int|bigint|double|string|date|timestamp|decimal\((\d{1,2}),(\d{1,2})\)")
RESERVED = frozenset({"event_time", "available_time", "superseded_at", "known_at", "event_date", "loaded_at", "as_of"})


class Kind(StrEnum):
    """EVENTS happened; STATE holds until the next; STATIC has no time and says so (S7, S10)."""

    EVENTS = "events"
    STATE = "state"
    STATIC = "static"


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


class PartitionBy(StrEnum):
    """The grain of `event_date`: coarser where days would be tiny files."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class Nan(StrEnum):
    REFUSE = "refuse"
    NULL = "null"


def check_name(name: str, where: str) -> None:
    if not _NAME.fullmatch(name):
        raise DefinitionError(f"{where}: '{name}' is not a name; use small letters, digits and _, a letter first.")


def check_type(type_: str, where: str) -> None:
    match = _TYPES.fullmatch(type_)
    if match is None:
        raise DefinitionError(
            f"{where}: type '{type_}' is unknown; use boolean, int, bigint, double, string, date, timestamp or "
            "decimal(p,s)."
        )
    if match[1] and not 0 < int(match[1]) <= 38 >= int(match[2]) <= int(match[1]):
        raise DefinitionError(f"{where}: '{type_}' needs 1 to 38 digits and no more decimals than digits.")


def check_zone(zone: str, where: str) -> None:
    if zone not in available_timezones():
        raise UnknownName(f"{where}: zone '{zone}' is unknown.{did_you_mean(zone, available_timezones())}")
    ZoneInfo(zone)


@dataclass(frozen=True)
class Entity:
    """What features describe, and the join keys (name and type) that name one of it; key types are fixed for good."""

    name: str
    keys: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        check_name(self.name, "entity")
        if not self.keys:
            raise DefinitionError(f"entity '{self.name}' has no join key; give at least one (name, type).")
        for key, type_ in self.keys:
            check_name(key, f"entity '{self.name}'")
            check_type(type_, f"entity '{self.name}', key '{key}'")
            if type_ == "double":
                raise DefinitionError(
                    f"entity '{self.name}': key '{key}' is a double; float keys are refused (S17), use bigint or "
                    "string."
                )

    @property
    def key_names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.keys)


@dataclass(frozen=True)
class Column:
    """One typed column of a source. `delivered` is its name in the files, `computed` an expression over the others.

    A floating number delivered for a decimal must be a whole number of its last digit up to representation noise.
    `zone` says where naive local times were read off the clock (S3).
    """

    name: str
    type: str
    required: bool = False
    unit: str = ""
    delivered: str = ""
    computed: str = ""
    zone: str = ""
    nan: Nan = Nan.REFUSE
    doc: str = ""

    def __post_init__(self) -> None:
        check_name(self.name, "column")
        check_type(self.type, f"column '{self.name}'")
        if self.name in RESERVED:
            raise DefinitionError(
                f"column '{self.name}' has a name that Ziggurat writes itself; rename it with delivered='{self.name}'."
            )
        if self.zone:
            check_zone(self.zone, f"column '{self.name}'")

    @property
    def delivered_name(self) -> str:
        return self.delivered or self.name


@dataclass(frozen=True)
class EventTime:
    """Which column says when it happened, how coarse it is, and in which zone its days begin."""

    column: str
    grain: Grain = Grain.INSTANT
    zone: str = ""
    known_at_start: bool = False
    ambiguous: Ambiguous = Ambiguous.QUARANTINE

    def __post_init__(self) -> None:
        if self.grain is not Grain.INSTANT and not self.zone:
            raise DefinitionError(
                f"event time '{self.column}' is a {self.grain}: say in which zone it begins, e.g. "
                "zone='America/New_York' (S6)."
            )
        if self.zone:
            check_zone(self.zone, f"event time '{self.column}'")


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

    @property
    def delay_us(self) -> int:
        return duration_us(self.delay)


@dataclass(frozen=True)
class AvailableColumn:
    """The source itself says when each version was known."""

    column: str


@dataclass(frozen=True)
class LoadTime:
    """Known when the load that brought it began."""


Availability = LandingDelay | AvailableColumn | LoadTime


@dataclass(frozen=True, kw_only=True)
class Source:
    """One delivered table: typed columns, the identity of a fact and its two clocks. Published as
    `raw/<name>/v<version>`.

    history_start: nothing before it is claimed to be complete; `lifetime` windows begin there (S20).
    max_quarantined_share: a load with a larger share of unusable rows stops before anything is written.
    includes_label_instant: joined to a label at t, a fact of t itself counts (S14), e.g. a plan.
    """

    name: str
    kind: Kind
    columns: tuple[Column, ...]
    version: int
    owner: str
    identity: tuple[str, ...] = ()
    event_time: EventTime | None = None
    available: Availability | None = None
    version_by: str = ""
    retraction: str = ""
    tombstone: str = ""
    tie_break: tuple[str, ...] = ()
    partition_by: PartitionBy = PartitionBy.MONTH
    history_start: str = ""
    max_quarantined_share: float = 0.05
    includes_label_instant: bool = False
    doc: str = ""
    layer: str = field(default="raw", init=False)

    def __post_init__(self) -> None:
        where = f"source '{self.name}'"
        check_name(self.name, "source")
        names = [column.name for column in self.columns]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise DefinitionError(f"{where}: column '{twice[0]}' is declared twice.")
        self._check_clocks(where)
        self._check_names(where, names)
        self.computed  # noqa: B018  parsed here, so that a definition that can't stand is refused where it is written

    def _check_names(self, where: str, names: list[str]) -> None:
        for name in (
            *self.identity,
            *self.tie_break,
            *filter(None, (self.version_by, self.retraction, self.tombstone)),
        ):
            if name not in names:
                raise UnknownName(f"{where}: '{name}' is not one of its columns.{did_you_mean(name, names)}")
        if self.tombstone and self.kind is not Kind.STATE:
            raise DefinitionError(f"{where}: only a state source can have a tombstone; this one is {self.kind} (S8).")
        for name in filter(None, (self.retraction, self.tombstone)):
            if self.type_of(name) != "boolean":
                raise DefinitionError(f"{where}: '{name}' marks versions; it is {self.type_of(name)}, make it boolean.")

    def _check_clocks(self, where: str) -> None:
        names = [column.name for column in self.columns]
        if self.kind is Kind.STATIC:
            if self.event_time or self.available:
                raise DefinitionError(f"{where} is static but declares a clock; make it state or events (S10).")
            return
        if self.event_time is None:
            raise DefinitionError(
                f"{where} has no event_time; declare one, or kind=STATIC if it truly has no time (S10)."
            )
        if self.event_time.column not in names:
            raise UnknownName(
                f"{where}: event time '{self.event_time.column}' is not a "
                f"column.{did_you_mean(self.event_time.column, names)}"
            )
        time_type = self.type_of(self.event_time.column)
        wanted = "timestamp" if self.event_time.grain is Grain.INSTANT else "date"
        if time_type != wanted:
            raise DefinitionError(
                f"{where}: event time '{self.event_time.column}' is a {time_type}; with grain {self.event_time.grain} "
                f"it must be a {wanted}."
            )
        if self.available is None:
            raise DefinitionError(
                f"{where} does not say when its facts were known; declare available=LandingDelay(…), "
                "AvailableColumn(…) or LoadTime() (S5)."
            )
        if isinstance(self.available, AvailableColumn):
            column = self.available.column
            if column not in names:
                raise UnknownName(f"{where}: available column '{column}' is not a column.{did_you_mean(column, names)}")
            if self.type_of(column) != "timestamp":
                raise DefinitionError(
                    f"{where}: available column '{column}' is a {self.type_of(column)}; it must be a timestamp (S5)."
                )
        if isinstance(self.available, AvailableColumn) and self.available.column not in names:
            raise UnknownName(
                f"{where}: available column '{self.available.column}' is not a "
                f"column.{did_you_mean(self.available.column, names)}"
            )
        if self.history_start:
            instant_us(self.history_start, where=f"{where}, history_start")

    def type_of(self, column: str) -> str:
        return next(c.type for c in self.columns if c.name == column)

    @cached_property
    def schema(self) -> dict[str, str]:
        """Every column that a view on this source may read, with its type."""
        clocks = {} if self.kind is Kind.STATIC else {"event_time": "timestamp", "available_time": "timestamp"}
        return {column.name: column.type for column in self.columns} | clocks

    @cached_property
    def computed(self) -> dict[str, Expression]:
        """The computed columns, each over the delivered ones only."""
        delivered = {c.name: c.type for c in self.columns if not c.computed}
        parsed = {
            c.name: parse_expression(c.computed, delivered, where=f"source '{self.name}', column '{c.name}'")
            for c in self.columns
            if c.computed
        }
        for name, expression in parsed.items():
            if expression.type != self.type_of(name):
                raise DefinitionError(
                    f"source '{self.name}': computed column '{name}' is declared {self.type_of(name)} but its "
                    f"expression gives {expression.type}."
                )
        return parsed

    @property
    def upstream(self) -> tuple["Source", ...]:
        return ()

    @property
    def is_static(self) -> bool:
        return self.kind is Kind.STATIC

    @property
    def landing_delay_us(self) -> int:
        """How long after the event the facts are complete, as far as is declared.

        0 where only the rows themselves say.
        """
        return self.available.delay_us if isinstance(self.available, LandingDelay) else 0

    @property
    def history_start_us(self) -> int | None:
        return instant_us(self.history_start) if self.history_start else None
