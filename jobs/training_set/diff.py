"""The rows and cells in which two training sets differ, and why: definition, data, labels or options.

Rows of the two sets meet by join keys and label time, their *point*.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame, Row, Window
from pyspark.sql import functions as F
from pyspark.sql.types import BinaryType, DataType

from definitions.durations import instant_or_none
from definitions.errors import UsageError
from jobs.run.context import Context
from jobs.spines.spine import LABEL_TIME
from jobs.training_set.explain import Reason, explain_differences
from jobs.training_set.manifest import Manifest
from jobs.training_set.manifest_files import manifest_fields
from jobs.training_set.rows import rows_of
from temporal.comparable import orderable, quoted

EXAMPLES = 3
_POINT, _COPY, _SIDE = "_point_{}", "_copy", "_side_{}_{}"


@dataclass(frozen=True)
class Example:
    """One row by its keys and label time, with the text of a cell in both sets; None where the cell is null."""

    row: Mapping[str, str | None]
    a: str | None = None
    b: str | None = None


@dataclass(frozen=True)
class ColumnDifference:
    column: str
    cells: int
    reasons: tuple[Reason, ...]
    examples: tuple[Example, ...]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What differs between sets `a` and `b`; of several rows with one point, the n-th of both are compared.

    only_in_a, only_in_b: rows that the other set does not have. Columns are named as `a` names them.
    """

    a: str
    b: str
    rows_in_both: int
    only_in_a: int
    only_in_b: int
    rows_only_in_a: tuple[Example, ...]
    rows_only_in_b: tuple[Example, ...]
    columns_only_in_a: tuple[str, ...]
    columns_only_in_b: tuple[str, ...]
    columns: tuple[ColumnDifference, ...]
    options: Mapping[str, Sequence[Any]]
    tables: Mapping[str, Sequence[int | None]]

    @property
    def is_same(self) -> bool:
        return not any((self.only_in_a, self.only_in_b, self.columns, self.columns_only_in_a, self.columns_only_in_b))


def diff_training_sets(context: Context, a: Manifest, b: Manifest) -> Difference:
    """Raises UsageError for sets without a join key in common, TableMissing for rows that are gone.

    Cost: one full outer join of the two, and one aggregate pass over it.
    """
    names = [*_common_keys(a, b), LABEL_TIME]
    sides = [_Side(rows_of(context, manifest), _keys(manifest), names) for manifest in (a, b)]
    columns = [name for name in sides[0].others if name in sides[1].others]
    counts = _counts_of(sides, columns)
    return Difference(
        a=a.called,
        b=b.called,
        rows_in_both=counts["both"],
        only_in_a=counts["only_0"],
        only_in_b=counts["only_1"],
        rows_only_in_a=_examples(counts, "only_0", names),
        rows_only_in_b=_examples(counts, "only_1", names),
        columns_only_in_a=tuple(name for name in sides[0].others if name not in columns),
        columns_only_in_b=tuple(name for name in sides[1].others if name not in columns),
        columns=tuple(
            ColumnDifference(
                name,
                counts[f"cells_{number}"],
                explain_differences(name, a, b),
                _examples(counts, f"cells_{number}", names),
            )
            for number, name in enumerate(columns)
            if counts[f"cells_{number}"]
        ),
        options=_unlike(manifest_fields(a)["options"], manifest_fields(b)["options"]),
        tables=_unlike(a.tables, b.tables),
    )


def _counts_of(sides: "Sequence[_Side]", columns: Sequence[str]) -> Row:
    """The number of rows and of differing cells, each with its examples, in one pass."""
    points = len(sides[0].names)
    pairs = [_Pair(number, *(side.rows.schema[name].dataType for side in sides)) for number, name in enumerate(columns)]
    only = [column for side in (0, 1) for column in _examples_of(f"only_{side}", _is_in(side), points, None, None)]
    cells = [column for pair in pairs for column in pair.counts(points)]
    return _paired(sides, columns).agg(*_counts(), *only, *cells).collect()[0]


def _examples(counts: Row, name: str, names: Sequence[str]) -> tuple[Example, ...]:
    rows = [row for number in range(EXAMPLES) if (row := counts[f"{name}_{number}"]) is not None]
    rows.sort(key=lambda row: (row["at"] is not None, row["at"], [str(key) for key in row["keys"]]))
    return tuple(
        Example(
            {**dict(zip(names, row["keys"], strict=False)), LABEL_TIME: instant_or_none(row["at"])},
            a=row["a"],
            b=row["b"],
        )
        for row in rows
    )


def _keys(manifest: Manifest) -> dict[str, str]:
    """The service's join keys, each with the spine's column."""
    return {
        f"{view.role}_{key}" if view.role else key: column
        for view in manifest.views.values()
        for (key, _), column in zip(view.keys, view.spine_keys, strict=True)
    }


