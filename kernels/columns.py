"""One Arrow column as NumPy reads it: as integers, as numbers of the same order, as codes of its distinct values."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from definitions.errors import SourceSchemaError

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Values = npt.NDArray[Any]


def cleaned(column: pa.ChunkedArray) -> pa.Array:
    """The column as one array, decoded; −0.0 is 0.0, NaN and infinities are null (S23)."""
    array = column.combine_chunks()
    if pt.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if not pt.is_floating(array.type):
        return array
    positive_zero = pc.add(array, pa.scalar(0.0, array.type))
    return pc.if_else(pc.is_finite(array), positive_zero, pa.scalar(None, array.type))


def as_int64(array: pa.Array) -> Ints | None:
    """Integers, booleans and times as int64 (0 where null), None for every other type."""
    kind = array.type
    if pt.is_boolean(kind) or (pt.is_integer(kind) and kind != pa.uint64()):
        array = array.cast(pa.int64())
    elif pt.is_date32(kind) or pt.is_time32(kind):
        array = array.view(pa.int32()).cast(pa.int64())
    elif pt.is_timestamp(kind) or pt.is_date64(kind) or pt.is_time64(kind) or pt.is_duration(kind):
        array = array.view(pa.int64())
    else:
        return None
    return np.asarray(array.fill_null(0).to_numpy(zero_copy_only=False))


def order_of(array: pa.Array) -> Values:
    """Numbers that sort as the values do: nulls first, numbers by value, text by unsigned bytes."""
    if array.null_count == 0:
        numbers = as_int64(array)
        if numbers is not None:
            return numbers
        if pt.is_floating(array.type):
            return np.asarray(array.to_numpy(zero_copy_only=False))
    return dense_ranks(array)[0]


def dense_ranks(array: pa.Array) -> tuple[Ints, pa.Array]:
    """0 for null, else 1 + the position of the value among the sorted distinct values; and those values."""
    encoded = array.dictionary_encode()
    ascending = np.asarray(pc.sort_indices(encoded.dictionary).to_numpy()).astype(np.int64)
    ranks = np.zeros(len(ascending) + 1, np.int64)
    ranks[ascending + 1] = np.arange(1, len(ascending) + 1)
    codes = pc.add(pc.fill_null(encoded.indices.cast(pa.int64()), -1), 1)
    return ranks[codes.to_numpy()], encoded.dictionary.take(pa.array(ascending))


@dataclass(frozen=True, eq=False)
class InputColumn:
    """An input of the facts; each form of it is computed once for all outputs, windows and instants."""

    name: str
    array: pa.Array

    @cached_property
    def valid(self) -> Bools | None:
        """Which rows hold a value; None if all do."""
        if self.array.null_count == 0:
            return None
        return np.asarray(self.array.is_valid().to_numpy(zero_copy_only=False))

    @cached_property
    def units(self) -> Values:
        """Integers in units of the quantum, 0 where null: int64, or Python ints for decimal(p, 0)."""
        kind = self.array.type
        if pt.is_decimal(kind) and kind.scale == 0:
            return np.array([int(value or 0) for value in self.array.to_pylist()], dtype=object)
        numbers = as_int64(self.array) if pt.is_integer(kind) else None
        if numbers is None:
            raise SourceSchemaError(
                f"input '{self.name}' is {kind}; sums, means and deviations add integers: "
                "round it to its quantum and cast it to int64 first"
            )
        return numbers

    @cached_property
    def codes(self) -> Ints:
        """One code per distinct value, from 0, in no particular order; the code of a null means nothing."""
        indices = self.array.dictionary_encode().indices
        return np.asarray(indices.fill_null(0).to_numpy(zero_copy_only=False)).astype(np.int64)

    @cached_property
    def comparable(self) -> Values:
        """Numbers that compare as the values do; `restored` turns them back."""
        if pt.is_floating(self.array.type):
            return np.asarray(self.array.fill_null(0).to_numpy(zero_copy_only=False))
        numbers = as_int64(self.array)
        return self._ranked[0] if numbers is None else numbers

    @cached_property
    def _ranked(self) -> tuple[Ints, pa.Array]:
        return dense_ranks(self.array)

    def restored(self, numbers: Values, *, is_null: Bools) -> pa.Array:
        """Values of this column's type from some of `comparable`'s numbers."""
        kind = self.array.type
        if pt.is_floating(kind):
            return pa.array(numbers, kind, mask=is_null)
        if as_int64(self.array.slice(0, 0)) is None:
            return self._ranked[1].take(pa.array(np.where(is_null, 1, numbers) - 1, mask=is_null))
        integers = pa.array(np.where(is_null, 0, numbers), pa.int64(), mask=is_null)
        if pt.is_date32(kind) or pt.is_time32(kind):
            return integers.cast(pa.int32()).view(kind)
        return integers.cast(kind)
