"""Values in a form in which drawn and joined ones can be compared."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def plain(value: Any) -> Any:
    """A value that equals itself: instants as microseconds, maps as sorted pairs, NaN and −0.0 as they are written."""
    match value:
        case datetime() if value.tzinfo:
            return (value - EPOCH) // timedelta(microseconds=1)
        case float():
            return repr(value)
        case dict():
            return tuple((name, plain(inner)) for name, inner in value.items())
        case [tuple(), *_]:
            return sorted(((plain(key), plain(inner)) for key, inner in value), key=repr)
        case list():
            return [plain(inner) for inner in value]
    return value


def in_utc(table: pa.Table) -> pa.Table:
    """The same instants in UTC. In another zone, Arrow's conversion to Python confuses equal local times."""
    utc = pa.timestamp("us", "UTC")
    fields = [field.with_type(utc) if _is_instant(field.type) else field for field in table.schema]
    return table.cast(pa.schema(fields))


def _is_instant(kind: pa.DataType) -> bool:
    return pa.types.is_timestamp(kind) and kind.tz is not None
