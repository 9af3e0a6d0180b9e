"""The rows of two training sets met by join keys and label time, and the cells in which they differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import BinaryType, DataType

from temporal.comparable import orderable, quoted

EXAMPLES = 3
_POINT, _COPY, _SIDE = "_point_{}", "_copy", "_side_{}_{}"


@dataclass(frozen=True)
class Side:
    """One set's rows. `keys`: join key -> its column; `names`: the keys that both have, then the label time."""

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
        """Points and columns under names of their own, and which of its point's rows each is."""
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
class Pair:
    """One column of both sets; values of two types are compared as text."""

    number: int
    a: DataType
    b: DataType

    def counted(self, points: int) -> list[Column]:
        values = [F.col(_SIDE.format(side, self.number)) for side in (0, 1)]
        texts = [_text(value, kind) for value, kind in zip(values, (self.a, self.b), strict=True)]
        compared = [orderable(value, self.a) for value in values] if self.a == self.b else texts
        differs = is_in(None) & ~compared[0].eqNullSafe(compared[1])
        name = f"cells_{self.number}"
        return [F.count_if(differs).alias(name), *examples_of(name, differs, points, *texts)]


def paired(sides: Sequence[Side], columns: Sequence[str]) -> DataFrame:
    """The points of both, each with the values that either has; of several equal points the n-th meets the n-th."""
    a, b = (side.frame(number, columns) for number, side in enumerate(sides))
    names = [*(_POINT.format(number) for number in range(len(sides[0].names))), _COPY]
    other = b.select(*(F.col(name).alias(f"{name}_b") if name in names else F.col(name) for name in b.columns))
    same = [F.col(name).eqNullSafe(F.col(f"{name}_b")) for name in names]
    joined = a.join(other, on=reduce(Column.__and__, same), how="full_outer")
    is_in_a = F.col(_SIDE.format(0, "is_there")).isNotNull()
    met = [F.when(is_in_a, F.col(name)).otherwise(F.col(f"{name}_b")).alias(name) for name in names[:-1]]
    values = [name for name in (*a.columns, *b.columns) if name not in names]
    return joined.select(*met, *values)


def is_in(side: int | None) -> Column:
    """Of one side alone; None: of both."""
    is_in_a, is_in_b = (F.col(_SIDE.format(number, "is_there")).isNotNull() for number in (0, 1))
    return {None: is_in_a & is_in_b, 0: is_in_a & ~is_in_b, 1: is_in_b & ~is_in_a}[side]


def counts() -> list[Column]:
    return [F.count_if(is_in(side)).alias(name) for side, name in ((None, "both"), (0, "only_0"), (1, "only_1"))]


def examples_of(name: str, where: Column, points: int, a: Column | None, b: Column | None) -> list[Column]:
    """The first of each third of the points, by label time: up to three in one pass, the same ones each time."""
    keys = [F.col(_POINT.format(number)).cast("string") for number in range(points - 1)]
    at = F.unix_micros(_POINT.format(points - 1))
    nothing = F.lit(None).cast("string")
    told = F.struct(at.alias("at"), F.array(*keys).alias("keys"), *(
        (nothing if text is None else text).alias(side) for side, text in (("a", a), ("b", b))
    ))  # fmt: skip
    third = F.pmod(F.xxhash64(at, *keys), F.lit(EXAMPLES))
    return [F.min(F.when(where & (third == number), told)).alias(f"{name}_{number}") for number in range(EXAMPLES)]


def _text(value: Column, kind: DataType) -> Column:
    return F.hex(value) if isinstance(kind, BinaryType) else value.cast("string")
