"""The three kinds of view above raw. Each validates itself when it is written: an impossible view can't exist."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from features.durations import duration_us
from features.errors import DefinitionError, UnknownName, did_you_mean
from features.feature import Aggregation, Comparison, Feature, Formula
from features.sources import RESERVED, Entity, Source, check_name

LOOKED_UP = "string,boolean,int,bigint,double,date,timestamp,decimal"


class Duplicates(StrEnum):
    """What a look-up does when several newest facts match: stop, take the first in S9's order, or `or` the booleans."""

    REFUSE = "refuse"
    LATEST = "latest"
    ANY_TRUE = "any_true"


@dataclass(frozen=True)
class Lookup:
    """Columns taken from the newest fact of another source with an earlier or equal event time that is known (S13)."""

    source: "Source | DerivedView"
    on: tuple[str, ...]
    take: tuple[str, ...]
    duplicates: Duplicates = Duplicates.REFUSE


def lookup(
    source: "Source | DerivedView",
    *,
    on: tuple[str, ...],
    take: tuple[str, ...],
    duplicates: Duplicates = Duplicates.REFUSE,
) -> Lookup:
    return Lookup(source, on, take, duplicates)


@dataclass(frozen=True)
class Freshness:
    """How often a snapshot is due."""

    name: str
    every: str


DAILY = Freshness("daily", "1d")
WEEKLY = Freshness("weekly", "7d")


def _unique(features: Iterable[Feature], where: str, taken: Iterable[str]) -> tuple[Feature, ...]:
    seen = set(taken) | RESERVED
    kept = tuple(features)
    for feature in kept:
        check_name(feature.name, where)
        if feature.name in seen:
            raise DefinitionError(
                f"{where}: two columns would be called '{feature.name}'; give one of them another name with named=… ."
            )
        seen.add(feature.name)
    return kept


def _with_formulas(
    expanded: tuple[Feature, ...],
    declared: Iterable[object],
    entity: Entity,
    *,
    readable: Mapping[str, str],
    where: str,
) -> tuple[Feature, ...]:
    """The expanded features, then the declared expressions; each reads `readable` and all features above it."""
    found = list(expanded)
    for each in declared:
        if isinstance(each, Formula):
            schema = {feature.name: feature.type for feature in found} | dict(readable)
            found.append(each.expand(schema, where=where))
    return _unique(found, where, entity.key_names)


