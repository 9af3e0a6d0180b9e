"""Kernels by name: one table, built from the files of this package."""

from collections.abc import Mapping
from functools import cache

from definitions.errors import DefinitionError
from definitions.operations.table import modules_in, require_own_name, window_operation, window_operations
from kernels import operations
from kernels.operations.kernel import Kernel


def kernel(name: str, *, where: str = "") -> Kernel:
    """The kernel of that operation; raises UnknownName."""
    return kernels()[window_operation(name, where=where).name]


@cache
def kernels() -> Mapping[str, Kernel]:
    """What the files of this package hold as KERNEL.

    Raises DefinitionError where an operation is declared without a kernel, or a kernel's operation is not declared.
    """
    table: dict[str, Kernel] = {}
    for module in modules_in(operations):
        operation = getattr(module, "KERNEL", None)
        if operation is not None:
            require_own_name(module, operation.name)
            table[operation.name] = operation
    incomplete = sorted(table.keys() ^ window_operations().keys())
    if incomplete:
        raise DefinitionError(
            f"operations in one of definitions/operations and kernels/operations only: {', '.join(incomplete)}; "
            "each needs a file in both"
        )
    return table
