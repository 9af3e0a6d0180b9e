"""A history: the facts of one view, with the declarations that a join needs."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from pyspark.sql import DataFrame
from pyspark.sql.types import BooleanType, DataType, TimestampType

from definitions.durations import duration_us
from definitions.errors import DefinitionError, UnknownName, did_you_mean
from pit_join.layout import Layout
from temporal.comparable import has_order

_NEEDS_A_CLOCK = (
    "available_time",
    "superseded_at",
    "tie_break",
    "identity",
    "version_by",
    "retraction",
    "max_age",
    "tombstone",
    "includes_label_instant",
    "is_snapshot",
)


@dataclass(frozen=True)
class History:
    """Facts with their clocks, to be joined to a spine as they were known at each label time.

    keys             the frame's columns that name the entity of a fact
    spine_keys       the spine's columns for the same keys, in the same order, if their names differ
    event_time       when a fact happened; None: a static history, joined by its keys alone (S10)
    available_time   when it could have been known; None: at once, and the certificate says "assumed" (S5)
    superseded_at    when a newer version of the same fact was known, if the frame has that column already
    identity         the columns that name one fact (S7): then versions are worked out here, with `version_by` and
                     `retraction`; not together with superseded_at
    features         the columns to join, as `{name}__{feature}`
    max_age          `30d` or a timedelta (S18)
    tie_break, tombstone                 S9, S8
    includes_label_instant               facts at t itself count (S14); a snapshot's event time T already leaves T out
    availability     where available_time comes from, in words, for the certificate
    layout           the same facts in hash buckets, which joins read instead of shuffling them (`lay_out`)

    A fact whose event_time or declared available_time is null is never known. Raises UnknownName for a column that the
    frame lacks, DefinitionError for a column of the wrong type and for declarations that contradict each other.
    """

    name: str
    frame: DataFrame
    keys: tuple[str, ...] = field(kw_only=True)
    features: tuple[str, ...] = field(kw_only=True)
    event_time: str | None = field(default="event_time", kw_only=True)
    available_time: str | None = field(default=None, kw_only=True)
    spine_keys: tuple[str, ...] = field(default=(), kw_only=True)
    max_age: str | timedelta | None = field(default=None, kw_only=True)
    tie_break: Sequence[str] = field(default=(), kw_only=True)
    tombstone: str | None = field(default=None, kw_only=True)
    identity: tuple[str, ...] | None = field(default=None, kw_only=True)
    version_by: str | None = field(default=None, kw_only=True)
    retraction: str | None = field(default=None, kw_only=True)
    superseded_at: str | None = field(default=None, kw_only=True)
    includes_label_instant: bool = field(default=False, kw_only=True)
    is_snapshot: bool = field(default=False, kw_only=True)
    availability: str = field(default="", kw_only=True)
    layout: Layout | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        self._check_declarations()
        self._check_columns()
        self._check_types()

    @property
    def where(self) -> str:
        return f"history '{self.name}'"

    @property
    def is_static(self) -> bool:
        return self.event_time is None

    @property
    def joined_by(self) -> tuple[str, ...]:
        """The spine's key columns, in the order of `keys`."""
        return self.spine_keys or self.keys

    @property
    def max_age_us(self) -> int | None:
        if isinstance(self.max_age, timedelta):
            return self.max_age // timedelta(microseconds=1)
        return duration_us(self.max_age, where=f"max_age of {self.where}") if self.max_age else None

    @property
    def counts_its_instant(self) -> bool:
        """Whether a label at t sees a fact of t itself: S14's first test is <= then, not <."""
        return self.includes_label_instant or self.is_snapshot

    @property
    def has_versions(self) -> bool:
        return bool(self.identity) or self.superseded_at is not None

    def type_of(self, column: str) -> DataType:
        return self.frame.schema[column].dataType

    def _check_declarations(self) -> None:
        if not self.name:
            raise DefinitionError("a history needs a name: its columns' names begin with it.")
        if not self.keys:
            raise DefinitionError(f"{self.where} has no keys; name the columns that identify the entity of a fact.")
        if self.spine_keys and len(self.spine_keys) != len(self.keys):
            raise DefinitionError(
                f"{self.where} has {len(self.keys)} keys but {len(self.spine_keys)} spine_keys: "
                f"{', '.join(self.keys)} and {', '.join(self.spine_keys)}; give one for each, in the same order."
            )
        if self.is_static and (clocked := next((name for name in _NEEDS_A_CLOCK if getattr(self, name)), None)):
            raise DefinitionError(f"{self.where} is static but declares {clocked}; declare its clock, or drop that.")
        if self.identity and self.superseded_at:
            raise DefinitionError(f"{self.where} declares identity and superseded_at; versions come from one of them.")
        for name in ("version_by", "retraction"):
            if getattr(self, name) and not self.has_versions:
                raise DefinitionError(f"{self.where} declares {name} without identity, the columns that name one fact.")
        if self.max_age is not None and (self.max_age_us or 0) <= 0:
            raise DefinitionError(
                f"{self.where}: max_age {self.max_age} leaves out every fact; give a longer one, or None."
            )

    def _check_columns(self) -> None:
        columns = self.frame.columns
        if twice := more_than_once(columns):
            raise DefinitionError(f"{self.where}: its frame has column '{twice}' twice; rename or drop one of them.")
        for name in self._named:
            if name not in columns:
                raise UnknownName(f"{self.where}: its frame has no column '{name}'.{did_you_mean(name, columns)}")
        for role, names in (("key", self.keys), ("spine key", self.spine_keys), ("feature", self.features)):
            if twice := more_than_once(names):
                raise DefinitionError(f"{self.where}: {role} '{twice}' is named twice.")
        if self.superseded_at and self.superseded_at in self.features:
            raise DefinitionError(f"{self.where}: '{self.superseded_at}' is known only later; it can't be a feature.")

    @property
    def _named(self) -> tuple[str, ...]:
        single = (self.event_time, self.available_time, self.superseded_at, self.version_by)
        marks = (self.tombstone, self.retraction)
        several = (*self.keys, *self.features, *self.tie_break, *(self.identity or ()))
        return tuple(name for name in (*several, *single, *marks) if name)

    def _check_types(self) -> None:
        for name in filter(None, (self.event_time, self.available_time, self.superseded_at)):
            if not isinstance(self.type_of(name), TimestampType):
                raise DefinitionError(
                    f"{self.where}: clock '{name}' is {self.type_of(name).simpleString()}, which names no instant; "
                    "make it timestamp, converted in the zone that its values were written in (S1, S3)."
                )
        for name in filter(None, (self.tombstone, self.retraction)):
            if not isinstance(self.type_of(name), BooleanType):
                kind = self.type_of(name).simpleString()
                raise DefinitionError(f"{self.where}: '{name}' marks facts; it is {kind}, make it boolean.")
        for column in self.frame.schema:
            if not has_order(column.dataType):
                raise DefinitionError(
                    f"{self.where}: column '{column.name}' is {column.dataType.simpleString()}, which has no order to "
                    "choose the latest by (S9); cast it to string, or leave it out of the frame."
                )


def more_than_once(names: Iterable[str]) -> str | None:
    """The first name that occurs twice; to Spark, names in capitals and in small letters are equal."""
    counts = Counter(name.lower() for name in names)
    return next((name for name in names if counts[name.lower()] > 1), None)
