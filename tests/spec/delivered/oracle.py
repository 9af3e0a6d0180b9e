"""What a text means for a declared type, slowly and in plain Python: the oracle of what Spark computes.

Every function takes the text of one cell and returns its value, or raises ValueError with the reason.
"""

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1)
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_CLOCKED = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
    r"(?:[Tt ]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]+))?)?(?: ?(Z|z|UTC|[+-][0-9:]{2,8}))?)?"
)
_OFFSET = re.compile(r"([+-])([0-9]{2})(?::([0-9]{2})(?::([0-9]{2}))?|([0-9]{2})([0-9]{2})?)?")
TOO_FINE = "a time is finer than a microsecond"


def whole(bits: int, type_: str) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[+-]?[0-9]+", text) or not -(2 ** (bits - 1)) <= int(text) < 2 ** (bits - 1):
            raise ValueError(f"x is not {type_}")
        return int(text)

    return read


def double(text: str) -> float:
    number = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(number):
        raise ValueError("x is NaN, infinite or not a number")
    return number + 0.0


def double_or_null(text: str) -> float | None:
    if re.fullmatch(r"(?i)[+-]?nan", text, re.ASCII):
        return None
    try:
        return double(text)
    except ValueError:
        raise ValueError("x is infinite or not a number") from None


def decimal(precision: int, scale: int) -> Callable[[str], Decimal]:
    def read(text: str) -> Decimal:
        if not _NUMBER.fullmatch(text):
            raise ValueError("x is not a number")
        sign, digits, exponent = Decimal(text).as_tuple()
        units = Decimal((sign, digits, int(exponent) + scale))  # never rounded, as arithmetic would be
        if abs(_rounded(text, scale)) >= 10**precision:
            raise ValueError(f"x does not fit decimal({precision},{scale})")
        if units != units.to_integral_value():
            raise ValueError(f"x is not a whole number of {Decimal(1).scaleb(-scale):f}")
        return Decimal(int(units)).scaleb(-scale, Context(prec=1_000))

    return read


def _rounded(text: str, scale: int) -> int:
    exact = Fraction(text) * 10**scale
    size = math.floor(abs(exact) + Fraction(1, 2))
    return size if exact >= 0 else -size


def boolean(text: str) -> bool:
    if text.lower() in ("true", "t", "yes", "y", "1"):
        return True
    if text.lower() in ("false", "f", "no", "n", "0"):
        return False
    raise ValueError("x is not boolean")


def day(text: str) -> date:
    found = re.fullmatch(r"([0-9]{4}-[0-9]{1,2}-[0-9]{1,2})([Tt ]0?0:00(:00([.,]0+)?)?)?", text)
    try:
        return date(*map(int, found[1].split("-"))) if found else _no("x is not a day")
    except ValueError:
        raise ValueError("x is not a day") from None


def instant(zone: str, choice: str = "quarantine") -> Callable[[str], int]:
    """Microseconds since 1970."""

    def read(text: str) -> int:
        if re.search(r"[.,][0-9]{6}[0-9]*[1-9]", text):
            raise ValueError(TOO_FINE)
        us = _zoned_or_local(text, zone, choice)
        if not us_of(datetime(1900, 1, 1)) <= us < us_of(datetime(2200, 1, 1)):
            raise ValueError("x lies outside the years 1900 to 2200")
        return us

    return read


def epoch(decimals: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        try:
            number = decimal(38, decimals)(text)
        except ValueError as error:
            raise ValueError(TOO_FINE if "whole" in str(error) else str(error)) from None
        us = int(number.scaleb(decimals, Context(prec=1_000)))
        if not us_of(datetime(1900, 1, 1)) <= us < us_of(datetime(2200, 1, 1)):
            raise ValueError("x lies outside the years 1900 to 2200")
        return us

    return read


def _zoned_or_local(text: str, zone: str, choice: str) -> int:
    nothing = "x is not a time" if zone else "x is not an instant with a zone (Z or an offset)"
    found = _CLOCKED.fullmatch(text)
    if found is None:
        _no(nothing)
    year, month, day_, hour, minute, second, fraction, offset = found.groups()
    try:
        clock = datetime.combine(
            date(int(year), int(month), int(day_)), time(int(hour or 0), int(minute or 0), int(second or 0))
        )
        at = us_of(clock) + int((fraction or "0")[:6].ljust(6, "0"))
        if offset:
            return at - _offset_us(offset)
    except ValueError:
        raise ValueError(nothing) from None
    return local(at, zone, choice) if zone else _no(nothing)


def _offset_us(text: str) -> int:
    if text in ("Z", "z", "UTC"):
        return 0
    found = _OFFSET.fullmatch(text) or _no("no offset")
    sign, hours, *others = found.groups()
    minutes, seconds = int(others[0] or others[2] or 0), int(others[1] or others[3] or 0)
    if int(hours) > 15 or minutes > 59 or seconds > 59:
        _no("no offset")
    return (-1 if sign == "-" else 1) * (int(hours) * 3600 + minutes * 60 + seconds) * 1_000_000


def local(at: int, zone: str, choice: str = "quarantine") -> int:
    """The instants that show this clock, by trying every offset that holds within two days of it."""
    if not us_of(datetime(1899, 1, 1)) < at < us_of(datetime(2201, 1, 1)):
        return at  # outside, whatever its zone
    info = zone_info(zone)
    near = {_utc_offset(info, at + hours * 3_600_000_000) for hours in range(-49, 50)}
    shown = sorted(at - offset for offset in near if _utc_offset(info, at - offset) == offset)
    if len(shown) == 1:
        return shown[0]
    if choice == "quarantine":
        _no(f"x is ambiguous or impossible in {zone} (a DST night)")
    if not shown:
        shown = sorted(at - offset for offset in _around_gap(info, at))
    return shown[0] if choice == "earlier" else shown[-1]


def _around_gap(info: ZoneInfo, at: int) -> tuple[int, int]:
    """The offsets before and after the change that skipped a clock, which is found by halving."""
    low, high = at - 2 * 86_400_000_000, at + 2 * 86_400_000_000
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle + _utc_offset(info, middle) < at else (low, middle)
    return _utc_offset(info, low), _utc_offset(info, high)


@cache
def zone_info(zone: str) -> ZoneInfo:
    with files("tzdata").joinpath("zoneinfo", *zone.split("/")).open("rb") as content:
        return ZoneInfo.from_file(content, key=zone)


def _utc_offset(info: ZoneInfo, us: int) -> int:
    offset = (EPOCH.replace(tzinfo=UTC) + timedelta(microseconds=us)).astimezone(info).utcoffset()
    return offset // timedelta(microseconds=1)


def us_of(naive: datetime) -> int:
    return (naive - EPOCH) // timedelta(microseconds=1)


def _no(reason: str) -> Any:
    raise ValueError(reason)
