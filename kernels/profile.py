"""A profile: statistics of every column per slice, in long form; profiles of parts merge into one."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from definitions.errors import SourceSchemaError, did_you_mean
from kernels.columns import Bools, Ints, cleaned, dense_ranks

Doubles = npt.NDArray[np.float64]
EXACT = 2**53  # doubles hold every integer up to it


def schema(slice_type: pa.DataType) -> pa.Schema:
    """The columns of a profile whose slices have this type."""
    return pa.schema(
        {
            "slice": slice_type,
            "feature": pa.string(),
            "rows": pa.int64(),
            "nulls": pa.int64(),
            "nans": pa.int64(),
            "minimum": pa.float64(),
            "maximum": pa.float64(),
            "total": pa.float64(),
        }
    )


def profile(table: pa.Table, *, slice_column: str, columns: Sequence[str]) -> pa.Table:
    """Rows, nulls, NaN or infinities, minimum, maximum and total of each column in each slice.

    Grain: one row per (slice, feature), slices ascending (null first), features in the order given. Numbers
    and booleans (0 and 1) have minimum, maximum and total, as doubles, over their finite values; null if
    there are none, and for times, text and all other types; a total beyond a double's range is null as well. The
    mean is total / (rows − nulls − nans). All but `total` is the same under any partitioning; a total is
    rounded once per part and once per merge: its last place may differ. Integers beyond 2**53 and decimals
    are rounded to doubles first.
    Raises SourceSchemaError for a column that the table doesn't have.
    """
    for name in (slice_column, *columns):
        if name not in table.column_names:
            raise SourceSchemaError(f"no column '{name}' to profile.{did_you_mean(name, table.column_names)}")
    ranks, slices = dense_ranks(cleaned(table[slice_column]))
    order = np.argsort(ranks, kind="stable")
    present, first = np.unique(ranks[order], return_index=True)
    edges = np.append(first, len(order))
    names = slices.take(pa.array(present - 1, mask=present == 0))
    whole = schema(names.type)
    parts = [
        pa.table(
            [names, pa.array([name] * len(names), pa.string()), *_statistics(table[name], order, edges)],
            whole,
        )
        for name in columns
    ]
    return _sorted(pa.concat_tables([whole.empty_table(), *parts]), list(columns))


def merge_profiles(partials: pa.Table) -> pa.Table:
    """The profile of the whole from the profiles of its parts, concatenated."""
    features = list(dict.fromkeys(partials["feature"].to_pylist()))
    merged = partials.group_by(["slice", "feature"], use_threads=False).aggregate(
        [
            *((name, "sum") for name in ("rows", "nulls", "nans")),
            ("minimum", "min"),
            ("maximum", "max"),
            ("total", "list"),
        ]
    )
    totals = [_fsum([part for part in parts if part is not None]) for parts in merged["total_list"].to_pylist()]
    kept = [merged[name] for name in ("slice", "feature", "rows_sum", "nulls_sum", "nans_sum")]
    extremes = [merged["minimum_min"], merged["maximum_max"], pa.array(totals, pa.float64())]
    return _sorted(pa.table([*kept, *extremes], schema(partials.schema.field("slice").type)), features)


def _sorted(profiles: pa.Table, features: list[str]) -> pa.Table:
    order = pc.index_in(profiles["feature"], value_set=pa.array(features, pa.string()))
    ranked = pa.table({"slice": dense_ranks(cleaned(profiles["slice"]))[0], "order": order})
    return profiles.take(pc.sort_indices(ranked, [("slice", "ascending"), ("order", "ascending")]))


def _statistics(column: pa.ChunkedArray, order: Ints, edges: Ints) -> list[pa.Array]:
    """rows, nulls, nans, minimum, maximum, total of each slice; slices are ranges of the ordered rows."""
    array = column.combine_chunks().take(pa.array(order))
    null = np.asarray(array.is_null().to_numpy(zero_copy_only=False))
    counts = [pa.array(np.diff(edges)), pa.array(_per_slice(null, edges))]
    values = _doubles(array)
    if values is None:
        empty = pa.nulls(len(edges) - 1, pa.float64())
        return [*counts, pa.array(np.zeros(len(edges) - 1, np.int64)), empty, empty, empty]
    finite = np.isfinite(values) & ~null
    nans = pa.array(_per_slice(~finite & ~null, edges))
    is_whole = not (pt.is_floating(array.type) or pt.is_decimal(array.type))
    return [*counts, nans, *_of_finite(values, finite, edges, is_whole=is_whole)]


def _of_finite(values: Doubles, finite: Bools, edges: Ints, *, is_whole: bool) -> list[pa.Array]:
    kept = np.append(0, np.cumsum(_per_slice(finite, edges)))
    numbers = values[finite] + 0.0  # no −0.0: which zero is the smaller would depend on the order
    slices = [numbers[start:end] for start, end in pairwise(kept)]
    statistics = [
        [None if len(part) == 0 else float(part.min()) for part in slices],
        [None if len(part) == 0 else float(part.max()) for part in slices],
        [_total(part, is_whole=is_whole) for part in slices],
    ]
    return [pa.array(statistic, pa.float64()) for statistic in statistics]


def _per_slice(flags: Bools, edges: Ints) -> Ints:
    return np.array([np.count_nonzero(flags[start:end]) for start, end in pairwise(edges)], np.int64)


def _doubles(array: pa.Array) -> Doubles | None:
    """The numbers as doubles, None for a type that isn't numeric or boolean."""
    kind = array.type
    if pt.is_boolean(kind):
        array = array.cast(pa.int64())
    elif not (pt.is_floating(kind) or pt.is_integer(kind) or pt.is_decimal(kind)):
        return None
    return np.asarray(array.cast(pa.float64(), safe=False).fill_null(0).to_numpy(zero_copy_only=False))


def _total(values: Doubles, *, is_whole: bool) -> float | None:
    """The sum, rounded once. Whole numbers that stay below 2**53 on the way are added exactly in any order."""
    if is_whole and len(values) and np.abs(values).max() * len(values) < EXACT:
        return float(values.sum())
    return _fsum(values.tolist())


def _fsum(parts: list[float]) -> float | None:
    try:
        return math.fsum(parts) if parts else None
    except OverflowError:
        return None
