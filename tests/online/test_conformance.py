"""What every online store promises."""

import datetime as dt
import math
from decimal import Decimal

import pyarrow as pa
import pytest

from definitions.errors import UnknownName
from kernels.content_hash import row_digests
from online_store.errors import NothingExported, OnlineStoreError
from online_store.record import Record
from online_store.snapshot import SnapshotDescription
from online_store.store import STEPS
from tests.online.examples import (
    DEALS,
    FIRST_US,
    INSTANT,
    PROFILE,
    SPEND,
    a_snapshot,
    a_view,
    batch_of,
    never_read,
    nightly,
)

EXTREMES = {
    "boolean": [True, False, True],
    "int": [-(2**31), 2**31 - 1, 0],
    "bigint": [-(2**63), 2**63 - 1, 2**53 + 1],
    "double": [-0.0, 5e-324, 1.7976931348623157e308],
    "string": ["", 'Früh "\\\n\x00 🧺', " e\u0301 "],
    "binary": [b"", b"\x00\xff", b"Z" * 3],
    "date": [dt.date(1, 1, 1), dt.date(9999, 12, 31), dt.date(2017, 11, 30)],
    "timestamp": [
        dt.datetime(1900, 1, 1, tzinfo=dt.UTC),
        dt.datetime(2199, 12, 31, 23, 59, 59, 999_999, dt.UTC),
        dt.datetime(1969, 12, 31, 23, 59, 59, 999_999, dt.UTC),
    ],
    "decimal(10,2)": [Decimal("-99999999.99"), Decimal("0.00"), Decimal("12.50")],
    "decimal(38,18)": [Decimal("-" + "9" * 20 + "." + "9" * 18), Decimal("0E-18"), Decimal("0." + "0" * 17 + "1")],
}


def exact(value):
    """Different for values that == takes for equal: −0.0 from 0.0, 1 from 1.0 and True, 12.5 from 12.50."""
    return type(value).__name__, value.hex() if isinstance(value, float) else str(value)


def test_every_value_of_every_type_comes_back_bit_for_bit(store):
    columns = {f"c{n}": type_ for n, type_ in enumerate(EXTREMES)}
    view = a_view("aggregate/all_types/v1", keys={"id": "bigint"}, columns=columns, rows=4)
    rows = [[n, *(values[n] for values in EXTREMES.values())] for n in range(3)] + [[3, *[None] * len(EXTREMES)]]
    store.export(a_snapshot(view), {view.table: [batch_of(view, rows)]})
    with store.open() as reader:
        for id_, *values in rows:
            result = reader.get(view.table, [id_])
            assert [exact(value) for value in result.values] == [exact(value) for value in values]
            assert (result.event_time_us, result.available_time_us) == (FIRST_US, FIRST_US + 5)


@pytest.mark.parametrize("type_", [type_ for type_ in EXTREMES if type_ != "double"])
def test_a_key_can_be_of_every_type_but_double(store, type_):
    view = a_view("aggregate/keyed/v1", keys={"id": type_}, columns={"n": "int"}, rows=len(set(EXTREMES[type_])))
    rows = [[key, n] for n, key in enumerate(dict.fromkeys(EXTREMES[type_]))]
    store.export(a_snapshot(view), {view.table: [batch_of(view, rows)]})
    with store.open() as reader:
        assert [reader.get(view.table, [key]).values for key, _ in rows] == [(n,) for _, n in rows]
        assert {record.keys: record.values for record in reader.records(view.table)} == {(k,): (n,) for k, n in rows}


def test_double_keys_are_refused(store):
    view = a_view("aggregate/keyed/v1", keys={"id": "double"}, columns={"n": "int"}, rows=1)
    with pytest.raises(OnlineStoreError, match="key 'id' is a double; float keys are refused"):
        store.export(a_snapshot(view), {view.table: [batch_of(view, [[1.5, 1]])]})


def test_composite_keys_are_compared_part_by_part(store):
    long = "x" * 600
    keys = [
        ("a", "bc"), ("ab", "c"), ("", "abc"), ("abc", ""), ('a","b', "c"), ("a", 'b","c'), ("a\x00", "b"),
        ("a", "\x00b"), (long, "1"), (long, "2"), (long + "1", ""), ("é", "1"), ("e\u0301", "1"),
    ]  # fmt: skip
    view = a_view("aggregate/pairs/v1", keys={"a": "string", "b": "string"}, columns={"n": "int"}, rows=len(keys))
    store.export(a_snapshot(view), {view.table: [batch_of(view, [[*key, n] for n, key in enumerate(keys)])]})
    with store.open() as reader:
        assert [reader.get(view.table, key).values[0] for key in keys] == list(range(len(keys)))
        assert {record.keys: record.values[0] for record in reader.records(view.table)} == dict(zip(keys, range(99)))  # noqa: B905
        assert reader.get(view.table, ("ab", "")) is None
        assert reader.get(view.table, (long, "3")) is None


