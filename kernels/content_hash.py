"""The content hash (S34): the sum over rows of SHA-256 of a canonical encoding, whatever the order or engine.

`kernels/row_encoding.py` spells the encoding of a row out. A digest counts as a big-endian number of 256 bits; sums are
modulo 2**256. Column names are no part of it.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from kernels.columns import cleaned, dense_ranks
from kernels.row_encoding import Bytes, encoded_rows

MODULUS = 2**256
ROWS_AT_ONCE = 2**13  # encoded at a time: a megabyte or two, so that each cell is written inside the cache
LIMBS = tuple(f"limb_{index}" for index in range(8))  # 32 bits each, the least significant first


@dataclass(frozen=True)
class ContentHash:
    """The hash of some rows, in hexadecimal, and how many they are. Hashes of disjoint rows add up."""

    hex: str
    rows: int

    def __add__(self, other: "ContentHash") -> "ContentHash":
        return ContentHash(_hex(int(self.hex, 16) + int(other.hex, 16)), self.rows + other.rows)


NO_ROWS = ContentHash("0" * 64, 0)


def row_digests(table: pa.Table) -> Bytes:
    """SHA-256 of the encoding of each row, as a (rows, 32) matrix; the columns are in the table's order.

    Raises SourceSchemaError for a type without an encoding, and for nanoseconds that aren't whole µs.
    Cost: fixed-width columns are encoded together; each text or binary column adds a step per row, a nested column a
    step per cell inside it.
    """
    digests: list[bytes] = []
    for start in range(0, table.num_rows, ROWS_AT_ONCE):
        digests += [hashlib.sha256(row).digest() for row in encoded_rows(table.slice(start, ROWS_AT_ONCE))]
    return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 32)


def partial_sums(table: pa.Table, *, slice_column: str) -> pa.Table:
    """One row per slice: `slice`, `rows`, and the sum of the digests as eight int64 limbs of 32 bits.

    Limbs of parts add up by plain addition, in any engine, for up to 2**31 rows a slice; see `combine`.
    The slice column belongs to the content too. A null slice is a slice of its own.
    """
    ranks, slices = dense_ranks(cleaned(table[slice_column]))
    words = row_digests(table).view(">u4").reshape(-1, len(LIMBS))[:, ::-1].astype(np.int64)
    order = np.argsort(ranks, kind="stable")
    present, first = np.unique(ranks[order], return_index=True)
    sums = np.add.reduceat(words[order], first) if len(first) else words
    columns = {
        "slice": slices.take(pa.array(present - 1, mask=present == 0)),
        "rows": pa.array(np.diff(np.append(first, len(order))).astype(np.int64)),
    }
    return pa.table(columns | {name: pa.array(sums[:, index].copy()) for index, name in enumerate(LIMBS)})


def combine(partials: pa.Table | Iterable[Sequence[Any]]) -> dict[Any, ContentHash]:
    """The content hash of each slice, from partial sums of any parts: a table, or rows in its order."""
    if isinstance(partials, pa.Table):
        names = ["slice", "rows", *LIMBS]
        partials = zip(*(partials[name].to_pylist() for name in names), strict=True)
    hashes: dict[Any, ContentHash] = {}
    for slice_, rows, *limbs in partials:
        total = sum(int(limb) << (32 * index) for index, limb in enumerate(limbs))
        hashes[slice_] = ContentHash(_hex(total), rows) + hashes.get(slice_, ContentHash("0", 0))
    return hashes


def _hex(total: int) -> str:
    return f"{total % MODULUS:064x}"
