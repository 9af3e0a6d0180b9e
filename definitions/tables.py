"""What every definition answers about its table: tables of facts, and tables of snapshots.

Callers read these properties and need not know the kind of a definition. A new kind of view states the few that
differ in its own class; it joins the others in `definitions.views` and in the builders' tables.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from definitions.durations import duration_us, hours_text
from definitions.features import Feature

if TYPE_CHECKING:
    from definitions.entities import Entity
    from definitions.sources import Source
    from definitions.views import Definition, Freshness, Lookup


class PartitionBy(StrEnum):
    """The grain of `event_date`: coarser where days would be tiny files."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class Table:
    """A definition by name and version, and what it reads.

    is_delivered: its rows come from outside; false: a build makes them from `upstream`.
    is_static: its rows have no time, and are certified as such (S10).
    root: the source of the facts that its rows are made of. lookups: what it looks up for each of those facts.
    published: its columns beside keys and clocks, in order.
    """

    name: str
    version: int
    owner: str
    doc: str
    layer: str
    is_delivered: ClassVar[bool] = False

    # For the type checker alone: a dataclass would take a base's property for the default of its field.
    if TYPE_CHECKING:

        @property
        def root(self) -> "Source": ...
        @property
        def upstream(self) -> "tuple[Definition, ...]": ...
        @property
        def lookups(self) -> "tuple[Lookup, ...]": ...
        @property
        def published(self) -> tuple[Feature, ...]: ...

    @property
    def where(self) -> str:
        """How messages name it."""
        return f"view '{self.name}' v{self.version}"

    @property
    def sources_below(self) -> "tuple[Source, ...]":
        """Every source that it reads, through whatever lies between; each once. A source is its own."""
        if not self.upstream:
            return (self.root,)
        return tuple(dict.fromkeys(source for upstream in self.upstream for source in upstream.sources_below))


class FactTable(Table):
    """Facts: a row for each thing that happened or held, with its own two clocks. Sources and derived views.

    schema: every column that a view on it may read, with its type. partition_by: the grain of `event_date`.
    includes_label_instant: joined to a label at t, a fact of t itself counts (S14).
    has_constant_delay: each fact that came in time is known `landing_delay_us` after it happened.
    """

    is_snapshot: ClassVar[bool] = False
    entity: ClassVar[None] = None
    key_names: ClassVar[tuple[str, ...]] = ()
    cut_delay_us: ClassVar[int] = 0
    publish_delay_us: ClassVar[int] = 0
    successor_after_us: ClassVar[int] = 0
    columns_read: ClassVar[None] = None
    includes_label_instant: bool

    if TYPE_CHECKING:

        @property
        def schema(self) -> dict[str, str]: ...

    @property
    def join_columns(self) -> Mapping[str, str]:
        """The columns by which an entity may be joined to it, with their types: any of a fact's."""
        return self.schema

    @property
    def selectable(self) -> dict[str, Feature]:
        """What a feature service can select, by name: every column but the clocks."""
        described = {feature.name: feature for feature in (*self.root.published, *self.published)}
        columns = {
            name: Feature(name=name, type=type_, operation="column")
            for name, type_ in self.schema.items()
            if name not in ("event_time", "available_time")
        }
        return {name: described.get(name, column) for name, column in columns.items()}


class SnapshotTable(Table):
    """Snapshots: at each as-of instant T one row per entity, of what was known at T + cut_delay (S11).

    cut_delay_us and publish_delay_us are S11's c and d.
    """

    is_snapshot: ClassVar[bool] = True
    is_static: ClassVar[bool] = False
    includes_label_instant: ClassVar[bool] = False
    lookups: "ClassVar[tuple[Lookup, ...]]" = ()
    partition_by: ClassVar[PartitionBy] = PartitionBy.DAY

    if TYPE_CHECKING:

        @property
        def entity(self) -> Entity: ...
        @property
        def freshness(self) -> Freshness: ...
        @property
        def publish_delay_us(self) -> int: ...

    @property
    def key_names(self) -> tuple[str, ...]:
        return self.entity.key_names

    @property
    def schema(self) -> dict[str, str]:
        """Every column that a reader may use, with its type."""
        clocks = {"event_time": "timestamp", "available_time": "timestamp"}
        return dict(self.entity.keys) | clocks | {feature.name: feature.type for feature in self.published}

    @property
    def join_columns(self) -> Mapping[str, str]:
        """The columns by which an entity may be joined to it, with their types: its join keys."""
        return dict(self.entity.keys)

    @property
    def selectable(self) -> dict[str, Feature]:
        """What a feature service can select, by name."""
        return {feature.name: feature for feature in self.published}

    @property
    def successor_after_us(self) -> int:
        """How long after T the next snapshot is available, at the latest, when all is well (S18)."""
        return duration_us(self.freshness.every) + self.publish_delay_us

    @property
    def availability(self) -> str:
        """Where `available_time` comes from, in words (S11)."""
        return f"as-of + {hours_text(self.publish_delay_us)} (publish delay)"
