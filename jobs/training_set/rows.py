"""The rows of a training set and the evidence beside them: their tables, and what a run is to write to them."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.run.context import Context
from jobs.training_set.manifest import Manifest, data_key
from kernels.content_hash import ContentHash
from lakehouse.tables import read
from quality.measure import SLICE, Measured, measure


@dataclass(frozen=True)
class BuildResult:
    """The staged rows to be written, with their evidence, and the whole set that results, each row once.

    added: how many rows are appended to the current ones; None: the written rows are the whole set. computed: the views
    that were joined for all rows.
    """

    written: DataFrame
    rows: DataFrame
    evidence: DataFrame
    added: int | None
    computed: tuple[str, ...]


def rows_of(context: Context, manifest: Manifest) -> DataFrame:
    """The rows that the manifest names. Raises TableMissing when they are gone."""
    path = context.warehouse.address(data_key(manifest.name)).path
    return read(context.spark, path, version=manifest.data.version)


def measured(frame: DataFrame, columns: Sequence[str], *, profiled: Sequence[str] = ()) -> Measured:
    """Count and content hash of these columns, and a profile of the `profiled` ones, in one pass."""
    return measure(frame.withColumn(SLICE, F.lit(0).cast("bigint")), keys=[], profiled=profiled, hashed=columns)


def hash_of(measurement: Measured) -> ContentHash:
    """The content hash of all rows; of no rows, zeros."""
    return measurement.hashes.get(0, ContentHash("0" * 64, 0))
