"""The two kinds of operation, and all that one declares. Data only: any engine can read it."""

from dataclasses import dataclass
from enum import StrEnum

INTEGERS = frozenset({"int", "bigint"})


class Accepts(StrEnum):
    """The types of input for which the operation has a meaning."""

    ANY = "any type"
    NUMBERS = "numbers"
    BOOLEANS = "booleans"

    def fits(self, type_: str) -> bool:
        if self is Accepts.ANY:
            return True
        return type_ == "boolean" if self is Accepts.BOOLEANS else type_ in INTEGERS or is_fraction(type_)


class Reads(StrEnum):
    """What of its input an operation over windows reads."""

    ROWS = "rows"  # whether there is a value; without an input, every row
    VALUES = "values"  # the values as they are; a decimal as a double
    QUANTA = "quanta"  # whole numbers of the declared quantum, so that their sums are exact (S24)


class Result(StrEnum):
    """The type of the published column."""

    COUNT = "count"  # bigint
    SUM = "sum"  # bigint for whole numbers, double for fractions
    INPUT = "input"  # the type of the input, a decimal as double
    DOUBLE = "double"

    def of(self, input_type: str) -> str:
        if self is Result.COUNT:
            return "bigint"
        if self is Result.DOUBLE or is_fraction(input_type):
            return "double"
        return "bigint" if self is Result.SUM else input_type


@dataclass(frozen=True, kw_only=True)
class WindowOperation:
    """One aggregate over the facts of a window.

    word: the function that declares it in a view. empty: the value for an entity that was seen, but has nothing in the
    window (S22); None is null. version: its semantic version; a change of meaning raises it, and with it the
    fingerprint of every feature that uses the operation (S35). goes_by_order: it chooses by the order of facts (S9),
    so it reads all columns of its view. is_online: false refuses the export of a view that publishes it.
    """

    name: str
    word: str
    reads: Reads
    result: Result
    empty: int | None
    version: int
    accepts: Accepts = Accepts.ANY
    goes_by_order: bool = False
    is_online: bool = True


@dataclass(frozen=True, kw_only=True)
class GroupOperation:
    """One comparison of an entity with its group; `word`, `version` and `is_online` as above.

    needs_input: it compares a feature; without, it describes the group. in_quanta: it adds values up, so that a double
    needs a quantum (S24). needs_min_members: null where the group has fewer others than the view's `min_members`.
    """

    name: str
    word: str
    result: Result
    version: int
    needs_input: bool = True
    in_quanta: bool = False
    needs_min_members: bool = True
    is_online: bool = True


def is_fraction(type_: str) -> bool:
    return type_ == "double" or type_.startswith("decimal")
