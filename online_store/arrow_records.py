"""Rows of published tables, as Arrow brings them, into records: typed as declared, or refused."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.types as pt

from definitions.types import arrow_type
from online_store.errors import OnlineStoreError
from online_store.record import RecordForm, value_of
from online_store.snapshot import StoredView
from online_store.values import Form

ROWS_AT_ONCE = 2**13
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FAMILIES: tuple[Callable[[pa.DataType], bool], ...] = (
    pt.is_boolean,
    pt.is_integer,
    pt.is_floating,
    pt.is_decimal,
    lambda kind: pt.is_string(kind) or pt.is_large_string(kind),
    lambda kind: pt.is_binary(kind) or pt.is_large_binary(kind),
    pt.is_date,
    pt.is_timestamp,
)


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
    micros = _typed(view, batch, name, "timestamp")
    if micros.null_count and not view.is_static:
        raise OnlineStoreError(f"{view.table}: '{name}' is null in {micros.null_count:,} rows; their age is unknown.")
    return micros.to_pylist()  # type: ignore[no-any-return]


def _values(view: StoredView, batch: pa.RecordBatch, name: str, type_: str) -> list[Any]:
    typed = _typed(view, batch, name, type_)
    try:
        if type_ == "timestamp":
            return [None if us is None else _EPOCH + timedelta(microseconds=us) for us in typed.to_pylist()]
        return typed.to_pylist()  # type: ignore[no-any-return]
    except (OverflowError, ValueError):
        raise OnlineStoreError(f"{view.table}: '{name}' holds a time outside the years 1 to 9999.") from None


def _typed(view: StoredView, batch: pa.RecordBatch, name: str, type_: str) -> pa.Array:
    """The column as its declared type, whatever exact form Arrow brings it in; instants as µs since the epoch."""
    if name not in batch.schema.names:
        raise OnlineStoreError(f"{view.table}: the rows have no column '{name}', which the description names.")
    array = batch.column(batch.schema.names.index(name))
    if pt.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    target = arrow_type(type_)
    if not any(is_family(array.type) and is_family(target) for is_family in _FAMILIES):
        raise OnlineStoreError(f"{view.table}: column '{name}' is {array.type}, and {type_} was described.")
    try:
        if pt.is_timestamp(target):
            return array.cast(pa.timestamp("us", array.type.tz)).cast(pa.int64())
        # Text and bytes stay as they came: the wide form of a long column need not fit into the narrow one.
        return array if pt.is_large_string(array.type) or pt.is_large_binary(array.type) else array.cast(target)
    except pa.ArrowInvalid:
        raise OnlineStoreError(f"{view.table}: column '{name}' holds a value that no {type_} can hold.") from None
