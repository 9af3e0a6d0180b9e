"""The files of one bucket of a layout as a worker reads them, without the rows that later runs hold again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lakehouse.tables import filesystem

AT_ONCE = 2**20  # rows of a file, and labels


@dataclass(frozen=True)
class BucketFiles:
    """`of`: per bucket its files, each with its masked spans. `names`: columns to read -> the names that they get."""

    of: Mapping[int, Sequence[tuple[str, Sequence[tuple[int, int]]]]]
    names: Mapping[str, str]
    schema: pa.Schema

    def pieces(self, bucket: int) -> Iterator[pa.Table]:
        """The bucket's rows in pieces. The first is empty: it has the types, also where the bucket has no file."""
        yield self.schema.empty_table()
        for path, masked in self.of.get(bucket, ()):
            for piece in _read(path, list(self.names)):
                yield _unmasked(piece, masked).rename_columns(list(self.names.values()))


def _read(path: str, columns: list[str]) -> Iterator[pa.Table]:
    located = filesystem(path)
    if located is None:
        raise ValueError(f"{path}: workers have no file system for this scheme; join with strategy='sql'")
    system, inner = located
    with system.open_input_file(inner) as file:
        for batch in pq.ParquetFile(file).iter_batches(AT_ONCE, columns=columns, use_threads=False):
            yield pa.Table.from_batches([batch]).select(columns)


def _unmasked(piece: pa.Table, masked: Sequence[tuple[int, int]]) -> pa.Table:
    """Without the facts that a later run, or the tail, holds again."""
    if not masked:
        return piece
    at = piece["event_time"].cast(pa.int64()).to_numpy()
    starts, ends = (np.array(sorted(edges), np.int64) for edges in zip(*masked, strict=True))
    covered = np.searchsorted(starts, at, "right") > np.searchsorted(ends, at, "right")
    return piece.filter(pa.array(~covered))
