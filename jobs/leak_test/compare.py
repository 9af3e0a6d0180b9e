"""Stored cells against rebuilt ones: bit for bit, by what they hold and not by how they are printed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from jobs.leak_test.sample import ROW, Sample
from kernels.content_hash import row_digests


@dataclass(frozen=True)
class Change:
    """A cell that came out otherwise: the number of its row in the sample, its column, what was stored, and rebuilt."""

    row: int
    column: str
    stored: Any
    rebuilt: Any


def changes(sample: Sample, rebuilt: pa.Table, columns: Sequence[str]) -> list[Change]:
    """Every cell of these columns that differs; rebuilt: a row for each of the sample's, by its number.

    Rows are compared by the digests that the content hash is made of (S34).
    """
    stored = sample.rows.select([ROW, *columns]).sort_by(ROW)
    again = rebuilt.select([ROW, *columns]).sort_by(ROW)
    differs = (row_digests(stored) != row_digests(again)).any(axis=1)
    found = []
    for name in columns:
        # One column's digests beside the rows' numbers say which of its cells differ.
        cells = row_digests(stored.select([name])) != row_digests(again.select([name]))
        for index in (differs & cells.any(axis=1)).nonzero()[0]:
            row = stored[ROW][int(index)].as_py()
            found.append(Change(row, name, stored[name][int(index)].as_py(), again[name][int(index)].as_py()))
    return found