def test_views_with_like_names_keep_their_records_apart(store):
    views = [
        a_view(f"aggregate/{name}", keys={"id": "bigint"}, columns={"n": "int"}, rows=2)
        for name in ("a/v1", "a/v10", "a/v", "b/v1")
    ]
    rows = {view.table: [batch_of(view, [[n, 10 * n], [7, n]])] for n, view in enumerate(views)}
    store.export(a_snapshot(*views), rows)
    with store.open() as reader:
        for n, view in enumerate(views):
            assert {record.keys + record.values for record in reader.records(view.table)} == {(n, 10 * n), (7, n)}
            assert reader.get(view.table, [n + 1]) is None


def test_an_entity_that_was_not_seen_has_no_record(store):
    store.export(*nightly(0))
    with store.open() as reader:
        assert reader.get(SPEND, [23]) is None
        assert reader.get(DEALS, [22, "other"]) is None


def test_a_static_view_may_have_no_times(store):
    store.export(*nightly(0))
    with store.open() as reader:
        assert reader.get(PROFILE, [22]) == Record((22,), None, None, ("35-44",))


def test_a_view_without_rows_is_a_view(store):
    view = a_view("aggregate/nobody/v1", keys={"id": "bigint"}, columns={"n": "int"}, rows=0)
    assert store.export(a_snapshot(view), {view.table: []}).records == 0
    with store.open() as reader:
        assert list(reader.records(view.table)) == []
        assert reader.get(view.table, [1]) is None


def test_a_view_that_is_not_in_the_snapshot_is_an_unknown_name(store):
    store.export(*nightly(0))
    with (
        store.open() as reader,
        pytest.raises(UnknownName, match=r"has no view 'aggregate/household_spent/v1'. Did you mean '" + SPEND),
    ):
        reader.get("aggregate/household_spent/v1", [22])


def test_keys_of_another_type_are_no_keys(store):
    store.export(*nightly(0))
    with store.open() as reader:
        for keys in (["22"], [22.0], [True], [2**63], [22, 22], []):
            with pytest.raises(ValueError, match=r"expected|argument"):
                reader.get(SPEND, keys)


def test_a_store_before_its_first_export_says_so(store):
    with pytest.raises(NothingExported, match="holds no snapshot; export one first"):
        store.open()


def test_the_description_comes_back_whole(store):
    description, rows = nightly(0)
    assert SnapshotDescription.from_json(description.to_json()) == description
    exported = store.export(description, rows)
    with store.open() as reader:
        assert reader.description == description
        assert reader.snapshot_id == exported.snapshot_id == description.snapshot_id
    assert exported.snapshot_id.startswith("2017-11-01-")
    assert exported.records == 5


def test_records_have_the_content_hash_of_the_rows_they_came_from(store):
    description, rows = nightly(0)
    store.export(description, rows)
    with store.open() as reader:
        for view in description.views:
            names = [*(name for name, _ in view.keys), *view.column_names]
            published = pa.Table.from_batches(rows[view.table]).select(names)
            stored = [
                dict(zip(names, record.keys + record.values, strict=True)) for record in reader.records(view.table)
            ]
            restored = pa.Table.from_pylist(stored, published.schema)
            assert sorted(map(bytes, row_digests(restored))) == sorted(map(bytes, row_digests(published)))


def test_the_same_export_again_reads_and_writes_nothing(store):
    description, rows = nightly(0)
    first = store.export(description, rows)
    steps = []
    again = store.export(description, never_read(*rows), step=steps.append)
    assert (again.is_unchanged, again.snapshot_id, again.records, again.bytes) == (
        True,
        first.snapshot_id,
        5,
        first.bytes,
    )
    assert not first.is_unchanged
    assert not {"write", "verify", "publish", "flip"} & set(steps)


def test_an_export_takes_its_steps_in_order(store):
    steps = []
    store.export(*nightly(0), step=steps.append)
    assert tuple(steps) == STEPS


def test_a_later_release_of_the_same_values_changes_nothing(store):
    store.export(*nightly_of_release(1, release=2))
    assert store.export(*nightly_of_release(1, release=3)).is_unchanged


@pytest.mark.parametrize("release", [1, 9])
def test_an_older_snapshot_is_refused_unless_it_is_a_rollback(store, release):
    store.export(*nightly_of_release(1, release=2))
    older = nightly_of_release(0, release=release)
    with pytest.raises(OnlineStoreError, match=r"answers from 2017-11-02 \(release 2\), which is newer than .*S33"):
        store.export(*older)
    assert answers_from(store) == 1
    assert not store.export(*older, rollback=True).is_unchanged
    assert answers_from(store) == 0


