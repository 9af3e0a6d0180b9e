"""Features: the columns that a view publishes, once it knows its own columns; and expressions as a view declares them.

Aggregations and comparisons, which become features too, are in `definitions/aggregations.py` and `comparisons.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from definitions.durations import Window
from definitions.errors import DefinitionError
from definitions.expressions import Expression, parse_expression


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
class Formula:
    """A declared Spark SQL expression over the columns, or over the view's other features."""

    name: str
    text: str
    unit: str = ""
    quantum: str = ""
    limits: Limits = field(default_factory=Limits)
    doc: str = ""

    def expand(self, schema: Mapping[str, str], *, where: str) -> Feature:
        """The feature, given the types of the columns that the text may read. Raises DefinitionError."""
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
    """Declare a feature by a Spark SQL expression; where its result is NaN or infinite, the feature is null (S23)."""
    return Formula(
        name=name,
        text=text,
        unit=unit,
        quantum=quantum,
        limits=Limits(at_least=at_least, at_most=at_most, max_null_share=max_null_share),
        doc=doc,
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
