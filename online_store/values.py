"""Values as JSON, and back, bit for bit, by their declared type.

boolean       true, false
int, bigint   a number; exact beyond 2**53, which a reader in JavaScript has to know
double        the shortest number that reads back as the same double, −0.0 included; NaN and infinities are refused
decimal(p,s)  text with exactly s decimals, e.g. "12.50"
string        text
date          text, e.g. "2017-11-30"
timestamp     text of an instant in UTC, to the microsecond, e.g. "2017-11-30T06:00:00.000001Z"
binary        text in base64
"""

import base64
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from definitions.types import KNOWN, find_type
from online_store.errors import OnlineStoreError

Json = bool | int | float | str
_DECIMAL_TEXT = re.compile(r"-?[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True)
class Form:
    """How one type's values are sent, and restored from what was sent. Both raise ValueError for any other value."""

    tag: int
    sent: Callable[[Any], Json]
    restored: Callable[[Any], Any]


@cache
def form_of(type_: str) -> Form:
    """The form of a declared type. Raises OnlineStoreError for a type that has none."""
    declared = find_type(type_)
    if declared is None:
        raise OnlineStoreError(f"type '{type_}' can't be stored online; use {KNOWN} or binary.")
    return _decimal(declared.precision, declared.scale) if declared.is_decimal else _FORMS[declared.name]


def _only(kind: type) -> Callable[[Any], Any]:
    def checked(value: Any) -> Any:
        if type(value) is not kind:
            raise ValueError(f"{kind.__name__} expected, found {type(value).__name__}")
        return value

    return checked


def _whole(bits: int) -> Callable[[Any], Any]:
    least, most = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1

    def checked(value: Any) -> Any:
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"a whole number of {bits} bits expected")
        return value

    return checked


def _finite(value: Any) -> float:
    if type(value) is not float or not math.isfinite(value):
        raise ValueError("a finite double expected (S23)")
    return value


def _decimal(precision: int, scale: int) -> Form:
    def checked(value: Any) -> Decimal:
        if type(value) is not Decimal or not value.is_finite():
            raise ValueError("a decimal expected")
        _, digits, exponent = value.as_tuple()
        if exponent != -scale or (len(digits) > precision and any(digits)):
            raise ValueError(f"a decimal of {precision} digits, {scale} of them decimals, expected")
        return value

    def restored(text: Any) -> Decimal:
        if type(text) is not str or not _DECIMAL_TEXT.fullmatch(text):
            raise ValueError("the text of a decimal expected")
        return checked(Decimal(text))

    return Form(7, lambda value: format(checked(value), "f"), restored)


def _date_sent(value: Any) -> str:
    return str(_only(date)(value).isoformat())


def _date_restored(text: Any) -> date:
    restored = date.fromisoformat(_only(str)(text))
    if restored.isoformat() != text:
        raise ValueError("a date such as 2017-11-30 expected")
    return restored


def _timestamp_sent(value: Any) -> str:
    if _only(datetime)(value).tzinfo is None:
        raise ValueError("an instant has a zone (S3)")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"  # type: ignore[no-any-return]


def _timestamp_restored(text: Any) -> datetime:
    restored = datetime.fromisoformat(_only(str)(text))
    if restored.tzinfo is None or _timestamp_sent(restored) != text:
        raise ValueError("an instant such as 2017-11-30T06:00:00Z expected")
    return restored


def _binary_sent(value: Any) -> str:
    return base64.b64encode(_only(bytes)(value)).decode()


def _binary_restored(text: Any) -> bytes:
    return base64.b64decode(_only(str)(text), validate=True)


# By the names of `definitions.types`; the tags stand in stored records.
_FORMS = {
    "boolean": Form(1, _only(bool), _only(bool)),
    "int": Form(2, _whole(32), _whole(32)),
    "bigint": Form(3, _whole(64), _whole(64)),
    "double": Form(4, _finite, _finite),
    "string": Form(5, _only(str), _only(str)),
    "binary": Form(6, _binary_sent, _binary_restored),
    "date": Form(8, _date_sent, _date_restored),
    "timestamp": Form(9, _timestamp_sent, _timestamp_restored),
}
