"""Operations by name: one table, built from the files of this package."""

import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import TypeVar

from definitions import operations
from definitions.errors import DefinitionError, UnknownName, did_you_mean
from definitions.operations.declared import GroupOperation, WindowOperation

Declared = TypeVar("Declared")


def window_operation(name: str, *, where: str = "") -> WindowOperation:
    """The aggregate of that name; raises UnknownName."""
    return _known(name, window_operations(), where)


def group_operation(name: str, *, where: str = "") -> GroupOperation:
    """The comparison of that name; raises UnknownName."""
    return _known(name, group_operations(), where)


def semantic_version(name: str) -> int:
    """The version of an operation's meaning (S35); 1 for `expression`, whose meaning is its text alone."""
    declared = _declared(name)
    return declared.version if declared else 1


def is_online(name: str) -> bool:
    """Whether an online store may serve the operation's values; true for `expression`."""
    declared = _declared(name)
    return declared is None or declared.is_online


@cache
def window_operations() -> Mapping[str, WindowOperation]:
    """Every aggregate over windows: what the files of this package declare as OPERATION.

    Raises DefinitionError where a file and its operation have different names.
    """
    table: dict[str, WindowOperation] = {}
    for module in modules_in(operations):
        operation = getattr(module, "OPERATION", None)
        if operation is not None:
            require_own_name(module, operation.name)
            table[operation.name] = operation
    return table


@cache
def group_operations() -> Mapping[str, GroupOperation]:
    """Every comparison with a group: what the files of this package declare as COMPARISONS."""
    return {
        operation.name: operation
        for module in modules_in(operations)
        for operation in getattr(module, "COMPARISONS", ())
    }


def modules_in(package: ModuleType) -> Iterator[ModuleType]:
    """The modules of a package, imported, in order of their names; also from inside a zip."""
    for name in sorted(module.name for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")):
        yield import_module(name)


def require_own_name(module: ModuleType, name: str) -> None:
    """Raises DefinitionError unless the operation has the name of its file."""
    if module.__name__.rpartition(".")[2] != name:
        raise DefinitionError(f"{module.__name__} holds the operation '{name}'; give both the same name.")


def _declared(name: str) -> WindowOperation | GroupOperation | None:
    return window_operations().get(name) or group_operations().get(name)


def _known(name: str, table: Mapping[str, Declared], where: str) -> Declared:
    if name not in table:
        label = f"{where}: " if where else ""
        raise UnknownName(f"{label}unknown operation '{name}'.{did_you_mean(name, table)}")
    return table[name]
