"""Every definition by name. Any importable package can be the definitions; the import graph is the lineage graph."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from definitions.errors import DefinitionError, UnknownName, ZigguratError, did_you_mean
from definitions.importing import Importing
from definitions.labels import Label
from definitions.layers import LAYERS
from definitions.services import FeatureService
from definitions.views import Definition

SHIPPED = "features"
Named = TypeVar("Named", FeatureService, Label)


def key_of(definition: Definition) -> str:
    """`aggregate/household_spend/v1`: the name of a definition's table, everywhere."""
    return f"{definition.layer}/{definition.name}/v{definition.version}"


@dataclass(frozen=True)
class Registry:
    """Definitions, sorted so that each comes after what it reads; and the services and labels made of them.

    problems: of what could not be imported; what depends on it is missing here. See `load`.
    """

    package: str
    definitions: tuple[Definition, ...]
    services: tuple[FeatureService, ...] = ()
    labels: tuple[Label, ...] = ()
    problems: tuple[ZigguratError, ...] = ()

    @cached_property
    def by_key(self) -> Mapping[str, Definition]:
        return {key_of(definition): definition for definition in self.definitions}

    def get(self, name: str) -> Definition:
        """By name (`household_spend`: its newest version), name and version (`household_spend/v1`) or whole key."""
        matches = [d for key, d in self.by_key.items() if name in (d.name, f"{d.name}/v{d.version}", key)]
        if not matches:
            raise UnknownName(
                f"no view or source is called '{name}' in "
                f"'{self.package}'.{did_you_mean(name, {d.name for d in self.definitions})}"
            )
        return max(matches, key=lambda definition: definition.version)

    def service(self, name: str) -> FeatureService:
        return _named(self.services, name, "feature service", self.package)

    def label(self, name: str) -> Label:
        return _named(self.labels, name, "label", self.package)

    def select(self, patterns: Iterable[str]) -> tuple[Definition, ...]:
        """`VIEW`: it and all it needs. `VIEW+`: also everything built on it, and what that needs.

        Nothing: everything.
        """
        wanted: set[str] = set()
        for pattern in patterns:
            name = key_of(self.get(pattern.removesuffix("+")))
            wanted |= self.needed_by(name)
            if pattern.endswith("+"):
                for dependent in self.built_on(name):
                    wanted |= self.needed_by(dependent)
        return tuple(d for key, d in self.by_key.items() if not wanted or key in wanted)

    def needed_by(self, key: str) -> set[str]:
        upstream = [key_of(source) for source in self.by_key[key].upstream]
        return {key}.union(*(self.needed_by(source) for source in upstream))

    def built_on(self, key: str) -> set[str]:
        return {other for other in self.by_key if other != key and key in self.needed_by(other)}


def _named(among: Sequence[Named], name: str, what: str, package: str) -> Named:
    for named in among:
        if named.name == name:
            return named
    names = {named.name for named in among}
    raise UnknownName(f"no {what} is called '{name}' in '{package}'.{did_you_mean(name, names)}")


def documentation(definition: Definition) -> str:
    """The definition's `doc`, else the docstring of the module that has its name and declares it."""
    if definition.doc:
        return definition.doc
    for name, module in list(sys.modules.items()):
        if name.endswith(f".{definition.name}") and getattr(module, definition.name, None) is definition:
            return " ".join((module.__doc__ or "").split())
    return ""


def load(package: str = SHIPPED, *, keep_going: bool = False) -> Registry:
    """Import every module of the package and collect what it declares.

    keep_going: what can't be imported is a problem of the registry, and the rest is loaded: other modules, and other
    statements of the same one. Otherwise, and where nothing at all could be loaded, its error is raised.
    """
    importing = Importing(keep_going=keep_going)
    definitions: dict[str, Definition] = {}
    services: dict[str, FeatureService] = {}
    labels: dict[str, Label] = {}
    for module in importing.modules(package):
        for variable, value in vars(module).items():
            path = f"{module.__name__}.{variable}"
            if isinstance(value, Definition):
                _add(value, definitions, path)
            elif isinstance(value, FeatureService):
                _add_named(value, services, path)
            elif isinstance(value, Label):
                _add_named(value, labels, path)
    problems = importing.problems
    if not definitions and problems:
        raise problems[0]
    if not definitions:
        raise DefinitionError(
            f"package '{package}' declares no source and no view; `ziggurat init` writes one to start from."
        )
    _refuse_two_layers(definitions.values())
    ordered = tuple(sorted(definitions.values(), key=_depth))
    return Registry(package, ordered, tuple(services.values()), tuple(labels.values()), problems)


def _refuse_two_layers(definitions: Iterable[Definition]) -> None:
    layers: dict[str, str] = {}
    for definition in definitions:
        other = layers.setdefault(definition.name, definition.layer)
        if other != definition.layer:
            raise DefinitionError(
                f"'{definition.name}' is declared in two layers, {other} and {definition.layer}; rename one of the two."
            )


def _add(value: Definition, definitions: dict[str, Definition], path: str) -> None:
    for upstream in value.upstream:
        _add(upstream, definitions, path)
    if definitions.setdefault(key_of(value), value) is not value:
        raise DefinitionError(
            f"{path}: there are two definitions called {key_of(value)}; give one of them another name or version."
        )


def _add_named(value: Named, named: dict[str, Named], path: str) -> None:
    if named.setdefault(value.name, value) is not value:
        raise DefinitionError(f"{path}: there are two called '{value.name}'; give one of them another name.")


def _depth(definition: Definition) -> tuple[int, int, str]:
    def steps(view: Definition) -> int:
        return 1 + max((steps(upstream) for upstream in view.upstream), default=0)

    return LAYERS.index(definition.layer), steps(definition), key_of(definition)
