"""How many of some sorted values are smaller than a column's, as one expression."""

from collections.abc import Sequence
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F


def smaller_cuts(value: Column, cuts: Sequence[Any]) -> Column:
    """How many of the cuts, which ascend, are smaller than the value; for a null value all of them."""
    return _bisected(value, cuts, 0)


def _bisected(value: Column, cuts: Sequence[Any], smaller: int) -> Column:
    if not cuts:
        return F.lit(smaller)
    middle = len(cuts) // 2
    left = _bisected(value, cuts[:middle], smaller)
    right = _bisected(value, cuts[middle + 1 :], smaller + middle + 1)
    return F.when(value <= F.lit(cuts[middle]), left).otherwise(right)
