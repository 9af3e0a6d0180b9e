"""One pass over the staged rows: the profile of every column and the content hash of every slice; then the keys."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from definitions.types import arrow_type
from kernels.content_hash import LIMBS, ContentHash, combine, partial_sums
from kernels.profile import merge_profiles, profile

SLICE = "_slice"
_STATISTICS = ("rows", "nulls", "nans")
_EXTREMES = ("minimum", "maximum", "total")
_SCHEMA = ", ".join(
    [
        "part string",
        f"{SLICE} bigint",
        "feature string",
        *(f"{n} bigint" for n in _STATISTICS),
        *(f"{n} double" for n in _EXTREMES),
        *(f"{n} bigint" for n in LIMBS),
    ]
)


@dataclass(frozen=True)
class KeyCounts:
    """Rows beyond the first of their key, and rows with a null in their key."""

    duplicates: int = 0
    nulls: int = 0


@dataclass(frozen=True)
class Measured:
    """The measures of each slice (named by its instant in microseconds).

    `profile` is the long form that `judge` takes.
    """

    profile: pd.DataFrame
    hashes: Mapping[int, ContentHash]
    keys: Mapping[int, KeyCounts]


def measure(frame: DataFrame, *, keys: Sequence[str], profiled: Sequence[str], hashed: Sequence[str]) -> Measured:
    """frame: rows with `_slice` (bigint). Cost: one pass without a shuffle, and one small aggregation by key.

    keys: what identifies a row inside its slice. Of a snapshot these are the join keys and `known_at`: a restated row
    has the same entity and T as the row it supersedes, and a later cut (S12).
    """
    columns = list(dict.fromkeys([SLICE, *profiled, *hashed]))
    # Spark hands a column with a dot in its name to no Arrow function: the names travel beside the rows.
    named = [F.col(f"`{name.replace('`', '``')}`").alias(f"column_{index}") for index, name in enumerate(columns)]
    measuring = partial(_measure_partition, columns=columns, profiled=list(profiled), hashed=list(hashed))
    parts = frame.select(*named).mapInArrow(measuring, _SCHEMA).toArrow()
    return Measured(_profile(parts), _hashes(parts), _key_counts(frame, keys))


def measure_table(table: pa.Table, *, keys: Sequence[str], profiled: Sequence[str], hashed: Sequence[str]) -> Measured:
    """The same of rows that this process holds."""
    columns = list(dict.fromkeys([SLICE, *profiled, *hashed]))
    batches = iter(table.select(columns).to_batches())
    parts = _measure_partition(batches, columns=columns, profiled=list(profiled), hashed=list(hashed))
    measured = pa.Table.from_batches(parts, schema=_arrow_schema())
    return Measured(_profile(measured), _hashes(measured), _key_counts_of(table, keys))


def _key_counts_of(table: pa.Table, keys: Sequence[str]) -> dict[int, KeyCounts]:
    if not keys:
        return {}
    per_key = table.group_by([SLICE, *keys]).aggregate([([], "count_all")])
    has_null = reduce(pc.or_, (pc.is_null(per_key[key]) for key in keys))
    rows = per_key["count_all"]
    counts = pa.table({SLICE: per_key[SLICE], "more": pc.subtract(rows, 1), "nulls": pc.if_else(has_null, rows, 0)})
    by_slice = counts.group_by(SLICE).aggregate([("more", "sum"), ("nulls", "sum")]).to_pylist()
    return {row[SLICE]: KeyCounts(row["more_sum"], row["nulls_sum"]) for row in by_slice}


def _measure_partition(
    batches: Iterator[pa.RecordBatch], columns: list[str], profiled: list[str], hashed: list[str]
) -> Iterator[pa.RecordBatch]:
    """Profiles and digest sums of a partition; the batches' results are merged, so that little leaves the worker."""
    profiles, sums = [], []
    for batch in batches:
        table = pa.Table.from_batches([batch]).rename_columns(columns)
        profiles.append(profile(table, slice_column=SLICE, columns=profiled))
        sums.append(partial_sums(table.select([SLICE, *hashed]), slice_column=SLICE))
    if profiles:
        schema = _arrow_schema()
        yield from _row_of(merge_profiles(pa.concat_tables(profiles)), "profile", schema).to_batches()
        for partial_sum in sums:
            yield from _row_of(partial_sum, "hash", schema).to_batches()


def _arrow_schema() -> pa.Schema:
    return pa.schema(
        [(name, arrow_type(type_)) for name, type_ in (column.split(" ") for column in _SCHEMA.split(", "))]
    )


def _row_of(table: pa.Table, part: str, schema: pa.Schema) -> pa.Table:
    """The table in the one schema that leaves the worker; columns it lacks are null."""
    table = table.rename_columns([SLICE if name == "slice" else name for name in table.column_names]).append_column(
        "part", pa.array([part] * table.num_rows)
    )
    columns = [
        table[f.name].cast(f.type) if f.name in table.column_names else pa.nulls(table.num_rows, f.type) for f in schema
    ]
    return pa.table(columns, schema=schema)


def _of(parts: pa.Table, part: str, columns: Sequence[str]) -> pa.Table:
    mask = pa.compute.equal(parts["part"], part)
    return parts.filter(mask).select([SLICE, *columns]).rename_columns(["slice", *columns])


def _profile(parts: pa.Table) -> pd.DataFrame:
    merged = merge_profiles(_of(parts, "profile", ["feature", *_STATISTICS, *_EXTREMES])).to_pandas()
    known = merged["rows"] - merged["nulls"] - merged["nans"]
    merged["mean"] = merged["total"] / known.where(known > 0)
    long: pd.DataFrame = merged.drop(columns="total")
    return long


def _hashes(parts: pa.Table) -> dict[int, ContentHash]:
    return combine(_of(parts, "hash", ["rows", *LIMBS]))


def _key_counts(frame: DataFrame, keys: Sequence[str]) -> dict[int, KeyCounts]:
    if not keys:
        return {}
    any_null = " or ".join(f"`{key}` is null" for key in keys)
    per_key = frame.groupBy(SLICE, *keys).agg(F.count(F.lit(1)).alias("_rows"))
    counted = per_key.groupBy(SLICE).agg(
        F.sum(F.col("_rows") - 1).alias("more"),
        F.sum(F.when(F.expr(any_null), F.col("_rows")).otherwise(0)).alias("nulls"),
    )
    return {row[SLICE]: KeyCounts(row["more"], row["nulls"]) for row in counted.collect()}