def _common_keys(a: Manifest, b: Manifest) -> list[str]:
    common = [key for key in _keys(a) if key in _keys(b)]
    if not common:
        keys = " and ".join(f"{manifest.called} has {', '.join(_keys(manifest)) or 'none'}" for manifest in (a, b))
        raise UsageError(f"these training sets have no join key in common, so their rows can't be compared: {keys}.")
    return common


def _unlike(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, Sequence[Any]]:
    return {name: (a.get(name), b.get(name)) for name in sorted({*a, *b}) if a.get(name) != b.get(name)}


@dataclass(frozen=True)
class _Side:
    """One set's rows. keys: join key -> its column; names: the keys that both sets have, then the label time."""

    rows: DataFrame
    keys: Mapping[str, str]
    names: Sequence[str]

    @property
    def points(self) -> list[str]:
        return [self.keys.get(name, name) for name in self.names]

    @property
    def others(self) -> list[str]:
        return [name for name in self.rows.columns if name not in self.points]

    def frame(self, side: int, columns: Sequence[str]) -> DataFrame:
        """Points and columns under names that differ by side; `_copy` numbers the rows of one point."""
        points = [quoted(name) for name in self.points]
        order = [orderable(quoted(name), self.rows.schema[name].dataType) for name in columns]
        copy = F.row_number().over(Window.partitionBy(*points).orderBy(*(order or [F.lit(0)])))
        return self.rows.select(
            *(point.alias(_POINT.format(number)) for number, point in enumerate(points)),
            copy.alias(_COPY),
            F.lit(True).alias(_SIDE.format(side, "is_there")),
            *(quoted(name).alias(_SIDE.format(side, number)) for number, name in enumerate(columns)),
        )


@dataclass(frozen=True)
class _Pair:
    """One column of both sets; values of different types are compared as text."""

    number: int
    a: DataType
    b: DataType

    def counts(self, points: int) -> list[Column]:
        values = [F.col(_SIDE.format(side, self.number)) for side in (0, 1)]
        texts = [_text(value, kind) for value, kind in zip(values, (self.a, self.b), strict=True)]
        compared = [orderable(value, self.a) for value in values] if self.a == self.b else texts
        differs = _is_in(None) & ~compared[0].eqNullSafe(compared[1])
        name = f"cells_{self.number}"
        return [F.count_if(differs).alias(name), *_examples_of(name, differs, points, *texts)]


def _paired(sides: Sequence[_Side], columns: Sequence[str]) -> DataFrame:
    """The points of both sets with their values; where a point has several rows, the n-th meets the n-th."""
    a, b = (side.frame(number, columns) for number, side in enumerate(sides))
    names = [*(_POINT.format(number) for number in range(len(sides[0].names))), _COPY]
    other = b.select(*(F.col(name).alias(f"{name}_b") if name in names else F.col(name) for name in b.columns))
    same = [F.col(name).eqNullSafe(F.col(f"{name}_b")) for name in names]
    joined = a.join(other, on=reduce(Column.__and__, same), how="full_outer")
    is_in_a = F.col(_SIDE.format(0, "is_there")).isNotNull()
    points = [F.when(is_in_a, F.col(name)).otherwise(F.col(f"{name}_b")).alias(name) for name in names[:-1]]
    values = [name for name in (*a.columns, *b.columns) if name not in names]
    return joined.select(*points, *values)


def _is_in(side: int | None) -> Column:
    """True for the points of one side alone; None: for those of both."""
    is_in_a, is_in_b = (F.col(_SIDE.format(number, "is_there")).isNotNull() for number in (0, 1))
    return {None: is_in_a & is_in_b, 0: is_in_a & ~is_in_b, 1: is_in_b & ~is_in_a}[side]


def _counts() -> list[Column]:
    return [F.count_if(_is_in(side)).alias(name) for side, name in ((None, "both"), (0, "only_0"), (1, "only_1"))]


def _examples_of(name: str, where: Column, points: int, a: Column | None, b: Column | None) -> list[Column]:
    """The first of each third of the points, by label time: up to three in one pass, the same in every run."""
    keys = [F.col(_POINT.format(number)).cast("string") for number in range(points - 1)]
    at = F.unix_micros(_POINT.format(points - 1))
    no_value = F.lit(None).cast("string")
    example = F.struct(at.alias("at"), F.array(*keys).alias("keys"), *(
        (no_value if text is None else text).alias(side) for side, text in (("a", a), ("b", b))
    ))  # fmt: skip
    third = F.pmod(F.xxhash64(at, *keys), F.lit(EXAMPLES))
    return [F.min(F.when(where & (third == number), example)).alias(f"{name}_{number}") for number in range(EXAMPLES)]


def _text(value: Column, kind: DataType) -> Column:
    return F.hex(value) if isinstance(kind, BinaryType) else value.cast("string")
