"""Labels: what a model predicts, for which entities and at which label times (S27)."""

from dataclasses import dataclass, field

from definitions.durations import duration_us, instant_us
from definitions.entities import Entity
from definitions.errors import DefinitionError
from definitions.names import check_name
from definitions.sources import Kind, Source


@dataclass(frozen=True)
class Every:
    """Label times `first`, `first + step`, … up to the newest event; at each of them, every entity seen before it."""

    first: str
    step: str

    def __post_init__(self) -> None:
        instant_us(self.first, where="first label time")
        if duration_us(self.step, where="step of label times") == 0:
            raise DefinitionError("label times need a step longer than 0s.")


@dataclass(frozen=True)
class AtStart:
    """One label time per fact of `source`: its event time.

    Its entities are those in the rows of `members`, a static source, that have the same identity columns as the fact.
    """

    source: Source
    members: Source

    def __post_init__(self) -> None:
        if self.source.is_static or not self.members.is_static:
            raise DefinitionError(
                f"label times at '{self.source.name}' with members of '{self.members.name}': the first needs a clock, "
                "and the second must be static: its rows count at every label time."
            )
        if not self.on:
            raise DefinitionError(f"'{self.source.name}' and '{self.members.name}' have no column in common.")

    @property
    def on(self) -> tuple[str, ...]:
        return tuple(name for name in self.members.schema if name in self.source.identity)


@dataclass(frozen=True)
class Label:
    """Whether a fact of `source` follows within `horizon` of a label time t, for the entities of its keys.

    column: the name of the label in the spine, a boolean: true if such a fact follows (`is_absence`: if none does),
    null if the data end before the horizon does. seen_in: an entity is in the spine at t if this source has a fact of
    it that was known by then; the keys that both have are compared.
    """

    name: str
    entities: tuple[Entity, ...] = field(kw_only=True)
    source: Source = field(kw_only=True)
    column: str = field(kw_only=True)
    horizon: str = field(kw_only=True)
    at: Every | AtStart = field(kw_only=True)
    owner: str = field(kw_only=True)
    is_absence: bool = field(default=False, kw_only=True)
    seen_in: Source | None = field(default=None, kw_only=True)
    doc: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        check_name(self.name, "label")
        check_name(self.column, self.where)
        if not self.column.startswith(("is_", "has_")):
            raise DefinitionError(f"{self.where}: '{self.column}' is a boolean; call it is_… or has_… .")
        if self.source.kind is not Kind.EVENTS:
            raise DefinitionError(f"{self.where}: '{self.source.name}' is {self.source.kind}; labels need events.")
        if duration_us(self.horizon, where=f"{self.where}, horizon") == 0:
            raise DefinitionError(f"{self.where}: a horizon without length contains no fact; make it longer, e.g. 30d.")
        for key, type_ in self.keys:
            if self.source.schema.get(key) != type_:
                raise DefinitionError(f"{self.where}: '{self.source.name}' has no key '{key}' of type {type_}.")
        if not self.seen_by:
            raise DefinitionError(
                f"{self.where}: '{self.seen.name}' has none of its keys, so no entity can be found there."
            )

    @property
    def where(self) -> str:
        return f"label '{self.name}'"

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        return tuple(dict.fromkeys(pair for entity in self.entities for pair in entity.keys))

    @property
    def key_names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.keys)

    @property
    def horizon_us(self) -> int:
        return duration_us(self.horizon)

    @property
    def seen(self) -> Source:
        return self.seen_in or self.source

    @property
    def seen_by(self) -> tuple[str, ...]:
        """The keys by which an entity is looked for among the facts of `seen`."""
        return tuple(name for name in self.key_names if name in self.seen.schema)
