"""The canonical encoding of a row, byte by byte: what the content hash (S34) is computed from.

A row is its cells in the order of the columns. A cell is
    1 byte   the logical type: its tag
    1 byte   1 if the cell is null, else 0
    4 bytes  the length of the value, little-endian
    n bytes  the value; for a null zeros, as many as its type always has (none for text and binary)
integer (any width, signed)  8 bytes, little-endian     boolean    1 byte
double (and float)           8 bytes IEEE 754, little-endian; −0.0 is 0.0, every NaN is 7ff8000000000000
timestamp                    8 bytes, µs since the epoch, with or without a zone (S1)
date                         8 bytes, days since the epoch
decimal                      1 byte scale, 16 bytes unscaled two's complement, little-endian
text                         UTF-8                      binary     as it is
array                        4 bytes the count, little-endian, then the cells of its elements, in order
struct                       the cells of its fields, in order; their names are no part of it
map                          4 bytes the count, then key cell and value cell of each entry, by the bytes of the key cell
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.types as pt

from definitions.errors import SourceSchemaError
from kernels.columns import Bools, as_int64

Bytes = npt.NDArray[np.uint8]
BOOLEAN, INTEGER, DOUBLE, DECIMAL, TEXT, BINARY, DATE, TIMESTAMP, ARRAY, STRUCT, MAP = range(1, 12)
CANONICAL_NAN = 0x7FF8000000000000


def encoded_rows(table: pa.Table) -> Iterable[bytes]:
    """The bytes of each row: runs of neighbouring fixed-width columns, and each text column's cells between them."""
    runs: list[list[bytes]] = []
    fixed: list[_Fixed] = []
    for name in table.column_names:
        array = _decoded(table[name].combine_chunks())
        if not _is_long(array.type):
            fixed.append(_fixed_width(array, name))
            continue
        cells = _long_cells(array, name)
        runs += [_side_by_side(fixed), cells] if fixed else [cells]
        fixed = []
    if fixed:
        runs.append(_side_by_side(fixed))
    return runs[0] if len(runs) == 1 else map(b"".join, zip(*runs, strict=True))


def _side_by_side(columns: "Sequence[_Fixed]") -> list[bytes]:
    """The cells of each row, one after another; every value is written once, to its final position."""
    rows = np.zeros(len(columns[0].values), [(str(index), column.cell) for index, column in enumerate(columns)])
    for index, column in enumerate(columns):
        cells = rows[str(index)]
        cells["tag"], cells["length"], cells["value"] = column.tag, cells.dtype["value"].itemsize, column.values
        if column.null is not None:
            cells["null"] = column.null
            cells["value"][column.null] = 0
    whole: list[bytes] = rows.view(f"V{rows.itemsize}").tolist()
    return whole


def _decoded(array: pa.Array) -> pa.Array:
    return array.cast(array.type.value_type) if pt.is_dictionary(array.type) else array


def _cells(array: pa.Array, name: str) -> list[bytes]:
    """The cells of one array, whatever its type."""
    array = _decoded(array)
    return _long_cells(array, name) if _is_long(array.type) else _side_by_side([_fixed_width(array, name)])


def _long_cells(array: pa.Array, name: str) -> list[bytes]:
    """Cells of a type without a fixed length."""
    kind = array.type
    if _is_text(kind) or _is_binary(kind):
        tag = TEXT if _is_text(kind) else BINARY
        return [_cell(tag, value) for value in array.cast(pa.large_binary()).to_pylist()]
    is_valid = array.is_valid().to_pylist()
    if pt.is_struct(kind):
        fields = [_cells(array.field(index), name) for index in range(kind.num_fields)]
        rows = [b"".join(cells) for cells in zip(*fields, strict=True)] if fields else [b""] * len(array)
        return [_cell(STRUCT, row if has_value else None) for row, has_value in zip(rows, is_valid, strict=True)]
    ranges = list(pairwise(array.offsets.to_pylist()))
    if pt.is_map(kind):
        entries = list(zip(_cells(array.keys, name), _cells(array.items, name), strict=True))
        inside = [[key + value for key, value in sorted(entries[start:end])] for start, end in ranges]
    else:
        elements = _cells(array.values, name)
        inside = [elements[start:end] for start, end in ranges]
    tag = MAP if pt.is_map(kind) else ARRAY
    counted = [len(cells).to_bytes(4, "little") + b"".join(cells) for cells in inside]
    return [_cell(tag, value if has_value else None) for value, has_value in zip(counted, is_valid, strict=True)]


