"""Aggregate views: an entity's windows at each as-of."""

from dataclasses import dataclass, field
from functools import cached_property

from definitions.aggregations import Aggregation
from definitions.durations import duration_us
from definitions.entities import Entity
from definitions.errors import DefinitionError
from definitions.features import Feature, Formula
from definitions.names import check_name
from definitions.operations.table import window_operation
from definitions.outputs import unique, with_formulas
from definitions.sources import Source
from definitions.tables import SnapshotTable
from definitions.views.derived import DerivedView


@dataclass(frozen=True)
class Freshness:
    """How often a snapshot is due."""

    name: str
    every: str


DAILY = Freshness("daily", "1d")
WEEKLY = Freshness("weekly", "7d")


@dataclass(frozen=True)
class AggregateView(SnapshotTable):
    """One row per entity and as-of instant T: aggregates over windows [T − w, T) known at T + cut_delay.

    cut_delay (default: the source's landing delay) and publish_delay (default: the cut delay) are S11's c and d.
    """

    name: str
    entity: Entity = field(kw_only=True)
    source: Source | DerivedView = field(kw_only=True)
    version: int = field(kw_only=True)
    owner: str = field(kw_only=True)
    features: tuple[Aggregation | Formula, ...] = field(kw_only=True)
    windows: tuple[str, ...] = field(default=(), kw_only=True)
    freshness: Freshness = field(default=DAILY, kw_only=True)
    cut_delay: str = field(default="", kw_only=True)
    publish_delay: str = field(default="", kw_only=True)
    doc: str = field(default="", kw_only=True)
    layer: str = field(default="aggregate", init=False)

    def __post_init__(self) -> None:
        check_name(self.name, "view")
        for key, type_ in self.entity.keys:
            source_type = self.source.schema.get(key)
            if source_type != type_:
                raise DefinitionError(
                    f"{self.where}: join key '{key}' is {type_} in entity '{self.entity.name}' but "
                    f"{source_type or 'missing'} in '{self.source.name}'."
                )
        if self.source.is_static:
            raise DefinitionError(
                f"{self.where}: its source '{self.source.name}' is static; windows need a clock (S10)."
            )
        if not self.published:
            raise DefinitionError(f"{self.where} declares no feature to publish; add one, e.g. count(named='events').")
        if self.publish_delay_us < self.cut_delay_us:
            raise DefinitionError(
                f"{self.where}: publish_delay {self.publish_delay} is shorter than cut_delay {self.cut_delay}; it "
                "can't be published before its cut (S11)."
            )

    @cached_property
    def aggregations(self) -> tuple[Feature, ...]:
        """The declared aggregations, one feature for each of their windows."""
        features = [
            feature
            for declared in self.features
            if isinstance(declared, Aggregation)
            for feature in declared.expand(self.source.schema, self.windows, where=self.where)
        ]
        return unique(features, self.where, self.entity.key_names)

    @cached_property
    def outputs(self) -> tuple[Feature, ...]:
        """Every feature in declared order.

        An expression reads aggregates, `as_of`, and expressions declared above it.
        """
        readable = {"as_of": "timestamp"} | dict(self.entity.keys)
        return with_formulas(self.aggregations, self.features, self.entity, readable=readable, where=self.where)

    @property
    def published(self) -> tuple[Feature, ...]:
        return tuple(feature for feature in self.outputs if not feature.hidden)

    @property
    def upstream(self) -> tuple[Source | DerivedView, ...]:
        return (self.source,)

    @property
    def driver(self) -> Source | DerivedView:
        """The facts that its windows go through."""
        return self.source

    @property
    def root(self) -> Source:
        return self.source.root

    @property
    def columns_read(self) -> frozenset[str] | None:
        """The columns of its source that its values depend on, beside the clocks; None: all of them.

        An operation that goes by the order of facts depends on all columns, since that order ends with them (S9).
        """
        if any(window_operation(feature.operation).goes_by_order for feature in self.aggregations):
            return None
        texts = [text for feature in self.aggregations for text in (feature.input, feature.where) if text is not None]
        return frozenset(self.key_names).union(*(text.columns for text in texts))

    @property
    def cut_delay_us(self) -> int:
        return duration_us(self.cut_delay, where=self.where) if self.cut_delay else self.source.landing_delay_us

    @property
    def publish_delay_us(self) -> int:
        return duration_us(self.publish_delay, where=self.where) if self.publish_delay else self.cut_delay_us
