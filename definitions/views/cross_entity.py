"""Cross-entity views: an entity beside its group."""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import ClassVar

from definitions.comparisons import Comparison
from definitions.entities import Entity
from definitions.errors import DefinitionError, UnknownName
from definitions.features import Feature, Formula
from definitions.names import check_name
from definitions.outputs import unique, with_formulas
from definitions.sources import Source
from definitions.tables import SnapshotTable
from definitions.views.aggregate import AggregateView, Freshness


class Unknown(StrEnum):
    """Entities whose group is unknown form a group of their own, or are compared with no other (all null)."""

    OWN_GROUP = "own_group"
    NO_GROUP = "no_group"


@dataclass(frozen=True)
class Group:
    """Which entities are compared with each other: those with equal `by` columns of a static source.

    `by=()` is everyone.
    """

    source: Source | None = None
    by: tuple[str, ...] = ()
    unknown: Unknown = Unknown.OWN_GROUP

    def __post_init__(self) -> None:
        if self.source is not None and not self.source.is_static:
            raise DefinitionError(
                f"group by '{self.source.name}': only static sources can give membership; this one is "
                f"{self.source.kind} (S26)."
            )
        for column in self.by:
            if self.source is None or column not in self.source.schema:
                raise UnknownName(
                    f"group: '{column}' is not a column of '{self.source.name if self.source else 'nothing'}'."
                )


EVERYONE = Group()


@dataclass(frozen=True)
class CrossEntityView(SnapshotTable):
    """An entity beside its group, at the same T and cut as the aggregate view it compares (S13, S26)."""

    name: str
    entity: Entity = field(kw_only=True)
    of: AggregateView = field(kw_only=True)
    version: int = field(kw_only=True)
    owner: str = field(kw_only=True)
    features: tuple[Comparison | Formula, ...] = field(kw_only=True)
    group: Group = field(default=EVERYONE, kw_only=True)
    exclude_self: bool = field(default=False, kw_only=True)
    min_members: int = field(default=1, kw_only=True)
    doc: str = field(default="", kw_only=True)
    layer: str = field(default="cross_entity", init=False)
    driver: ClassVar[None] = None
    columns_read: ClassVar[None] = None

    def __post_init__(self) -> None:
        check_name(self.name, "view")
        if self.entity != self.of.entity:
            raise DefinitionError(
                f"{self.where}: its entity is '{self.entity.name}' but '{self.of.name}' describes "
                f"'{self.of.entity.name}'."
            )
        if self.group.source is not None:
            for key, type_ in self.entity.keys:
                if self.group.source.schema.get(key) != type_:
                    raise DefinitionError(
                        f"{self.where}: group source '{self.group.source.name}' has no key '{key}' of type {type_}."
                    )
            identity = self.group.source.identity
            if not identity or not set(identity) <= set(self.entity.key_names):
                raise DefinitionError(
                    f"{self.where}: '{self.group.source.name}' can put one {self.entity.name} into several groups; "
                    f"a group source's identity must be the entity's keys ({', '.join(self.entity.key_names)})."
                )
        if not self.outputs:
            raise DefinitionError(f"{self.where} declares no feature to publish; add one, e.g. members().")

    @cached_property
    def outputs(self) -> tuple[Feature, ...]:
        """The comparisons, then the expressions; each expression reads the features above it."""
        of = {feature.name: feature for feature in self.of.published}
        comparisons = (declared for declared in self.features if isinstance(declared, Comparison))
        expanded = (comparison.expand(of, where=self.where) for comparison in comparisons)
        compared = unique(expanded, self.where, self.entity.key_names)
        return with_formulas(compared, self.features, self.entity, readable={}, where=self.where)

    @property
    def published(self) -> tuple[Feature, ...]:
        return self.outputs

    @property
    def upstream(self) -> tuple[AggregateView | Source, ...]:
        return (self.of, self.group.source) if self.group.source else (self.of,)

    @property
    def root(self) -> Source:
        """The source of the facts that the compared features are made of."""
        return self.of.root

    @property
    def cut_delay_us(self) -> int:
        return self.of.cut_delay_us

    @property
    def publish_delay_us(self) -> int:
        return self.of.publish_delay_us

    @property
    def freshness(self) -> Freshness:
        return self.of.freshness
