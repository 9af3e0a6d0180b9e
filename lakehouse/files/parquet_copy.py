"""Copies of parquet files that Spark can't read as they are: INT96 that it would cut, names that it takes for one.

A copy is streamed batch by batch, so memory does not grow with the file. INT96 becomes two columns: microseconds, and
the nanoseconds that are left. Other times in nanoseconds become their number.
"""

from collections.abc import Iterator, Sequence
from itertools import repeat

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from lakehouse.files.parquet_footers import INT96, LOCAL_NANOSECONDS, NANOSECONDS, NULLS

FILE = "file"
_BATCH_ROWS = 65_536
_NANOS = (NANOSECONDS, LOCAL_NANOSECONDS)
_Numbers = npt.NDArray[np.int64]


def copied_name(index: int, *, rest: bool = False) -> str:
    """The name of a column in a copy, or of the nanoseconds that are left of it."""
    return f"c{index}_ns" if rest else f"c{index}"


def has_fine_int96(system: fs.FileSystem, path: str, columns: Sequence[str]) -> bool:
    """Whether any time in the old INT96 is finer than a microsecond: Spark would cut it in silence."""
    whole, nanos = (_batches(system, path, columns, unit) for unit in ("us", "ns"))
    pairs = zip(whole, nanos, strict=True)
    return any(
        np.any(_int96_rest(a, b)) for left, right in pairs for a, b in zip(left.columns, right.columns, strict=True)
    )


def write_copy(
    system: fs.FileSystem, path: str, types: dict[str, str], target: fs.FileSystem, copy: str, *, named: str
) -> None:
    """Copies a file's columns of these types, in order, beside one with the path as `named`."""
    names = [name for name, type_ in types.items() if type_ != NULLS]
    int96 = [name for name in names if types[name] == INT96]
    nanos = _batches(system, path, int96, "ns") if int96 else repeat(None)
    writer = None
    try:
        for batch, fine in zip(_batches(system, path, names, "us"), nanos, strict=False):
            copied = _copied(batch, fine, types, named)
            writer = writer or pq.ParquetWriter(copy, copied.schema, filesystem=target, store_schema=False)
            writer.write_batch(copied)
    finally:
        if writer is not None:
            writer.close()


def _batches(system: fs.FileSystem, path: str, columns: Sequence[str], unit: str) -> Iterator[pa.RecordBatch]:
    """The columns, batch by batch. INT96 is read in the unit; beyond the years that nanoseconds hold it wraps."""
    with pq.ParquetFile(path, filesystem=system, coerce_int96_timestamp_unit=unit) as opened:
        yield from opened.iter_batches(_BATCH_ROWS, columns=list(columns))


def _copied(batch: pa.RecordBatch, fine: pa.RecordBatch | None, types: dict[str, str], named: str) -> pa.RecordBatch:
    columns: dict[str, pa.Array] = {}
    for index, (name, type_) in enumerate(types.items()):
        if type_ == NULLS:
            continue
        column = batch.column(name)
        if type_ == INT96 and fine is not None:
            columns[copied_name(index)] = column.cast(pa.timestamp("us", tz="UTC"))
            columns[copied_name(index, rest=True)] = pa.array(_int96_rest(column, fine.column(name)).astype(np.int32))
        else:
            columns[copied_name(index)] = column.cast(pa.int64()) if type_ in _NANOS else column
    columns[FILE] = pa.DictionaryArray.from_arrays(pa.array(np.zeros(batch.num_rows, np.int32)), pa.array([named]))
    return pa.RecordBatch.from_pydict(columns)


def _int96_rest(micros: pa.Array, nanos: pa.Array) -> _Numbers:
    """Both are right modulo 2^64, so their difference is right too, for every year."""
    with np.errstate(over="ignore"):
        return _numbers(nanos) - _numbers(micros) * 1000


def _numbers(times: pa.Array) -> _Numbers:
    numbers: _Numbers = times.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    return numbers
