"""One description of a source or view as plain data: what the catalogue, the docs and the report of a run render."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from definitions.clocks import Availability, EventTime
from definitions.features import Feature, Limits
from definitions.registry import documentation, key_of
from definitions.sources import Source
from definitions.views import AggregateView, CrossEntityView, Definition, DerivedView


@dataclass(frozen=True, kw_only=True)
class ColumnDescription:
    """One column. `formula` is how it is computed; empty where it is delivered or looked up.

    is_expression: the formula is a Spark SQL expression, and no aggregation over a window or comparison in a group.
    limits: what the gate expects of a feature. is_required: a delivered row without it is quarantined.
    """

    name: str
    type: str
    unit: str = ""
    doc: str = ""
    formula: str = ""
    is_expression: bool = False
    limits: Limits = field(default_factory=Limits)
    is_required: bool = False


@dataclass(frozen=True, kw_only=True)
class RowDescription:
    """What one row stands for: a value of each of these columns, at an as-of, or a row of another table."""

    columns: tuple[str, ...] = ()
    is_per_as_of: bool = False
    row_of: str = ""

    def words(self, *, quote: str = "", join: str = ", ") -> str:
        if self.row_of:
            return f"row of {quote}{self.row_of}{quote}"
        names = join.join(f"{quote}{name}{quote}" for name in self.columns)
        return f"{names} and as-of" if self.is_per_as_of else names or "delivered row"


@dataclass(frozen=True, kw_only=True)
class FactClocks:
    """When a fact happened, and when it could be known."""

    event_time: EventTime
    available: Availability

    @property
    def period(self) -> str:
        """`, a whole day in America/New_York, known when it has ended`; empty where times are instants."""
        clock = self.event_time
        known = "known at its start" if clock.known_at_start else "known when it has ended"
        return f", a whole {clock.grain} in {clock.zone}, {known}" if clock.zone else ""


@dataclass(frozen=True, kw_only=True)
class SnapshotClocks:
    """A snapshot of T holds what happened before T and was known at T + cut; it is available at T + publish."""

    cut_delay_us: int
    publish_delay_us: int
    freshness: str


@dataclass(frozen=True, kw_only=True)
class Description:
    """A definition as it is declared. clocks: None where they are those of the source, or where there is no time."""

    key: str
    name: str
    layer: str
    version: int
    owner: str
    doc: str
    entity: str | None
    row: RowDescription
    is_static: bool
    clocks: FactClocks | SnapshotClocks | None
    upstream: tuple[str, ...]
    columns: tuple[ColumnDescription, ...]


def describe(definition: Definition) -> Description:
    """Everything that a reader of the catalogue needs to know of it."""
    kind = _KINDS[type(definition)]
    return Description(
        key=key_of(definition),
        name=definition.name,
        layer=definition.layer,
        version=definition.version,
        owner=definition.owner,
        doc=documentation(definition),
        entity=definition.entity.name if definition.entity else None,
        row=kind.row(definition),
        is_static=definition.is_static,
        clocks=kind.clocks(definition),
        upstream=tuple(key_of(upstream) for upstream in definition.upstream),
        columns=kind.columns(definition),
    )


def _delivered_columns(source: Source) -> tuple[ColumnDescription, ...]:
    """A column with documentation is described by that, else by the expression that computes it."""
    return tuple(
        ColumnDescription(
            name=column.name,
            type=column.type,
            unit=column.unit,
            doc=column.doc,
            formula="" if column.doc else column.computed,
            is_expression=True,
            is_required=column.required,
        )
        for column in source.columns
    )


def _feature_columns(view: DerivedView | AggregateView | CrossEntityView) -> tuple[ColumnDescription, ...]:
    return tuple(
        ColumnDescription(
            name=feature.name,
            type=feature.type,
            unit=feature.unit,
            doc="looked up" if feature.operation == "lookup" else feature.doc,
            formula=_formula(feature, excludes_self=isinstance(view, CrossEntityView) and view.exclude_self),
            is_expression=feature.operation == "expression",
            limits=feature.limits,
        )
        for feature in view.published
    )


def _formula(feature: Feature, *, excludes_self: bool) -> str:
    if feature.operation == "lookup":
        return ""
    if feature.operation == "expression":
        return feature.input.text if feature.input else ""
    if feature.window is not None:
        where = f" where {feature.where.text}" if feature.where else ""
        return f"{feature.operation}({feature.input.text if feature.input else '*'}){where} over {feature.window.label}"
    if feature.of:
        return f"{feature.operation} of {feature.of}"
    return f"how many {'others' if excludes_self else 'entities'} are in the group"


def _fact_clocks(source: Source) -> FactClocks | None:
    if source.event_time is None or source.available is None:
        return None
    return FactClocks(event_time=source.event_time, available=source.available)


def _snapshot_clocks(view: AggregateView | CrossEntityView) -> SnapshotClocks:
    return SnapshotClocks(
        cut_delay_us=view.cut_delay_us, publish_delay_us=view.publish_delay_us, freshness=view.freshness.name
    )


@dataclass(frozen=True)
class _Kind:
    """How the parts of a description that differ are read from one kind of definition."""

    row: Callable[[Any], RowDescription]
    clocks: Callable[[Any], FactClocks | SnapshotClocks | None]
    columns: Callable[[Any], tuple[ColumnDescription, ...]] = _feature_columns


_SNAPSHOTS = _Kind(lambda view: RowDescription(columns=view.key_names, is_per_as_of=True), _snapshot_clocks)
_KINDS: Mapping[type[Any], _Kind] = {
    Source: _Kind(lambda source: RowDescription(columns=source.identity), _fact_clocks, _delivered_columns),
    DerivedView: _Kind(lambda view: RowDescription(row_of=view.source.name), lambda view: None),
    AggregateView: _SNAPSHOTS,
    CrossEntityView: _SNAPSHOTS,
}