def _cell(tag: int, value: bytes | None) -> bytes:
    if value is None:
        return bytes((tag, 1, 0, 0, 0, 0))
    return bytes((tag, 0)) + len(value).to_bytes(4, "little") + value


@dataclass(frozen=True, eq=False)
class _Fixed:
    """A fixed-width column: the tag, and per row the bytes of its value; where it is null, the bytes mean nothing."""

    tag: int
    values: npt.NDArray[Any]
    null: Bools | None

    @property
    def cell(self) -> np.dtype[Any]:
        value = ("value", self.values.dtype, self.values.shape[1:])
        return np.dtype([("tag", "u1"), ("null", "u1"), ("length", "<u4"), value])


def _fixed_width(array: pa.Array, name: str) -> _Fixed:
    tag, values = _values(array, name)
    return _Fixed(tag, values, array.is_null().to_numpy(zero_copy_only=False) if array.null_count else None)


def _values(array: pa.Array, name: str) -> tuple[int, npt.NDArray[Any]]:
    kind = array.type
    if pt.is_boolean(kind):
        return BOOLEAN, _integers(array).astype("u1")
    if pt.is_floating(kind):
        doubles = np.asarray(array.cast(pa.float64()).fill_null(0).to_numpy(zero_copy_only=False)) + 0.0
        return DOUBLE, np.where(np.isnan(doubles), np.int64(CANONICAL_NAN), doubles.view(np.int64)).astype("<i8")
    if pt.is_decimal(kind) and kind.precision <= 38:
        return DECIMAL, _decimals(array.cast(pa.decimal128(38, kind.scale)))
    if pt.is_integer(kind) and kind != pa.uint64():
        return INTEGER, _integers(array)
    if pt.is_date(kind):
        return DATE, _integers(array.cast(pa.date32()))
    if pt.is_timestamp(kind):
        return TIMESTAMP, _integers(_microseconds(array, name))
    raise SourceSchemaError(
        f"column '{name}' is {kind}, which has no canonical encoding; "
        "publish integers, doubles, decimals, booleans, text, binary, dates, timestamps, or arrays, structs and maps "
        "of them"
    )


def _integers(array: pa.Array) -> npt.NDArray[Any]:
    return np.asarray(as_int64(array)).astype("<i8", copy=False)


def _microseconds(array: pa.Array, name: str) -> pa.Array:
    try:
        return array.cast(pa.timestamp("us", array.type.tz))
    except pa.ArrowInvalid:
        raise SourceSchemaError(
            f"column '{name}' is {array.type} with values that aren't whole µs; quarantine them (S1)"
        ) from None


def _decimals(array: pa.Array) -> Bytes:
    """The declared scale, then the 16 bytes that Arrow holds: the unscaled value, little-endian."""
    scaled = np.empty((len(array), 17), np.uint8)
    scaled[:, 0] = array.type.scale % 256
    unscaled = np.frombuffer(array.buffers()[1], np.uint8, 16 * len(array), 16 * array.offset)
    scaled[:, 1:] = unscaled.reshape(-1, 16)
    return scaled


def _is_text(kind: pa.DataType) -> bool:
    return bool(pt.is_string(kind) or pt.is_large_string(kind) or pt.is_string_view(kind))


def _is_long(kind: pa.DataType) -> bool:
    is_nested = pt.is_struct(kind) or pt.is_map(kind) or pt.is_list(kind) or pt.is_large_list(kind)
    return _is_text(kind) or _is_binary(kind) or bool(is_nested)


def _is_binary(kind: pa.DataType) -> bool:
    fixed = pt.is_fixed_size_binary(kind)
    return bool(fixed or pt.is_binary(kind) or pt.is_large_binary(kind) or pt.is_binary_view(kind))
