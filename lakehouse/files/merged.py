"""Whether the records of several groups of files have the same columns, so that they are rows of one table."""

from collections.abc import Sequence
from itertools import pairwise

from lakehouse.files.records import Records

_NULLS = "void"  # a column with nothing but nulls fits every type
_FAMILIES = (("tinyint", "smallint", "int", "bigint"), ("float", "double"))


def mismatch(groups: Sequence[Records]) -> str:
    """The first column that not all groups have, or have as another type, in words; empty where there is none.

    Whole numbers of several sizes are alike, and so are floating ones: the widest holds them all.
    """
    for one, other in pairwise(groups):
        for here, there in ((one, other), (other, one)):
            if lacking := next((name for name in here.types if name not in there.types), None):
                return (
                    f"{there.path} has no column '{lacking}', which {here.path} has; write it in all files, or in none"
                )
    for name in groups[0].types if groups else ():
        found = [(group.types[name], group.path) for group in groups if group.types[name] != _NULLS]
        for (type_, path), (other_type, other_path) in pairwise(found):
            if not _are_alike(type_, other_type):
                return f"column '{name}' is {type_} in {path} and {other_type} in {other_path}; write it alike in all"
    return ""


def _are_alike(type_: str, other: str) -> bool:
    return type_ == other or any(type_ in family and other in family for family in _FAMILIES)
