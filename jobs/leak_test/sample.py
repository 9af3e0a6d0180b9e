"""The rows of a training set that the leak test rebuilds, and the comparison of their cells with the rebuilt ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from definitions.services import FeatureService
from jobs.spines.spine import LABEL_TIME
from kernels.content_hash import row_digests

INSTANTS, ENTITIES = 5, 200
ROW = "leak_test_row"


@dataclass(frozen=True)
class Sample:
    """The chosen rows as they are stored: their number, keys, label time and features.

    keys: the spine's columns that hold the service's join keys.
    """

    rows: pa.Table
    keys: tuple[str, ...]

    @property
    def instants_us(self) -> tuple[int, ...]:
        return tuple(sorted(set(self.rows[LABEL_TIME].cast(pa.int64()).to_pylist())))

    @property
    def entities(self) -> int:
        return len({tuple(row.values()) for row in self.rows.select(list(self.keys)).to_pylist()})


def sample_of(stored: DataFrame, service: FeatureService, *, keys: Sequence[str]) -> Sample:
    """Up to 200 rows at each of up to 5 label times, which are spread from the first to the last.

    Rows are chosen by a hash of their keys, so that every run takes the same. Label times at which no row has a value
    are left out as long as others have one. Cost: two passes over the rows.
    """
    features = [column.name for column in service.columns]
    instants = _instants(stored, features)
    order = Window.partitionBy(LABEL_TIME).orderBy(F.xxhash64(*keys), *keys)
    chosen = (
        stored.where(F.unix_micros(LABEL_TIME).isin(instants))
        .withColumn("leak_test_rank", F.row_number().over(order))
        .where(F.col("leak_test_rank") <= ENTITIES)
        .select(*keys, LABEL_TIME, *features)
    )
    rows = chosen.toArrow()
    return Sample(rows.add_column(0, ROW, pa.array(range(rows.num_rows), pa.int64())), tuple(keys))


def _instants(stored: DataFrame, features: Sequence[str]) -> list[int]:
    has_value = F.lit(False)
    for name in features:
        has_value = has_value | F.col(f"`{name}`").isNotNull()
    times = (
        stored.where(F.col(LABEL_TIME).isNotNull())
        .groupBy(F.unix_micros(LABEL_TIME).alias("at"))
        .agg(F.bool_or(has_value).alias("has_values"))
        .collect()
    )
    with_values = sorted(row["at"] for row in times if row["has_values"])
    return spread(with_values or sorted(row["at"] for row in times))


def spread(instants: Sequence[int]) -> list[int]:
    """The first, the last, and others at even distances in between; at most five."""
    if len(instants) <= INSTANTS:
        return list(instants)
    return [instants[round(index * (len(instants) - 1) / (INSTANTS - 1))] for index in range(INSTANTS)]


@dataclass(frozen=True)
class Change:
    """A cell whose rebuilt value differs from the stored one; row: its number in the sample."""

    row: int
    column: str
    stored: Any
    rebuilt: Any


def changes(sample: Sample, rebuilt: pa.Table, columns: Sequence[str]) -> list[Change]:
    """Every cell of these columns that differs, bit for bit; rebuilt: a row for each of the sample's, by its number.

    Rows are compared by the digests that the content hash is made of (S34), so the text form of a value plays no part.
    """
    stored = sample.rows.select([ROW, *columns]).sort_by(ROW)
    again = rebuilt.select([ROW, *columns]).sort_by(ROW)
    differs = (row_digests(stored) != row_digests(again)).any(axis=1)
    changed = []
    for name in columns:
        # One column's digests beside the rows' numbers say which of its cells differ.
        cells = row_digests(stored.select([name])) != row_digests(again.select([name]))
        for index in (differs & cells.any(axis=1)).nonzero()[0]:
            row = stored[ROW][int(index)].as_py()
            changed.append(Change(row, name, stored[name][int(index)].as_py(), again[name][int(index)].as_py()))
    return changed
