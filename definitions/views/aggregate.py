"""Aggregate views: an entity's windows at each as-of."""

from dataclasses import dataclass, field
from functools import cached_property

from definitions.aggregations import Aggregation
from definitions.durations import duration_us
from definitions.errors import DefinitionError
from definitions.features import Feature, Formula
from definitions.outputs import unique, with_formulas
from definitions.sources import Entity, Source, check_name
from definitions.views.derived import DerivedView


@dataclass(frozen=True)
class Freshness:
    """How often a snapshot is due."""

    name: str
    every: str


DAILY = Freshness("daily", "1d")
WEEKLY = Freshness("weekly", "7d")


@dataclass(frozen=True)
class AggregateView:
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
            found = self.source.schema.get(key)
            if found != type_:
                raise DefinitionError(
                    f"{self.where}: join key '{key}' is {type_} in entity '{self.entity.name}' but "
                    f"{found or 'missing'} in '{self.source.name}'."
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

    @property
    def where(self) -> str:
        return f"view '{self.name}' v{self.version}"

    @cached_property
    def aggregations(self) -> tuple[Feature, ...]:
        found = [
            f
            for each in self.features
            if isinstance(each, Aggregation)
            for f in each.expand(self.source.schema, self.windows, where=self.where)
        ]
        return unique(found, self.where, self.entity.key_names)

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
    def cut_delay_us(self) -> int:
        return duration_us(self.cut_delay, where=self.where) if self.cut_delay else self.source.landing_delay_us

    @property
    def publish_delay_us(self) -> int:
        return duration_us(self.publish_delay, where=self.where) if self.publish_delay else self.cut_delay_us