def nightly_of_release(day, *, release):
    description, rows = nightly(day)
    return SnapshotDescription.from_fields({**description.to_fields(), "release": release}), rows


def answers_from(store):
    """The day of the snapshot, from a value in it."""
    with store.open() as reader:
        return reader.get(SPEND, [22]).values[0]


def test_a_snapshot_stays_readable_for_readers_that_have_it_open(store):
    store.export(*nightly(0))
    with store.open() as reader, store.open() as other:
        for day in range(1, 6):
            store.export(*nightly(day))
        assert reader.get(SPEND, [22]).values[0] == other.get(SPEND, [1]).values[0] == 0.0
        other.close()
        assert [record.values[0] for record in reader.records(SPEND)] == [0.0, 0.0, 0.0]
    assert answers_from(store) == 5


def test_what_the_check_finds_stops_the_export_before_readers_see_it(store):
    store.export(*nightly(0))
    seen = []

    def check(reader):
        seen.append(reader.get(SPEND, [22]).values[0])
        raise ArithmeticError("not the published rows")

    with pytest.raises(ArithmeticError, match="not the published rows"):
        store.export(*nightly(1), check=check)
    assert seen == [1.0]
    assert answers_from(store) == 0


AT = pa.array([FIRST_US], pa.int64()).cast(INSTANT)
ROW = {"id": pa.array([1]), "x": pa.array([1.5]), "n": pa.array([1]), "event_time": AT, "available_time": AT}
ROWS = {name: pa.concat_arrays([array, array]) for name, array in ROW.items()}
WRONG_ROWS = {
    "another number of rows": (ROWS | {"id": pa.array([1, 2])}, "2 rows came, and the published version 4 has 1"),
    "no rows": ({name: array[:0] for name, array in ROW.items()}, "0 rows came, and the published version 4 has 1"),
    "one entity twice": (ROWS, r"two rows have the key \(1,\)"),
    "a null key": (ROW | {"id": pa.nulls(1, pa.int64())}, "key 'id' is null in a row"),
    "not a number": (ROW | {"x": pa.array([math.nan])}, "column 'x' has a value that can't be stored: a finite double"),
    "infinity": (ROW | {"x": pa.array([-math.inf])}, "column 'x' has a value that can't be stored: a finite double"),
    "no event time": (ROW | {"event_time": pa.nulls(1, INSTANT)}, "'event_time' is null in 1 rows"),
    "half µs": (ROW | {"event_time": pa.array([500], pa.timestamp("ns"))}, "'event_time' holds a value that no"),
    "another type": (ROW | {"x": pa.array(["1.5"])}, "column 'x' is string, and double was described"),
    "too large": (ROW | {"n": pa.array([2**31])}, "column 'n' holds a value that no int can hold"),
    "no column": ({name: array for name, array in ROW.items() if name != "x"}, "the rows have no column 'x'"),
}


@pytest.mark.parametrize("case", WRONG_ROWS)
def test_rows_that_are_not_as_described_are_refused(store, case):
    store.export(*nightly(0))
    view = a_view("aggregate/wrong/v1", keys={"id": "bigint"}, columns={"x": "double", "n": "int"}, rows=1)
    columns, message = WRONG_ROWS[case]
    with pytest.raises(OnlineStoreError, match=message):
        store.export(a_snapshot(view, day=1), {view.table: [pa.record_batch(columns)]})
    assert answers_from(store) == 0


def test_rows_of_other_views_than_described_are_refused(store):
    description, rows = nightly(0)
    with pytest.raises(OnlineStoreError, match="give both alike"):
        store.export(description, {SPEND: rows[SPEND]})


def test_forms_of_arrow_that_hold_the_same_values_are_accepted(store):
    view = a_view("aggregate/forms/v1", keys={"id": "bigint"}, columns={"s": "string", "at": "timestamp"}, rows=2)
    at = dt.datetime(2017, 11, 30, tzinfo=dt.UTC)
    batch = pa.record_batch(
        {
            "id": pa.array([1, 2], pa.int16()),
            "s": pa.array(["x", None]).dictionary_encode(),
            "at": pa.array([at, None], pa.timestamp("ns", "America/New_York")),
            "event_time": pa.array([FIRST_US // 1_000_000] * 2, pa.int64()).cast(pa.timestamp("s")),
            "available_time": pa.array([FIRST_US // 1_000] * 2, pa.int64()).cast(pa.timestamp("ms", "UTC")),
            "known_at": pa.array([1, 2]),
        }
    )
    store.export(a_snapshot(view), {view.table: [batch]})
    with store.open() as reader:
        assert reader.get(view.table, [1]) == Record((1,), FIRST_US, FIRST_US, ("x", at))
        assert reader.get(view.table, [2]).values == (None, None)
