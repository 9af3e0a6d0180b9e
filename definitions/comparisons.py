"""Comparisons as a cross-entity view declares them: one operation over one feature of the view that it compares."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from definitions.errors import DefinitionError, UnknownName, did_you_mean
from definitions.features import Feature, Limits, quantum_divisor
from definitions.operations.declared import INTEGERS, GroupOperation
from definitions.operations.table import group_operation


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A declared comparison with the group: one feature, named `{named or input}_{operation}`."""

    operation: str
    input: str = ""
    named: str = ""
    quantum: str = ""
    unit: str = ""
    limits: Limits = field(default_factory=Limits)
    doc: str = ""

    def expand(self, of: Mapping[str, Feature], *, where: str) -> Feature:
        """The feature, given those of the compared view by name. Raises DefinitionError."""
        declared = group_operation(self.operation, where=where)
        divisor = self._divisor(declared, of, where) if declared.needs_input else 1
        return Feature(
            name=f"{self.named or self.input}_{self.operation}"
            if declared.needs_input
            else self.named or declared.name,
            type=declared.result.of("double"),
            operation=self.operation,
            of=self.input if declared.needs_input else "",
            unit=self.unit,
            divisor=divisor,
            limits=self.limits,
            doc=self.doc,
        )

    def _divisor(self, declared: GroupOperation, of: Mapping[str, Feature], where: str) -> int:
        """How many quanta make one unit of the compared feature: as declared here, else as it declares."""
        if self.input not in of:
            raise UnknownName(
                f"{where}: '{self.input}' is not a feature of the view it compares.{did_you_mean(self.input, of)}"
            )
        compared = of[self.input]
        label = f"{where}, feature '{self.input}_{self.operation}'"
        if compared.type not in (*INTEGERS, "double"):
            raise DefinitionError(f"{label}: {self.operation} needs numbers, found {compared.type}.")
        divisor = quantum_divisor(self.quantum, label) if self.quantum else compared.divisor
        if declared.in_quanta and compared.type == "double" and divisor == 1 and not self.quantum:
            raise DefinitionError(
                f"{label}: a mean of doubles needs a quantum to be reproducible (S24); add e.g. quantum='0.0001'."
            )
        return divisor


class DeclaresComparison(Protocol):
    """The signature of `ratio_to_mean`, `rank`, …"""

    def __call__(
        self,
        input: str = "",
        *,
        named: str = "",
        quantum: str = "",
        unit: str = "",
        at_least: float | None = None,
        at_most: float | None = None,
        max_null_share: float = 1.0,
        doc: str = "",
    ) -> Comparison: ...


def comparison(operation: GroupOperation) -> DeclaresComparison:
    """The word that declares the operation in a view: `rank = comparison(RANK)`."""

    def declare(
        input: str = "",
        *,
        named: str = "",
        quantum: str = "",
        unit: str = "",
        at_least: float | None = None,
        at_most: float | None = None,
        max_null_share: float = 1.0,
        doc: str = "",
    ) -> Comparison:
        return Comparison(
            operation=operation.name,
            input=input,
            named=named,
            quantum=quantum,
            unit=unit,
            limits=Limits(at_least=at_least, at_most=at_most, max_null_share=max_null_share),
            doc=doc,
        )

    declare.__name__ = operation.word
    declare.__doc__ = f"Declare `{operation.name}` within the view's group; see Comparison."
    return declare
