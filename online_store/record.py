"""One record per (entity, view): how its key and its value lie in any store.

Key    2 bytes length of the table's name, the name, 1 byte 0, then per part of the entity's key, in the view's order:
       1 byte tag of its type, 4 bytes length, and the part as JSON text (see `values`).
       Lengths are big-endian.
Value  a JSON array, ready to be sent: event_time and available_time in µs since 1970 (null in static views that have
       none), then the view's columns in order.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from online_store.errors import OnlineStoreError
from online_store.snapshot import StoredView
from online_store.values import Form, form_of

_WHOLE = b"\x00"
_MODULUS = 2**256


class Record(NamedTuple):
    """One entity's row of a view: values in the order of the view's keys and columns, times in µs since 1970."""

    keys: tuple[Any, ...]
    event_time_us: int | None
    available_time_us: int | None
    values: tuple[Any, ...]


class RecordForm:
    """Keys and values of one view's records. Values that are not of their declared type raise ValueError."""

    def __init__(self, view: StoredView) -> None:
        if floating := [name for name, type_ in view.keys if type_ == "double"]:
            raise OnlineStoreError(f"'{view.table}': key '{floating[0]}' is a double; float keys are refused (S17).")
        self.view = view
        self.key_forms = tuple(form_of(type_) for type_ in view.key_types)
        self.value_forms = tuple(form_of(column.type) for column in view.columns)
        self.prefix = _sized(view.table.encode(), 2)

    def key(self, keys: Sequence[Any]) -> bytes:
        """The whole key, however long."""
        parts = zip(self.key_forms, keys, strict=True)
        return self.prefix + _WHOLE + b"".join(_part(form, form.sent(value)) for form, value in parts)

    def keys(self, key: bytes) -> tuple[Any, ...]:
        """The parts of a whole key."""
        parts, at = [], len(self.prefix) + 1
        for form in self.key_forms:
            end = at + 5 + int.from_bytes(key[at + 1 : at + 5], "big")
            parts.append(form.restored(json.loads(key[at + 5 : end])))
            at = end
        return tuple(parts)

    def value(self, record: Record) -> bytes:
        sent = (
            None if value is None else form.sent(value)
            for form, value in zip(self.value_forms, record.values, strict=True)
        )
        return value_of((record.event_time_us, record.available_time_us, *sent))

    def record(self, keys: tuple[Any, ...], content: bytes) -> Record:
        """Raises ValueError for content that `value` never wrote."""
        event_time, available_time, *sent = json.loads(content)
        if not {type(event_time), type(available_time)} <= {int, type(None)}:
            raise ValueError("times in whole µs expected")
        values = (
            None if value is None else form.restored(value) for form, value in zip(self.value_forms, sent, strict=True)
        )
        return Record(keys, event_time, available_time, tuple(values))


def value_of(sent: Sequence[Any]) -> bytes:
    """The array of both times and the values, each as it is sent."""
    return json.dumps(sent, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


@dataclass
class Tally:
    """How many records, and the sum of the SHA-256 of each whole key and value, whatever their order."""

    records: int = 0
    sum: int = 0

    def add(self, key: bytes, value: bytes) -> None:
        digest = hashlib.sha256(_sized(key, 4) + value).digest()
        self.records, self.sum = self.records + 1, (self.sum + int.from_bytes(digest, "big")) % _MODULUS

    def to_fields(self) -> dict[str, Any]:
        return {"records": self.records, "sum": f"{self.sum:064x}"}


def tally(form: RecordForm, records: Iterator[Record]) -> Tally:
    """The tally of restored records: they are encoded again, so that a value that changed since shows."""
    counts = Tally()
    for record in records:
        counts.add(form.key(record.keys), form.value(record))
    return counts


def _sized(content: bytes, length_bytes: int) -> bytes:
    return len(content).to_bytes(length_bytes, "big") + content


def _part(form: Form, sent: Any) -> bytes:
    return bytes((form.tag,)) + _sized(json.dumps(sent, ensure_ascii=False).encode(), 4)
