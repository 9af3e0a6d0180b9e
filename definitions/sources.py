"""Sources: what is delivered, which columns identify one fact, and when it could have been known."""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import ClassVar

from definitions.clocks import Availability, AvailableColumn, EventTime, LandingDelay
from definitions.columns import Column
from definitions.durations import instant_us
from definitions.errors import DefinitionError, UnknownName, did_you_mean
from definitions.expressions import Expression, parse_expression
from definitions.features import Feature
from definitions.names import check_name, first_duplicate
from definitions.tables import FactTable, PartitionBy


class Kind(StrEnum):
    """EVENTS: what happened. STATE: what holds until the next fact of its identity (S7). STATIC: no time (S10)."""

    EVENTS = "events"
    STATE = "state"
    STATIC = "static"


@dataclass(frozen=True, kw_only=True)
class Source(FactTable):
    """One delivered table: typed columns, the identity of a fact and its two clocks.

    Published as `raw/<name>/v<version>`.
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
    is_delivered: ClassVar[bool] = True
    driver: ClassVar[None] = None
    lookups: ClassVar[tuple[()]] = ()

    def __post_init__(self) -> None:
        check_name(self.name, "source")
        names = [column.name for column in self.columns]
        if duplicate := first_duplicate(names):
            raise DefinitionError(f"{self.where}: column '{duplicate}' is declared twice.")
        if self.kind is Kind.STATIC:
            self._check_static()
        else:
            self._check_event_time(names)
            self._check_availability(names)
        self._check_roles(names)
        self.computed  # noqa: B018  parsed here, so that a definition that can't stand is refused where it is written

    def _check_roles(self, names: list[str]) -> None:
        """The columns that identify, order, end or mark facts exist, and the marks are booleans."""
        marks = tuple(filter(None, (self.retraction, self.tombstone)))
        for name in (*self.identity, *self.tie_break, *filter(None, (self.version_by,)), *marks):
            if name not in names:
                raise UnknownName(f"{self.where}: '{name}' is not one of its columns.{did_you_mean(name, names)}")
        if self.tombstone and self.kind is not Kind.STATE:
            raise DefinitionError(
                f"{self.where}: only a state source can have a tombstone; this one is {self.kind} (S8)."
            )
        for name in marks:
            if self.type_of(name) != "boolean":
                raise DefinitionError(
                    f"{self.where}: '{name}' marks versions; it is {self.type_of(name)}, make it boolean."
                )

    def _check_static(self) -> None:
        if self.event_time or self.available:
            raise DefinitionError(f"{self.where} is static but declares a clock; make it state or events (S10).")

    def _check_event_time(self, names: list[str]) -> None:
        if self.event_time is None:
            raise DefinitionError(
                f"{self.where} has no event_time; declare one, or kind=STATIC if it truly has no time (S10)."
            )
        column = self.event_time.column
        if column not in names:
            raise UnknownName(f"{self.where}: event time '{column}' is not a column.{did_you_mean(column, names)}")
        if self.type_of(column) != self.event_time.type:
            raise DefinitionError(
                f"{self.where}: event time '{column}' is a {self.type_of(column)}; with grain {self.event_time.grain} "
                f"it must be a {self.event_time.type}."
            )
        self._check_unit(self.column(column))
        if self.history_start:
            instant_us(self.history_start, where=f"{self.where}, history_start")

    def _check_unit(self, column: Column) -> None:
        unit = self.event_time.unit if self.event_time else ""
        if unit and (column.zone or column.combined or column.computed):
            raise DefinitionError(
                f"{self.where}: event time '{column.name}' has the unit {unit}: a number since 1970, in UTC. "
                "Drop the column's zone, combined or computed."
            )
        if unit and column.epoch not in ("", unit):
            raise DefinitionError(f"{self.where}: '{column.name}' is in {column.epoch} and in {unit}; keep one.")

    def _check_availability(self, names: list[str]) -> None:
        if self.available is None:
            raise DefinitionError(
                f"{self.where} does not say when its facts were known; declare available=LandingDelay(…), "
                "AvailableColumn(…) or LoadTime() (S5)."
            )
        if not isinstance(self.available, AvailableColumn):
            return
        column = self.available.column
        if column not in names:
            raise UnknownName(
                f"{self.where}: available column '{column}' is not a column.{did_you_mean(column, names)}"
            )
        if self.type_of(column) != "timestamp":
            raise DefinitionError(
                f"{self.where}: available column '{column}' is a {self.type_of(column)}; it must be a timestamp (S5)."
            )

    @property
    def where(self) -> str:
        return f"source '{self.name}'"

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def type_of(self, column: str) -> str:
        return self.column(column).type

    @property
    def delivered_names(self) -> tuple[str, ...]:
        """The columns that are read from files, by their names in the files."""
        return tuple(dict.fromkeys(name for column in self.columns for name in column.delivered_names))

    def epoch_of(self, column: Column) -> str:
        """The unit of a column that is delivered as numbers since 1970; empty for others."""
        clock = self.event_time
        return column.epoch or (clock.unit if clock and clock.column == column.name else "")

    @cached_property
    def schema(self) -> dict[str, str]:
        """Every column that a view on this source may read, with its type."""
        clocks = {} if self.is_static else {"event_time": "timestamp", "available_time": "timestamp"}
        return {column.name: column.type for column in self.columns} | clocks

    @cached_property
    def computed(self) -> dict[str, Expression]:
        """The computed columns, each over the delivered ones only."""
        delivered = {c.name: c.type for c in self.columns if not c.computed}
        parsed = {
            c.name: parse_expression(c.computed, delivered, where=f"{self.where}, column '{c.name}'")
            for c in self.columns
            if c.computed
        }
        for name, expression in parsed.items():
            if expression.type != self.type_of(name):
                raise DefinitionError(
                    f"{self.where}: computed column '{name}' is declared {self.type_of(name)} but its "
                    f"expression gives {expression.type}."
                )
        return parsed

    @property
    def published(self) -> tuple[Feature, ...]:
        return tuple(
            Feature(name=c.name, type=c.type, operation="column", unit=c.unit, doc=c.doc) for c in self.columns
        )

    @property
    def upstream(self) -> tuple[()]:
        return ()

    @property
    def root(self) -> "Source":
        return self

    @property
    def is_static(self) -> bool:
        return self.kind is Kind.STATIC

    @property
    def availability(self) -> str:
        """Where `available_time` comes from, in words (S5)."""
        return str(self.available) if self.available else "none: static"

    @property
    def has_constant_delay(self) -> bool:
        return isinstance(self.available, LandingDelay)

    @property
    def landing_delay_us(self) -> int:
        """How long after the event the facts are complete, as far as is declared.

        0 where each row has its own delay.
        """
        return self.available.delay_us if isinstance(self.available, LandingDelay) else 0

    @property
    def history_start_us(self) -> int | None:
        return instant_us(self.history_start) if self.history_start else None
