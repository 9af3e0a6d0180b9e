"""Copies of parquet files that Spark can't read as they are: INT96 that it would cut, names that it takes for one.

A copy is streamed batch by batch, so memory does not grow with the file. INT96 becomes two columns: microseconds, and
the nanoseconds that are left; a day that is too far away for microseconds becomes one that no valid time has. Other
times in nanoseconds become their number.
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
_INSTANT = pa.timestamp("us", tz="UTC")
_NANOS = (NANOSECONDS, LOCAL_NANOSECONDS)
_FAR_S, _FAR_US = 2**62 // 1_000_000, 2**62  # about the year 148,000
_Numbers = npt.NDArray[np.int64]


def copied_name(index: int, *, rest: bool = False) -> str:
    """The name of a column in a copy, or of the nanoseconds that are left of it."""
    return f"c{index}_ns" if rest else f"c{index}"


def has_odd_int96(system: fs.FileSystem, path: str, columns: Sequence[str]) -> bool:
    """Whether any time in the old INT96 is finer than a microsecond, which Spark would cut in silence, or so far away
    that its microseconds would wrap.
    """
    whole, nanos = (_batches(system, path, columns, unit) for unit in ("s", "ns"))
    pairs = zip(whole, nanos, strict=True)
    return any(_is_odd(a, b) for left, right in pairs for a, b in zip(left.columns, right.columns, strict=True))


def write_copy(
    system: fs.FileSystem, path: str, types: dict[str, str], target: fs.FileSystem, copy: str, *, named: str
) -> None:
    """Copies a file's columns of these types, in order, beside one with the path as `named`."""
    names = [name for name, type_ in types.items() if type_ != NULLS]
    int96 = [name for name in names if types[name] == INT96]
    nanos = _batches(system, path, int96, "ns") if int96 else repeat(None)
    writer = None
    try:
        for batch, fine in zip(_batches(system, path, names, "s"), nanos, strict=False):
            copied = _copied(batch, fine, types, named)
            writer = writer or pq.ParquetWriter(copy, copied.schema, filesystem=target, store_schema=False)
            writer.write_batch(copied)
    finally:
        if writer is not None:
            writer.close()


def _batches(system: fs.FileSystem, path: str, columns: Sequence[str], unit: str) -> Iterator[pa.RecordBatch]:
    """The columns, batch by batch. INT96 is read in the unit; beyond the years that nanoseconds hold, those wrap."""
    with pq.ParquetFile(path, filesystem=system, coerce_int96_timestamp_unit=unit) as opened:
        yield from opened.iter_batches(_BATCH_ROWS, columns=list(columns))


def _copied(batch: pa.RecordBatch, fine: pa.RecordBatch | None, types: dict[str, str], named: str) -> pa.RecordBatch:
    columns: dict[str, pa.Array] = {}
    for index, (name, type_) in enumerate(types.items()):
        if type_ == NULLS:
            continue
        column = batch.column(name)
        if type_ == INT96 and fine is not None:
            micros, rest = _int96(column, fine.column(name))
            columns[copied_name(index)] = pa.array(micros, mask=column.is_null().to_numpy(False)).cast(_INSTANT)
            columns[copied_name(index, rest=True)] = pa.array(rest.astype(np.int32))
        else:
            columns[copied_name(index)] = column.cast(pa.int64()) if type_ in _NANOS else column
    columns[FILE] = pa.DictionaryArray.from_arrays(pa.array(np.zeros(batch.num_rows, np.int32)), pa.array([named]))
    return pa.RecordBatch.from_pydict(columns)


def _is_odd(seconds: pa.Array, nanos: pa.Array) -> bool:
    micros, rest = _int96(seconds, nanos)
    return bool(np.any(rest) or np.any(np.abs(micros) >= _FAR_US))


def _int96(seconds: pa.Array, nanos: pa.Array) -> tuple[_Numbers, _Numbers]:
    """Microseconds, and the nanoseconds that are left.

    Seconds hold every day; nanoseconds are right modulo 2^64, and so is what they have more than the seconds.
    """
    whole = _numbers(seconds)
    with np.errstate(over="ignore"):
        within = _numbers(nanos) - whole * 1_000_000_000
        micros = whole * 1_000_000 + within // 1000
    return np.where(np.abs(whole) < _FAR_S, micros, np.sign(whole) * _FAR_US), within % 1000


def _numbers(times: pa.Array) -> _Numbers:
    numbers: _Numbers = times.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    return numbers
