"""Aggregations as a view declares them: one operation over one input, in each window a feature of its own."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from definitions.durations import Window
from definitions.errors import DefinitionError
from definitions.expressions import Expression, parse_expression
from definitions.features import Feature, Limits, quantum_divisor
from definitions.operations.declared import Reads, Result, WindowOperation, is_fraction
from definitions.operations.table import window_operation


@dataclass(frozen=True, kw_only=True)
class Aggregation:
    """A declared aggregation; every window of it is one feature, named `{named or input}_{operation}_{window}`."""

    operation: str
    input: str = ""
    named: str = ""
    where: str = ""
    windows: tuple[str, ...] = ()
    unit: str = ""
    quantum: str = ""
    limits: Limits = field(default_factory=Limits)
    hidden: bool = False
    doc: str = ""

    def expand(self, schema: Mapping[str, str], windows: tuple[str, ...], *, where: str) -> list[Feature]:
        """One feature per window: of the aggregation itself, else of its view. Raises DefinitionError."""
        declared = window_operation(self.operation, where=where)
        stem = self._stem(where)
        label = f"{where}, feature '{stem}_{self.operation}'"
        if not self.windows and not windows:
            raise DefinitionError(f"{label} has no window; give the view or the feature windows=('30d', LIFETIME).")
        value = parse_expression(self.input, schema, where=label) if self.input else None
        mask = self._mask(schema, label)
        type_, divisor = self._result(declared, value, label)
        return [
            Feature(
                name=f"{stem}_{self.operation}_{window.label}",
                type=type_,
                operation=self.operation,
                input=value,
                where=mask,
                window=window,
                unit=self.unit,
                divisor=divisor,
                limits=self.limits,
                hidden=self.hidden,
                doc=self.doc,
            )
            for window in map(Window, self.windows or windows)
        ]

    def _stem(self, where: str) -> str:
        stem = self.named or self.input
        if not re.fullmatch(r"[a-z][a-z0-9_]*", stem):
            raise DefinitionError(
                f"{where}: {self.operation} of '{self.input}' needs a name; add named='…' (small letters, digits, _)."
            )
        return stem

    def _mask(self, schema: Mapping[str, str], label: str) -> Expression | None:
        if not self.where:
            return None
        mask = parse_expression(self.where, schema, where=f"{label}, where")
        if mask.type != "boolean":
            raise DefinitionError(f"{label}: where='{self.where}' is {mask.type}; a filter must be boolean.")
        return mask

    def _result(self, declared: WindowOperation, value: Expression | None, label: str) -> tuple[str, int]:
        """The published type, and the divisor that the quantum stands for: 1 where nothing is added up."""
        if value is None:
            if declared.reads is not Reads.ROWS:
                raise DefinitionError(f"{label}: {self.operation} needs an input column.")
            return declared.result.of(""), 1
        divisor = 1 if declared.result is Result.COUNT else quantum_divisor(self.quantum, label)
        if not declared.accepts.fits(value.type):
            raise DefinitionError(f"{label}: {self.operation} needs {declared.accepts}, found {value.type}.")
        if declared.reads is not Reads.QUANTA:
            return declared.result.of(value.type), 1
        if is_fraction(value.type) and not self.quantum:
            raise DefinitionError(
                f"{label}: {self.operation} of {value.type} needs a quantum to be reproducible (S24); add e.g. "
                "quantum='0.01'."
            )
        return declared.result.of(value.type), divisor


class DeclaresAggregation(Protocol):
    """The signature of `sum_of`, `mean`, …"""

    def __call__(
        self,
        input: str = "",
        *,
        named: str = "",
        where: str = "",
        windows: tuple[str, ...] = (),
        unit: str = "",
        quantum: str = "",
        at_least: float | None = None,
        at_most: float | None = None,
        max_null_share: float = 1.0,
        hidden: bool = False,
        doc: str = "",
    ) -> Aggregation: ...


def aggregation(operation: WindowOperation) -> DeclaresAggregation:
    """The word that declares the operation in a view: `sum_of = aggregation(OPERATION)`."""

    def declare(
        input: str = "",
        *,
        named: str = "",
        where: str = "",
        windows: tuple[str, ...] = (),
        unit: str = "",
        quantum: str = "",
        at_least: float | None = None,
        at_most: float | None = None,
        max_null_share: float = 1.0,
        hidden: bool = False,
        doc: str = "",
    ) -> Aggregation:
        return Aggregation(
            operation=operation.name,
            input=input,
            named=named,
            where=where,
            windows=windows,
            unit=unit,
            quantum=quantum,
            limits=Limits(at_least=at_least, at_most=at_most, max_null_share=max_null_share),
            hidden=hidden,
            doc=doc,
        )

    declare.__name__, declare.__doc__ = operation.word, f"Declare `{operation.name}` over windows; see Aggregation."
    return declare
