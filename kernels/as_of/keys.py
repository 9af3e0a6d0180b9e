"""Keys of two tables as integers, equal where all parts are (S17)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kernels.as_of.search import NONE
from kernels.columns import Ints


@dataclass(frozen=True, eq=False)
class KeyCodes:
    """facts: the code of each fact's key, from 0, in the order in which the facts first name it.

    values: of each part its distinct values; pairs: of each part but the first the distinct codes of it with the parts
    before. Coded again after each part, so that no number of parts overflows.
    """

    facts: Ints
    values: Sequence[pa.Array]
    pairs: Sequence[pa.Array]

    @classmethod
    def of(cls, parts: Sequence[pa.Array]) -> "KeyCodes":
        """parts: the facts' keys, never null."""
        codes, first = _encoded(parts[0])
        values, pairs = [first], []
        for part in parts[1:]:
            seconds, distinct = _encoded(part)
            codes, together = _encoded(pa.array(codes * len(distinct) + seconds))
            values.append(distinct)
            pairs.append(together)
        return cls(codes, values, pairs)

    def of_rows(self, parts: Sequence[pa.Array]) -> Ints:
        """The codes of other keys; NONE for one that has a null, or that no fact has."""
        codes = _positions(parts[0], self.values[0])
        for part, distinct, together in zip(parts[1:], self.values[1:], self.pairs, strict=True):
            seconds = _positions(part, distinct)
            is_missing = (codes == NONE) | (seconds == NONE)
            codes = _positions(pa.array(np.where(is_missing, NONE, codes * len(distinct) + seconds)), together)
        return codes


def _encoded(facts: pa.Array) -> tuple[Ints, pa.Array]:
    encoded = facts.dictionary_encode()
    return _integers(encoded.indices), encoded.dictionary


def _positions(rows: pa.Array, values: pa.Array) -> Ints:
    return _integers(pc.index_in(rows, value_set=values, skip_nulls=True).fill_null(NONE))


def _integers(indices: pa.Array) -> Ints:
    return np.asarray(indices.to_numpy(zero_copy_only=False)).astype(np.int64)
