"""Features: what is declared (`sum_of`, `expression`, …) and what it becomes once a view knows its columns."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from definitions.durations import Window
from definitions.errors import DefinitionError, UnknownName, did_you_mean
from definitions.expressions import Expression, parse_expression

# Operation -> semantic version. A change of meaning raises the number, and so every fingerprint that uses it (S35).
AGGREGATIONS: Mapping[str, int] = {
    "count": 1,
    "sum": 1,
    "mean": 1,
    "min": 1,
    "max": 1,
    "count_distinct": 1,
    "last": 1,
    "first": 1,
    "stddev": 1,
}
COMPARISONS: Mapping[str, int] = {
    "ratio_to_mean": 1,
    "difference_to_mean": 1,
    "percentile_rank": 1,
    "rank": 1,
    "share_of_total": 1,
    "members": 1,
}
_NEEDS_NUMBERS = frozenset({"sum", "mean", "stddev"})
_INTEGERS = frozenset({"int", "bigint"})


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What the gate expects of a published column."""

    at_least: float | None = None
    at_most: float | None = None
    max_null_share: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One published column. `divisor` is how many quanta make one unit: inputs are whole quanta inside (S24)."""

    name: str
    type: str
    operation: str
    input: Expression | None = None
    where: Expression | None = None
    window: Window | None = None
    of: str = ""
    unit: str = ""
    divisor: int = 1
    limits: Limits = field(default_factory=Limits)
    hidden: bool = False
    doc: str = ""


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
        stem = self._stem(where)
        label = f"{where}, feature '{stem}_{self.operation}'"
        if not self.windows and not windows:
            raise DefinitionError(f"{label} has no window; give the view or the feature windows=('30d', LIFETIME).")
        value = parse_expression(self.input, schema, where=label) if self.input else None
        mask = self._mask(schema, label)
        type_, divisor = self._result(value, label)
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

    def _result(self, value: Expression | None, label: str) -> tuple[str, int]:
        """The published type, and the divisor that the quantum stands for."""
        if self.operation in ("count", "count_distinct"):
            return "bigint", 1
        if value is None:
            raise DefinitionError(f"{label}: {self.operation} needs an input column.")
        divisor = quantum_divisor(self.quantum, label)
        fraction = value.type == "double" or value.type.startswith("decimal")
        if self.operation in _NEEDS_NUMBERS:
            if not fraction and value.type not in _INTEGERS:
                raise DefinitionError(f"{label}: {self.operation} needs numbers, found {value.type}.")
            if fraction and not self.quantum:
                raise DefinitionError(
                    f"{label}: {self.operation} of {value.type} needs a quantum to be reproducible (S24); add e.g. "
                    "quantum='0.01'."
                )
            return ("bigint" if self.operation == "sum" and not fraction else "double"), divisor
        # A minimum, maximum, first or last is one of the inputs: nothing is summed, so nothing needs rounding.
        return ("double" if fraction else value.type), 1


@dataclass(frozen=True, kw_only=True)
class Formula:
    """A declared Spark SQL expression over the columns, or over the view's other features."""

    name: str
    text: str
    unit: str = ""
    quantum: str = ""
    limits: Limits = field(default_factory=Limits)
    doc: str = ""

    def expand(self, schema: Mapping[str, str], *, where: str) -> Feature:
        label = f"{where}, feature '{self.name}'"
        value = parse_expression(self.text, schema, where=label)
        return Feature(
            name=self.name,
            type=value.type,
            operation="expression",
            input=value,
            unit=self.unit,
            divisor=quantum_divisor(self.quantum, label),
            limits=self.limits,
            doc=self.doc,
        )


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A declared comparison with the group: one feature, named `{input}_{operation}`."""

    operation: str
    input: str = ""
    named: str = ""
    quantum: str = ""
    unit: str = ""
    limits: Limits = field(default_factory=Limits)
    doc: str = ""

    def expand(self, of: Mapping[str, Feature], *, where: str) -> Feature:
        if self.operation == "members":
            return Feature(
                name=self.named or "members",
                type="bigint",
                operation="members",
                unit=self.unit,
                limits=self.limits,
                doc=self.doc,
            )
        if self.input not in of:
            raise UnknownName(
                f"{where}: '{self.input}' is not a feature of the view it compares.{did_you_mean(self.input, of)}"
            )
        compared = of[self.input]
        label = f"{where}, feature '{self.input}_{self.operation}'"
        if compared.type not in ("int", "bigint", "double"):
            raise DefinitionError(f"{label}: {self.operation} needs numbers, found {compared.type}.")
        divisor = quantum_divisor(self.quantum, label) if self.quantum else compared.divisor
        averages = self.operation in ("ratio_to_mean", "difference_to_mean", "share_of_total")
        if averages and compared.type == "double" and divisor == 1 and not self.quantum:
            raise DefinitionError(
                f"{label}: a mean of doubles needs a quantum to be reproducible (S24); add e.g. quantum='0.0001'."
            )
        return Feature(
            name=f"{self.named or self.input}_{self.operation}",
            type="bigint" if self.operation == "rank" else "double",
            operation=self.operation,
            of=self.input,
            unit=self.unit,
            divisor=divisor,
            limits=self.limits,
            doc=self.doc,
        )


def quantum_divisor(quantum: str, label: str) -> int:
    """`0.01` -> 100. Quanta are powers of ten: one integer division turns a sum of quanta back into units."""
    if not quantum:
        return 1
    try:
        divisor = 1 / Decimal(quantum)
    except (InvalidOperation, ZeroDivisionError):
        divisor = Decimal(0)
    if divisor not in [Decimal(10) ** n for n in range(10)]:
        raise DefinitionError(f"{label}: quantum '{quantum}' must be 1 or a power of ten below it, e.g. '0.01'.")
    return int(divisor)


def _limits(at_least: float | None, at_most: float | None, max_null_share: float) -> Limits:
    return Limits(at_least=at_least, at_most=at_most, max_null_share=max_null_share)


def _aggregation(operation: str) -> Callable[..., Aggregation]:
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
            operation=operation,
            input=input,
            named=named,
            where=where,
            windows=windows,
            unit=unit,
            quantum=quantum,
            limits=_limits(at_least, at_most, max_null_share),
            hidden=hidden,
            doc=doc,
        )

    declare.__name__, declare.__doc__ = operation, f"Declare `{operation}` over windows; see Aggregation."
    return declare


count = _aggregation("count")
sum_of = _aggregation("sum")
mean = _aggregation("mean")
minimum = _aggregation("min")
maximum = _aggregation("max")
count_distinct = _aggregation("count_distinct")
last = _aggregation("last")
first = _aggregation("first")
deviation = _aggregation("stddev")


def expression(
    name: str,
    text: str,
    *,
    unit: str = "",
    quantum: str = "",
    at_least: float | None = None,
    at_most: float | None = None,
    max_null_share: float = 1.0,
    doc: str = "",
) -> Formula:
    """Declare a feature by a Spark SQL expression; NaN and infinity it gives birth to become null (S23)."""
    return Formula(
        name=name,
        text=text,
        unit=unit,
        quantum=quantum,
        limits=_limits(at_least, at_most, max_null_share),
        doc=doc,
    )


def _comparison(operation: str) -> Callable[..., Comparison]:
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
            operation=operation,
            input=input,
            named=named,
            quantum=quantum,
            unit=unit,
            limits=_limits(at_least, at_most, max_null_share),
            doc=doc,
        )

    declare.__name__, declare.__doc__ = (
        operation,
        f"Declare `{operation}` within the view's group; see Comparison.",
    )
    return declare


ratio_to_mean = _comparison("ratio_to_mean")
difference_to_mean = _comparison("difference_to_mean")
percentile_rank = _comparison("percentile_rank")
rank = _comparison("rank")
share_of_total = _comparison("share_of_total")
members = _comparison("members")
