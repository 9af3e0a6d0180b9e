"""Groups of files are rows of one table only where they have the same columns of the same types."""

from typing import Any, cast

import pytest

from lakehouse.files.merged import mismatch
from lakehouse.files.records import Records


def group(path: str, **types: str) -> Records:
    return Records(frame=cast(Any, None), types=types, path=path, is_text=False)


@pytest.mark.parametrize(
    ("other", "found"),
    [
        ({"k": "string", "x": "int"}, ""),
        ({"x": "bigint", "k": "string"}, ""),
        ({"k": "void", "x": "void"}, ""),
        ({"k": "string"}, "b.parquet has no column 'x', which a.parquet has"),
        ({"k": "string", "x": "int", "y": "int"}, "a.parquet has no column 'y', which b.parquet has"),
        ({"k": "string", "x": "string"}, "column 'x' is int in a.parquet and string in b.parquet"),
        ({"k": "string", "x": "double"}, "column 'x' is int in a.parquet and double in b.parquet"),
        ({"k": "string", "x": "decimal(5,2)"}, "column 'x' is int in a.parquet and decimal(5,2) in b.parquet"),
    ],
)
def test_a_column_that_is_not_alike_in_all_files_is_named_with_them(other: dict[str, str], found: str) -> None:
    said = mismatch([group("a.parquet", k="string", x="int"), group("b.parquet", **other)])
    assert said.startswith(found)
    assert bool(said) == bool(found)


def test_one_group_and_groups_of_nulls_fit() -> None:
    assert mismatch([]) == mismatch([group("a", x="int")]) == ""
    assert mismatch([group("a", x="int"), group("b", x="void"), group("c", x="string")]).startswith("column 'x' is int")