@dataclass(frozen=True)
class DerivedView:
    """One row per row of its source: all its columns, the looked-up ones and expressions over both.

    Clocks and identity are the source's.
    includes_label_instant: joined to a label at t, a row of t itself counts (S14).
    """

    name: str
    source: "Source | DerivedView" = field(kw_only=True)
    version: int = field(kw_only=True)
    owner: str = field(kw_only=True)
    lookups: tuple[Lookup, ...] = field(default=(), kw_only=True)
    features: tuple[Formula, ...] = field(default=(), kw_only=True)
    includes_label_instant: bool = field(default=False, kw_only=True)
    doc: str = field(default="", kw_only=True)
    layer: str = field(default="derived", init=False)

    def __post_init__(self) -> None:
        check_name(self.name, "view")
        if self.source.is_static:
            raise DefinitionError(
                f"{self.where}: its source '{self.source.name}' is static; a derived view needs a source with a clock "
                "(S10)."
            )
        if not self.features and not self.lookups:
            raise DefinitionError(
                f"{self.where} adds nothing to '{self.source.name}'; give it features or lookups, or use the source "
                "itself."
            )
        self.outputs  # noqa: B018  validated where it is written

    @property
    def where(self) -> str:
        return f"view '{self.name}' v{self.version}"

    @cached_property
    def looked_up(self) -> dict[str, str]:
        """The columns that look-ups add, with their types."""
        added: dict[str, str] = {}
        for each in self.lookups:
            if not each.on:
                raise DefinitionError(
                    f"{self.where}: the look-up of '{each.source.name}' has no key; give on=('…',), columns of both."
                )
            if twice := sorted({c for c in each.take if c in {*self.source.schema, *added} or each.take.count(c) > 1}):
                raise DefinitionError(
                    f"{self.where}: two columns would be called '{twice[0]}'; "
                    f"don't take it from '{each.source.name}', or give it another name in a view of that source."
                )
            for column in (*each.on, *each.take):
                if column not in each.source.schema:
                    raise UnknownName(
                        f"{self.where}: '{column}' is not a column of "
                        f"'{each.source.name}'.{did_you_mean(column, each.source.schema)}"
                    )
            for key in each.on:
                if key not in self.source.schema:
                    raise UnknownName(
                        f"{self.where}: look-up key '{key}' is not a column of "
                        f"'{self.source.name}'.{did_you_mean(key, self.source.schema)}"
                    )
                if self.source.schema[key] != each.source.schema[key]:
                    raise DefinitionError(
                        f"{self.where}: look-up key '{key}' is {self.source.schema[key]} here and "
                        f"{each.source.schema[key]} in '{each.source.name}'."
                    )
            if each.duplicates is Duplicates.ANY_TRUE and any(each.source.schema[c] != "boolean" for c in each.take):
                raise DefinitionError(
                    f"{self.where}: duplicates=ANY_TRUE takes booleans only, from '{each.source.name}'."
                )
            added |= {column: each.source.schema[column] for column in each.take}
        return added

    @cached_property
    def outputs(self) -> tuple[Feature, ...]:
        schema = self.source.schema | self.looked_up
        formulas = (formula.expand(schema, where=self.where) for formula in self.features)
        return _unique(formulas, self.where, set(self.source.schema) - RESERVED | set(self.looked_up))

    @cached_property
    def schema(self) -> dict[str, str]:
        return self.source.schema | self.looked_up | {feature.name: feature.type for feature in self.outputs}

    @property
    def upstream(self) -> "tuple[Source | DerivedView, ...]":
        return (self.source, *(each.source for each in self.lookups))

    @property
    def root(self) -> Source:
        """The source whose identity, clocks and partitions this view keeps."""
        return self.source if isinstance(self.source, Source) else self.source.root

    @property
    def is_static(self) -> bool:
        return False

    @property
    def landing_delay_us(self) -> int:
        return max(source.landing_delay_us for source in self.upstream)


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
        return _unique(found, self.where, self.entity.key_names)

    @cached_property
    def outputs(self) -> tuple[Feature, ...]:
        """Every feature in declared order.

        An expression reads aggregates, `as_of`, and expressions declared above it.
        """
        readable = {"as_of": "timestamp"} | dict(self.entity.keys)
        return _with_formulas(self.aggregations, self.features, self.entity, readable=readable, where=self.where)

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


class Unknown(StrEnum):
    """Entities whose group is unknown form a group of their own, or are compared with nobody (all null)."""

    OWN_GROUP = "own_group"
    NO_GROUP = "no_group"


@dataclass(frozen=True)
class Group:
    """Which entities are compared with each other: those with equal `by` columns of a static source.

    By=() is everyone.
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
class CrossEntityView:
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

    @property
    def where(self) -> str:
        return f"view '{self.name}' v{self.version}"

    @cached_property
    def outputs(self) -> tuple[Feature, ...]:
        of = {feature.name: feature for feature in self.of.published}
        expanded = (each.expand(of, where=self.where) for each in self.features if isinstance(each, Comparison))
        compared = _unique(expanded, self.where, self.entity.key_names)
        return _with_formulas(compared, self.features, self.entity, readable={}, where=self.where)

    @property
    def published(self) -> tuple[Feature, ...]:
        return self.outputs

    @property
    def upstream(self) -> tuple[AggregateView | Source, ...]:
        return (self.of, self.group.source) if self.group.source else (self.of,)

    @property
    def cut_delay_us(self) -> int:
        return self.of.cut_delay_us

    @property
    def publish_delay_us(self) -> int:
        return self.of.publish_delay_us

    @property
    def freshness(self) -> Freshness:
        return self.of.freshness


View = DerivedView | AggregateView | CrossEntityView
Snapshot = AggregateView | CrossEntityView
Definition = Source | View
