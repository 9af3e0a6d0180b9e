"""Entities: what features describe, e.g. a household or a product."""

from dataclasses import dataclass

from definitions.errors import DefinitionError
from definitions.names import check_name
from definitions.types import check_type, type_named


@dataclass(frozen=True)
class Entity:
    """What features describe, and the join keys (name and type) that name one of it; key types are fixed for good."""

    name: str
    keys: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        check_name(self.name, "entity")
        if not self.keys:
            raise DefinitionError(f"entity '{self.name}' has no join key; give at least one (name, type).")
        for key, type_ in self.keys:
            check_name(key, f"entity '{self.name}'")
            check_type(type_, f"entity '{self.name}', key '{key}'")
            if not type_named(type_).may_be_key:
                raise DefinitionError(
                    f"entity '{self.name}': key '{key}' is a {type_}; float keys are refused (S17), use bigint or "
                    "string."
                )

    @property
    def key_names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.keys)
