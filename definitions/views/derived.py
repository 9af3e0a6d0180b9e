"""Derived views, row by row of their source, and the look-ups that bring columns of others."""

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import ClassVar

from definitions.errors import DefinitionError, UnknownName, did_you_mean
from definitions.features import Feature, Formula
from definitions.names import RESERVED, check_name
from definitions.outputs import unique
from definitions.sources import Source
from definitions.tables import FactTable, PartitionBy


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

    def columns_added_to(
        self, driver: "Source | DerivedView", *, besides: Collection[str], where: str
    ) -> dict[str, str]:
        """The taken columns with their types; `besides`: what other look-ups add to the same rows of `driver`.

        Raises DefinitionError where keys or names of the two do not fit each other.
        """
        schema, other = driver.schema, self.source.schema
        if not self.on:
            raise DefinitionError(
                f"{where}: the look-up of '{self.source.name}' has no key; give on=('…',), columns of both."
            )
        if clashes := sorted(c for c in self.take if c in {*schema, *besides} or self.take.count(c) > 1):
            raise DefinitionError(
                f"{where}: two columns would be called '{clashes[0]}'; "
                f"don't take it from '{self.source.name}', or give it another name in a view of that source."
            )
        for column in (*self.on, *self.take):
            if column not in other:
                raise UnknownName(
                    f"{where}: '{column}' is not a column of '{self.source.name}'.{did_you_mean(column, other)}"
                )
        for key in self.on:
            if key not in schema:
                raise UnknownName(
                    f"{where}: look-up key '{key}' is not a column of '{driver.name}'.{did_you_mean(key, schema)}"
                )
            if schema[key] != other[key]:
                raise DefinitionError(
                    f"{where}: look-up key '{key}' is {schema[key]} here and {other[key]} in '{self.source.name}'."
                )
        if self.duplicates is Duplicates.ANY_TRUE and any(other[column] != "boolean" for column in self.take):
            raise DefinitionError(f"{where}: duplicates=ANY_TRUE takes booleans only, from '{self.source.name}'.")
        return {column: other[column] for column in self.take}


def lookup(
    source: "Source | DerivedView",
    *,
    on: tuple[str, ...],
    take: tuple[str, ...],
    duplicates: Duplicates = Duplicates.REFUSE,
) -> Lookup:
    """Declare that a derived view takes columns of another source, by key columns that both have."""
    return Lookup(source, on, take, duplicates)


@dataclass(frozen=True)
class DerivedView(FactTable):
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
    is_static: ClassVar[bool] = False
    has_constant_delay: ClassVar[bool] = False
    availability: ClassVar[str] = "the latest of all facts that a row is made of"

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
        self.outputs  # noqa: B018  parsed here, so that a view that can't stand is refused where it is written

    @cached_property
    def looked_up(self) -> dict[str, str]:
        """The columns that look-ups add, with their types."""
        added: dict[str, str] = {}
        for lookup in self.lookups:
            added |= lookup.columns_added_to(self.source, besides=added, where=self.where)
        return added

    @cached_property
    def outputs(self) -> tuple[Feature, ...]:
        """The declared expressions, over the columns of the source and the looked-up ones."""
        schema = self.source.schema | self.looked_up
        formulas = (formula.expand(schema, where=self.where) for formula in self.features)
        return unique(formulas, self.where, set(self.source.schema) - RESERVED | set(self.looked_up))

    @property
    def published(self) -> tuple[Feature, ...]:
        """The columns that it adds to its source's: the looked-up ones, then the expressions."""
        looked_up = (Feature(name=name, type=type_, operation="lookup") for name, type_ in self.looked_up.items())
        return (*looked_up, *self.outputs)

    @cached_property
    def schema(self) -> dict[str, str]:
        return self.source.schema | self.looked_up | {feature.name: feature.type for feature in self.outputs}

    @property
    def upstream(self) -> "tuple[Source | DerivedView, ...]":
        return (self.source, *(lookup.source for lookup in self.lookups))

    @property
    def driver(self) -> "Source | DerivedView":
        """The facts that it goes through one by one."""
        return self.source

    @property
    def root(self) -> Source:
        """The source whose identity, clocks and partitions this view keeps."""
        return self.source.root

    @property
    def partition_by(self) -> PartitionBy:
        return self.root.partition_by

    @property
    def landing_delay_us(self) -> int:
        return max(source.landing_delay_us for source in self.upstream)
