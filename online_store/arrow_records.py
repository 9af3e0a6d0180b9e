"""Rows of published tables, as Arrow brings them, into records: typed as declared, or refused."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.types as pt

from online_store.errors import OnlineStoreError
from online_store.record import RecordForm, value_of
from online_store.snapshot import StoredView
from online_store.values import Form

ROWS_AT_ONCE = 2**13
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECONDS = pa.timestamp("us")
_TYPES = {
    "boolean": (pa.bool_(), pt.is_boolean),
    "int": (pa.int32(), pt.is_integer),
    "bigint": (pa.int64(), pt.is_integer),
    "double": (pa.float64(), pt.is_floating),
    "string": (pa.large_string(), lambda kind: pt.is_string(kind) or pt.is_large_string(kind)),
    "binary": (pa.large_binary(), lambda kind: pt.is_binary(kind) or pt.is_large_binary(kind)),
    "date": (pa.date32(), pt.is_date),
    "timestamp": (_MICROSECONDS, pt.is_timestamp),
}


def encoded(form: RecordForm, batches: Iterable[pa.RecordBatch]) -> Iterator[list[tuple[bytes, bytes]]]:
    """Whole keys and values, some thousand rows at a time.

    Raises OnlineStoreError for a missing or differently typed column, a null key, a row without a time in a view that
    is not static, and a value that JSON can't hold exactly (NaN, an infinity, a year beyond 9999).
    """
    for batch in batches:
        for start in range(0, batch.num_rows, ROWS_AT_ONCE):
            yield list(_pairs(form, batch.slice(start, ROWS_AT_ONCE)))


def _pairs(form: RecordForm, batch: pa.RecordBatch) -> Iterator[tuple[bytes, bytes]]:
    view = form.view
    keys = [_values(view, batch, name, type_) for name, type_ in view.keys]
    for (name, _), parts in zip(view.keys, keys, strict=True):
        if None in parts:
            raise OnlineStoreError(f"{view.table}: key '{name}' is null in a row; it belongs to no entity (S17).")
    times = [_times(view, batch, name) for name in ("event_time", "available_time")]
    columns = [
        _sent(view, column.name, value_form, _values(view, batch, column.name, column.type))
        for column, value_form in zip(view.columns, form.value_forms, strict=True)
    ]
    for entity, row in zip(zip(*keys, strict=True), zip(*times, *columns, strict=True), strict=True):
        yield form.key(entity), value_of(row)


def _sent(view: StoredView, name: str, form: Form, values: list[Any]) -> list[Any]:
    try:
        return [None if value is None else form.sent(value) for value in values]
    except ValueError as refused:
        raise OnlineStoreError(f"{view.table}: column '{name}' has a value that can't be stored: {refused}.") from None


def _times(view: StoredView, batch: pa.RecordBatch, name: str) -> list[int | None]:
    if view.is_static and name not in batch.schema.names:
        return [None] * batch.num_rows
    micros = _typed(view, batch, name, "timestamp").cast(pa.int64())
    if micros.null_count and not view.is_static:
        raise OnlineStoreError(f"{view.table}: '{name}' is null in {micros.null_count:,} rows; their age is unknown.")
    return micros.to_pylist()  # type: ignore[no-any-return]


def _values(view: StoredView, batch: pa.RecordBatch, name: str, type_: str) -> list[Any]:
    typed = _typed(view, batch, name, type_)
    try:
        if type_ == "timestamp":
            return [
                None if us is None else _EPOCH + timedelta(microseconds=us) for us in typed.cast(pa.int64()).to_pylist()
            ]
        return typed.to_pylist()  # type: ignore[no-any-return]
    except (OverflowError, ValueError):
        raise OnlineStoreError(f"{view.table}: '{name}' holds a time outside the years 1 to 9999.") from None


def _typed(view: StoredView, batch: pa.RecordBatch, name: str, type_: str) -> pa.Array:
    """The column in its declared type, whatever exact form Arrow brings it in."""
    if name not in batch.schema.names:
        raise OnlineStoreError(f"{view.table}: the rows have no column '{name}', which the description names.")
    array = batch.column(batch.schema.names.index(name))
    if pt.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    target, is_such = _arrow_type(type_)
    if not is_such(array.type):
        raise OnlineStoreError(f"{view.table}: column '{name}' is {array.type}, and {type_} was described.")
    try:
        if pt.is_timestamp(array.type):
            array = array.cast(pa.timestamp("us", array.type.tz)).cast(pa.int64())
        return array.cast(target)
    except pa.ArrowInvalid:
        raise OnlineStoreError(f"{view.table}: column '{name}' holds a value that no {type_} can hold.") from None


def _arrow_type(type_: str) -> Any:
    if type_ in _TYPES:
        return _TYPES[type_]
    precision, scale = (int(part) for part in type_.removeprefix("decimal(").removesuffix(")").split(","))
    return pa.decimal128(precision, scale), pt.is_decimal
