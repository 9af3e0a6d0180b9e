"""What came out, in one number: independent of the order of rows, columns and files, and of who wrote them."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

_NULL = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Answer:
    """`rows`, and a 64-bit hash of all cells as hexadecimal digits. Not for secrets: it finds mistakes."""

    rows: int
    hash: str


def answer_in(path: Path) -> Answer:
    """Of a parquet file, or of a folder of them. Raises TypeError for columns other than numbers and instants."""
    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    batches = (batch for file in files for batch in pq.ParquetFile(file).iter_batches(batch_size=1 << 18))
    return answer_of(batches)


def answer_of(batches: Iterable[pa.RecordBatch]) -> Answer:
    """The sum of the rows' hashes; a row's is made of its cells' and their columns' names, null marked as null.

    Whole numbers count by value, instants in microseconds, doubles by their bits: NaN is not null, and −0.0 not 0.0.
    """
    rows, total = 0, np.uint64(0)
    with np.errstate(over="ignore"):
        for batch in batches:
            rows += batch.num_rows
            cells = [_cells(name, column) for name, column in zip(batch.schema.names, batch.columns, strict=True)]
            total += _mixed(np.stack(cells).sum(axis=0, dtype=np.uint64)).sum(dtype=np.uint64)
    return Answer(rows, f"{int(total):016x}")


def _cells(name: str, column: pa.Array) -> np.ndarray:
    seed = np.uint64(int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest()))
    words = _words(name, column)
    if column.null_count:
        words = np.where(np.asarray(column.is_null()), _NULL, words)
    return _mixed(words ^ seed)


def _words(name: str, column: pa.Array) -> np.ndarray:
    kind = column.type
    if pa.types.is_floating(kind):
        values = pc.fill_null(column.cast(pa.float64()), 0.0)
        return np.asarray(values, dtype=np.float64).view(np.uint64)
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp("us", tz=kind.tz)).cast(pa.int64())
    elif not pa.types.is_integer(kind):
        raise TypeError(f"column '{name}' is {kind}; the benchmark's answers hold numbers and instants only.")
    return np.asarray(pc.fill_null(column.cast(pa.int64()), 0), dtype=np.int64).view(np.uint64)


def _mixed(words: np.ndarray) -> np.ndarray:
    """splitmix64: each bit of a word changes about half of the bits."""
    words = words + _NULL
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: np.ndarray = words ^ (words >> np.uint64(31))
    return mixed
