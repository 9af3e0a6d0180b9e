"""Figures as people write them: 1,469,307 · 12.4 s · 3.2 % · and a dash for a value that is not known."""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

from reports.model import Value

NOTHING = "–"
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?Z")
UNITS = (
    ("day", 86_400_000_000),
    ("h", 3_600_000_000),
    ("min", 60_000_000),
    ("s", 1_000_000),
    ("ms", 1_000),
    ("µs", 1),
)


def count(rows: int | None) -> str:
    return NOTHING if rows is None else f"{rows:,}"


def plural(number: int, one: str, many: str = "") -> str:
    """The count with its noun: `1 row`, `1,469,307 rows`."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def duration(seconds: float | None) -> str:
    """Seconds to one decimal, minutes, or hours: enough to compare two steps by eye."""
    if seconds is None:
        return NOTHING
    if seconds < 59.95:
        return f"{seconds:.1f} s" if seconds >= 0.095 or seconds == 0 else f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60:,} h {minutes % 60:02d} min"


def share(part: float | None) -> str:
    """A fraction of 1 as per cent; 0 % and 100 % are written only where they are exact."""
    if part is None or math.isnan(part):
        return NOTHING
    if 0 < part < 0.001:
        return "< 0.1 %"
    if 0.999 < part < 1:
        return "> 99.9 %"
    return f"{part * 100:.1f}".removesuffix(".0") + " %"


def megabytes(size: float | None) -> str:
    if size is None:
        return NOTHING
    return f"{size:,.0f} MB" if size < 1000 else f"{size / 1000:,.1f} GB"


def instant(when: datetime) -> str:
    """In UTC; a time without a zone is written as it is, without a zone."""
    if when.tzinfo is None:
        return f"{when:%Y-%m-%d %H:%M:%S}"
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def moment(text: str | None) -> str:
    """An instant given as text (`2017-11-30T12:00:00Z`), as people read it; any other text as it is."""
    if text is None or not INSTANT.fullmatch(text):
        return NOTHING if text is None else text
    day, time = text.removesuffix("Z").split("T")
    return f"{day} {time.removesuffix(':00') if time.count(':') == 2 else time} UTC"


def day(text: str | None) -> str:
    """An instant on a page that says that its times are UTC: without the zone, and at midnight without the time."""
    return moment(text).removesuffix(" UTC").removesuffix(" 00:00")


def any_value(single: Value) -> str:
    """Any single value, an instant as `day` writes it."""
    return day(single) if isinstance(single, str) else value(single)


def span(seconds: float | None) -> str:
    """A span of time in its two largest units, never rounded up: `12 h`, `1 day 6 h`, `1 µs`."""
    if seconds is None:
        return NOTHING
    left, words = round(abs(seconds) * 1_000_000), []
    for unit, size in UNITS:
        number, left = divmod(left, size)
        if number:
            words.append(plural(number, unit) if unit == "day" else f"{count(number)} {unit}")
        elif words:
            break
    return " ".join(words[:2]) or "0 s"


def value(single: Value) -> str:
    """Any single value: whole numbers whole, decimals as exact as they are, small numbers to three figures."""
    if single is None or (isinstance(single, float | Decimal) and math.isnan(single)):
        return NOTHING
    if isinstance(single, bool):
        return "yes" if single else "no"
    if isinstance(single, int):
        return count(single)
    if isinstance(single, Decimal) and single.is_finite() and 0 <= -int(single.as_tuple().exponent) <= 4:
        return f"{single:,f}"
    if isinstance(single, float | Decimal):
        return _decimal(float(single))
    return str(single)


def figures(bound: Value, found: Value, as_share: bool = False) -> tuple[str, str]:
    """The expected and the found value, with as many digits as it takes to tell them apart."""
    draw: Callable[[Value], str] = _share_of if as_share else value
    expected, seen = draw(bound), draw(found)
    if expected == seen and bound is not None and found is not None and bound != found:
        return str(bound), str(found)
    return expected, seen


def _share_of(part: Value) -> str:
    return share(float(part)) if isinstance(part, int | float | Decimal) else value(part)


def _decimal(number: float) -> str:
    size = abs(number)
    if math.isinf(number):
        return "∞" if number > 0 else "-∞"
    if number == int(number) and size < 1e15:
        return f"{int(number):,}"
    if size >= 1e15 or size < 1e-4:
        return f"{number:.3g}"
    if size >= 1e6:
        return f"{number:,.0f}"
    if size >= 1:
        return f"{number:,.2f}"
    return f"{number:.{2 - math.floor(math.log10(size))}f}".rstrip("0").rstrip(".")
