"""Derived views, row by row of their source, and the look-ups that bring columns of others."""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from definitions.errors import DefinitionError, UnknownName, did_you_mean
from definitions.features import Feature, Formula
from definitions.outputs import unique
from definitions.sources import RESERVED, Source, check_name


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
        return unique(formulas, self.where, set(self.source.schema) - RESERVED | set(self.looked_up))

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
