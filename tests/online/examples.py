"""Small snapshots for the tests: two entities' worth of views, whose every value names the day it belongs to."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from online_store.snapshot import SnapshotDescription, StoredColumn, StoredSelection, StoredService, StoredView

DAY_US = 86_400_000_000
FIRST_DAY = dt.datetime(2017, 11, 1, tzinfo=dt.UTC)
FIRST_US = int(FIRST_DAY.timestamp()) * 1_000_000
SPEND, PROFILE, DEALS = "aggregate/household_spend/v1", "raw/demographics/v1", "aggregate/deals/v2"
HOUSEHOLDS = (1, 22, 333)
INSTANT = pa.timestamp("us", "UTC")
ARROW_TYPES = {
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "string": pa.string(),
    "binary": pa.binary(),
    "date": pa.date32(),
    "timestamp": INSTANT,
    "decimal(10,2)": pa.decimal128(10, 2),
    "decimal(38,18)": pa.decimal128(38, 18),
}
Batches = Mapping[str, Iterable[pa.RecordBatch]]


def a_view(
    table: str,
    *,
    keys: Mapping[str, str],
    columns: Mapping[str, str],
    rows: int,
    content_hash: str = "",
    is_static: bool = False,
) -> StoredView:
    stored_columns = tuple(
        StoredColumn(name, type_, unit="USD" if type_ == "double" else "") for name, type_ in columns.items()
    )
    return StoredView(
        table,
        tuple(keys.items()),
        columns=stored_columns,
        table_version=4,
        definition=f"{table.split('/')[1]:0<64}",
        rows=rows,
        content_hash=content_hash,
        is_static=is_static,
    )


def a_snapshot(
    *views: StoredView, day: int = 0, release: int | None = None, services: Sequence[StoredService] = ()
) -> SnapshotDescription:
    at = FIRST_DAY + dt.timedelta(days=day)
    return SnapshotDescription(
        at.date().isoformat(),
        FIRST_US + day * DAY_US,
        known_at_us=FIRST_US + day * DAY_US + 1,
        release=day if release is None else release,
        views=views,
        services=tuple(services),
    )


def batch_of(
    view: StoredView, rows: Sequence[Sequence[Any]], *, event_time_us: int | None = FIRST_US
) -> pa.RecordBatch:
    """Rows of keys and columns, in the view's order, all of one event time."""
    names = [*(name for name, _ in view.keys), *view.column_names]
    types = [*view.key_types, *(column.type for column in view.columns)]
    columns = {
        name: pa.array([row[n] for row in rows], ARROW_TYPES[type_])
        for n, (name, type_) in enumerate(zip(names, types, strict=True))
    }
    if event_time_us is not None:
        columns["event_time"] = pa.array([event_time_us] * len(rows), pa.int64()).cast(INSTANT)
        columns["available_time"] = pa.array([event_time_us + 5] * len(rows), pa.int64()).cast(INSTANT)
    return pa.record_batch(columns)


def nightly(day: int, *, households: Sequence[int] = HOUSEHOLDS) -> tuple[SnapshotDescription, Batches]:
    """The snapshot of a day: a household's spend is the day, its sum with the household a count; a static profile."""
    event_time_us = FIRST_US + day * DAY_US
    spend = a_view(
        SPEND,
        keys={"household_id": "bigint"},
        columns={"sales_value_sum_7d": "double", "visit_count_7d": "bigint", "last_visit": "date"},
        rows=len(households),
        content_hash=f"spend of day {day}",
    )
    deals = a_view(
        DEALS,
        keys={"household_id": "bigint", "product_id": "string"},
        columns={"deal_count": "int"},
        rows=1,
        content_hash=f"deals of day {day}",
    )
    profile = a_view(
        PROFILE, keys={"household_id": "bigint"}, columns={"age": "string"}, rows=1, content_hash="p", is_static=True
    )
    views = {
        SPEND: [batch_of(spend, [[h, float(day), day + h, None] for h in households], event_time_us=event_time_us)],
        DEALS: [batch_of(deals, [[22, "früh/1", day]], event_time_us=event_time_us - 3 * DAY_US)],
        PROFILE: [batch_of(profile, [[22, "35-44"]], event_time_us=None)],
    }
    return a_snapshot(spend, deals, profile, day=day, services=(churn(), twice())), views


def churn() -> StoredService:
    household, same = (("household_id", "household_id"),), "sales_value_sum_7d"
    return StoredService(
        "churn_v1",
        "c" * 64,
        selections=(
            StoredSelection(
                "household_spend", SPEND, keys=household, features=("visit_count_7d", same), max_age_us=2 * DAY_US
            ),
            StoredSelection("demographics", PROFILE, keys=household, features=("age",)),
        ),
    )


def twice() -> StoredService:
    """One view in two roles, and a view with a composite key whose order is not the spine's."""
    referrer = (("referrer_household_id", "household_id"),)
    both = (("household_id", "household_id"), ("product_id", "product_id"))
    return StoredService(
        "referral_v2",
        "r" * 64,
        selections=(
            StoredSelection("deals", DEALS, keys=both, features=("deal_count",), max_age_us=3 * DAY_US),
            StoredSelection("referrer_household_spend", SPEND, keys=referrer, features=("visit_count_7d",)),
        ),
    )


def never_read(*tables: str) -> Batches:
    def rows() -> Iterator[pa.RecordBatch]:
        raise LookupError("the rows were read")
        yield

    return {table: rows() for table in tables}
