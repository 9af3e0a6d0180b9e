"""Which rows of a training set a proof computes again: a few label times, and the same entities whoever asks."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from definitions.services import FeatureService
from jobs.spines.spine import LABEL_TIME

INSTANTS, ENTITIES = 5, 200
ROW = "proof_row"


@dataclass(frozen=True)
class Sample:
    """The chosen rows as they are stored: their number, keys, label time and features.

    `keys` are the spine's names of the service's join keys.
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
    """Up to 200 rows, chosen by a hash of their keys, at each of up to 5 label times, spread over all there are.

    Label times at which no row has a value are left out as long as others have one. Cost: two passes over the rows.
    """
    features = [column.name for column in service.columns]
    instants = _instants(stored, features)
    order = Window.partitionBy(LABEL_TIME).orderBy(F.xxhash64(*keys), *keys)
    chosen = (
        stored.where(F.unix_micros(LABEL_TIME).isin(instants))
        .withColumn("proof_nth", F.row_number().over(order))
        .where(F.col("proof_nth") <= ENTITIES)
        .select(*keys, LABEL_TIME, *features)
    )
    rows = chosen.toArrow()
    return Sample(rows.add_column(0, ROW, pa.array(range(rows.num_rows), pa.int64())), tuple(keys))


def _instants(stored: DataFrame, features: Sequence[str]) -> list[int]:
    has_value = F.lit(False)
    for name in features:
        has_value = has_value | F.col(f"`{name}`").isNotNull()
    found = (
        stored.where(F.col(LABEL_TIME).isNotNull())
        .groupBy(F.unix_micros(LABEL_TIME).alias("at"))
        .agg(F.bool_or(has_value).alias("has_values"))
        .collect()
    )
    every = sorted(row["at"] for row in found)
    return spread([row["at"] for row in sorted(found) if row["has_values"]] or every)


def spread(instants: Sequence[int]) -> list[int]:
    """The first, the last, and others at even distances in between; at most five."""
    if len(instants) <= INSTANTS:
        return list(instants)
    return [instants[round(index * (len(instants) - 1) / (INSTANTS - 1))] for index in range(INSTANTS)]
