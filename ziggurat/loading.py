"""Load a project's definitions by their configured name, and explain a failure that comes from a clash of names."""

import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from definitions.errors import DefinitionError, ZigguratError, did_you_mean
from definitions.registry import Registry, load
from ziggurat.own_packages import PACKAGES, hidden_in, hidden_note
from ziggurat.settings import ConfigurationError, Resolved


def load_definitions(package: str, *, keep_going: bool = False) -> Registry:
    """The definitions of this package, from the working directory if it lies there; keep_going: see `registry.load`.

    Raises ConfigurationError for a package that has the name of one of ours, DefinitionError for definitions that
    can't be imported. Where they import a package of the project that ours hides, the error says so.
    """
    _refuse_our_names(package)
    # Definitions are usually a package in the working directory; a console script does not look there by itself.
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        registry = load(package, keep_going=keep_going)
    except DefinitionError as error:
        raise _explained(error) from error.__cause__
    return replace(registry, problems=tuple(map(_explained, registry.problems)))


def _explained(error: ZigguratError) -> ZigguratError:
    """The error, with the package of the project that ours hides where its import failed for that."""
    hidden = _hidden_import(error.__cause__)
    if hidden is None:
        return error
    explained = DefinitionError(f"{str(error).rstrip('.')}. {hidden_note(hidden)}.")
    explained.__cause__ = error.__cause__
    return explained


def refuse_unknown_sources(resolved: Resolved, registry: Registry) -> None:
    """Raises ConfigurationError for a configured source that no definition declares; the defaults' are the demo's.

    Not where a module could not be imported: it may declare the source.
    """
    if registry.problems:
        return
    declared = {definition.name for definition in registry.definitions if definition.is_delivered}
    for name in resolved.settings.sources:
        origins = {origin for key, origin in resolved.origins.items() if key.startswith(f"sources.{name}.")}
        if name not in declared and origins - {"conf/base.yaml"}:
            raise ConfigurationError(
                f"setting 'sources.{name}' (from {', '.join(sorted(origins))}): '{registry.package}' declares no "
                f"source of that name.{did_you_mean(name, declared)}"
            )


def _refuse_our_names(package: str) -> None:
    if package.partition(".")[0] in PACKAGES:
        raise ConfigurationError(
            f"setting 'definitions' is '{package}', and `{package.partition('.')[0]}` is a package of Ziggurat's own; "
            "give yours another name, e.g. my_features."
        )


def _hidden_import(cause: BaseException | None) -> Path | None:
    """The package in the working directory that this failed import meant, if one of ours hides it."""
    module = ""
    if isinstance(cause, ImportError):
        module = cause.name or ""
    elif isinstance(cause, AttributeError) and isinstance(cause.obj, ModuleType):
        module = cause.obj.__name__
    name = module.partition(".")[0]
    return next((path for path in hidden_in(Path.cwd()) if path.stem == name), None)
