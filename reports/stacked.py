"""Rows cut into parts that add up, for one stacked bar."""

from collections.abc import Mapping
from dataclasses import dataclass

UNACCOUNTED = "not accounted for"


@dataclass(frozen=True)
class Part:
    """Some of the rows; share: of all rows, None where there are none."""

    name: str
    rows: int
    share: float | None


def parts(rows: int, named: Mapping[str, int]) -> tuple[Part, ...]:
    """The parts in the order given; where they don't add up to the rows, the difference is a part of its own."""
    missing = rows - sum(named.values())
    whole = {**named, UNACCOUNTED: missing} if missing else named
    return tuple(Part(name, number, number / rows if rows else None) for name, number in whole.items())
