"""The content hash: it depends on every value and its type, not on order, partitioning or engine (S34)."""

import datetime as dt
import hashlib
import struct
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from definitions.errors import SourceSchemaError
from kernels.content_hash import LIMBS, ContentHash, combine, partial_sums, row_digests

DAY = dt.date(2017, 11, 30)


def hash_of(values, kind):
    return row_digests(pa.table({"x": pa.array(values, kind)}))


def cell(tag, value):
    return struct.pack("<BBI", tag, 0, len(value)) + value


def test_one_row_digests_as_written_by_hand():
    table = pa.table(
        {
            "household_id": pa.array([7], pa.int32()),
            "sales_value_sum_7d": pa.array([12.5]),
            "brand": pa.array(["Früh"]),
            "price": pa.array([Decimal("-1.25")], pa.decimal128(10, 2)),
            "is_new": pa.array([True]),
            "event_date": pa.array([dt.date(1970, 1, 3)]),
            "event_time": pa.array([1_000_001], pa.int64()).cast(pa.timestamp("us", tz="UTC")),
            "raw": pa.array([b"\x00"]),
            "unknown": pa.array([None], pa.float64()),
            "unnamed": pa.array([None], pa.string()),
        }
    )
    encoded = (
        cell(2, struct.pack("<q", 7))
        + cell(3, struct.pack("<d", 12.5))
        + cell(5, "Früh".encode())
        + cell(4, b"\x02" + (-125).to_bytes(16, "little", signed=True))
        + cell(1, b"\x01")
        + cell(7, struct.pack("<q", 2))
        + cell(8, struct.pack("<q", 1_000_001))
        + cell(6, b"\x00")
        + struct.pack("<BBI", 3, 1, 8)
        + bytes(8)
        + struct.pack("<BBI", 5, 1, 0)
    )
    assert row_digests(table).tobytes() == hashlib.sha256(encoded).digest()
    frozen = "5aae873f25604ed4e690a25dc81effff920b7872a807176cb43225157018c188"
    assert row_digests(table).tobytes().hex() == frozen, "published hashes would change: that is a new format"


def test_the_sum_of_a_slice_is_the_sum_of_its_digests():
    table = pa.table({"event_date": pa.array([DAY] * 5), "x": pa.array(range(5))})
    total = sum(int.from_bytes(digest.tobytes(), "big") for digest in row_digests(table)) % 2**256
    assert combine(partial_sums(table, slice_column="event_date")) == {DAY: ContentHash(f"{total:064x}", 5)}


def random_table(rows=500):
    random = np.random.default_rng(1)
    return pa.table(
        {
            "event_date": pa.array([[None, DAY, dt.date(2018, 1, 1)][i] for i in random.integers(0, 3, rows)]),
            "x": pa.array(random.normal(size=rows), mask=random.random(rows) < 0.2),
            "name": pa.array(random.integers(0, 50, rows).astype(str), mask=random.random(rows) < 0.2),
            "n": pa.array(random.integers(-9, 9, rows)),
        }
    )


def test_neither_row_order_nor_partitioning_changes_the_hash():
    table = random_table()
    shuffled = table.take(pa.array(np.random.default_rng(2).permutation(table.num_rows)))
    parts = [partial_sums(shuffled.slice(at, 77), slice_column="event_date") for at in range(0, 500, 77)]
    whole = combine(partial_sums(table, slice_column="event_date"))
    assert combine(pa.concat_tables(parts)) == whole
    assert list(whole) == [None, DAY, dt.date(2018, 1, 1)]
    assert sum(of.rows for of in whole.values()) == 500


def test_limbs_that_an_engine_added_up_combine_like_the_parts():
    parts = [partial_sums(random_table().slice(at, 250), slice_column="event_date") for at in (0, 250)]
    stacked = pa.concat_tables(parts)
    added = stacked.group_by("slice").aggregate([(name, "sum") for name in ("rows", *LIMBS)])
    rows = [tuple(row.values()) for row in added.to_pylist()]
    assert combine(rows) == combine(stacked)


def test_a_duplicated_row_and_a_missing_row_change_the_hash():
    table = random_table()
    hashes = {
        rows.num_rows: sum(combine(partial_sums(rows, slice_column="event_date")).values(), ContentHash("0", 0))
        for rows in (table, table.slice(1), pa.concat_tables([table, table.slice(0, 1)]))
    }
    assert len({hash_.hex for hash_ in hashes.values()}) == 3


def test_null_zero_false_and_empty_text_are_all_different():
    cells = [
        hash_of([None], pa.int64()),
        hash_of([0], pa.int64()),
        hash_of([None], pa.float64()),
        hash_of([0.0], pa.float64()),
        hash_of([False], pa.bool_()),
        hash_of([None], pa.string()),
        hash_of([""], pa.string()),
        hash_of([b""], pa.binary()),
        hash_of([0], pa.date32()),
        hash_of([0], pa.timestamp("us")),
        hash_of([Decimal("0.0")], pa.decimal128(3, 1)),
        hash_of([Decimal("0.00")], pa.decimal128(3, 2)),
    ]
    assert len({cell.tobytes() for cell in cells}) == len(cells)


def test_neighbouring_cells_are_encoded_apart():
    one, other = pa.table({"a": ["ab"], "b": ["c"]}), pa.table({"a": ["a"], "b": ["bc"]})
    assert row_digests(one).tobytes() != row_digests(other).tobytes()


@pytest.mark.parametrize(
    ("values", "kind", "as_values", "as_kind"),
    [
        ([1, None], pa.int32(), [1, None], pa.int64()),
        ([1.5], pa.float32(), [1.5], pa.float64()),
        ([-0.0], pa.float64(), [0.0], pa.float64()),
        ([-float("nan")], pa.float64(), [float("nan")], pa.float64()),
        (["é"], pa.string(), ["é"], pa.large_string()),
        (["é"], pa.string(), ["é"], pa.dictionary(pa.int32(), pa.string())),
        ([1], pa.timestamp("s"), [1_000_000], pa.timestamp("us", tz="UTC")),
        ([Decimal("1.5")], pa.decimal256(20, 1), [Decimal("1.5")], pa.decimal128(5, 1)),
    ],
)
def test_one_value_has_one_encoding_whatever_physical_type_an_engine_uses(values, kind, as_values, as_kind):
    assert hash_of(values, kind).tobytes() == hash_of(as_values, as_kind).tobytes()


def test_a_slice_of_a_larger_array_is_read_at_its_offset():
    whole = pa.table({"d": pa.array([Decimal(i) for i in range(9)], pa.decimal128(38, 0)), "t": list("abcdefghi")})
    assert row_digests(whole.slice(4, 3)).tobytes() == row_digests(whole)[4:7].tobytes()


def test_an_empty_table_has_no_digests_and_no_slices():
    empty = random_table().slice(0, 0)
    assert row_digests(empty).shape == (0, 32)
    assert combine(partial_sums(empty, slice_column="event_date")) == {}


NESTED = pa.struct(
    [
        ("tags", pa.list_(pa.string())),
        ("prices", pa.map_(pa.string(), pa.int64())),
        ("at", pa.struct([("x", pa.int64())])),
    ]
)


def integer(value):
    return cell(2, struct.pack("<q", value))


def test_arrays_structs_and_maps_digest_as_written_by_hand():
    value = {"tags": ["b", None], "prices": [("z", 1), ("a", None)], "at": {"x": 3}}
    tags = cell(9, struct.pack("<I", 2) + cell(5, b"b") + struct.pack("<BBI", 5, 1, 0))
    first, second = cell(5, b"a") + struct.pack("<BBI", 2, 1, 8) + bytes(8), cell(5, b"z") + integer(1)
    prices = cell(11, struct.pack("<I", 2) + first + second)
    encoded = cell(10, tags + prices + cell(10, integer(3)))
    assert hash_of([value], NESTED).tobytes() == hashlib.sha256(encoded).digest()


def test_the_order_of_a_map_is_no_part_of_it_and_that_of_an_array_is():
    kind = pa.map_(pa.string(), pa.int64())
    assert hash_of([[("a", 1), ("b", 2)]], kind).tobytes() == hash_of([[("b", 2), ("a", 1)]], kind).tobytes()
    numbers = pa.list_(pa.int64())
    assert hash_of([[1, 2]], numbers).tobytes() != hash_of([[2, 1]], numbers).tobytes()


def test_nested_values_are_encoded_apart_from_their_neighbours_and_null_is_not_empty():
    numbers, pairs = pa.list_(pa.int64()), pa.list_(pa.list_(pa.int64()))
    digests = [
        hash_of([None], numbers), hash_of([[]], numbers), hash_of([[None]], numbers), hash_of([[0]], numbers),
        hash_of([[[1], [2]]], pairs), hash_of([[[1, 2]]], pairs), hash_of([[[1, 2], []]], pairs),
        hash_of([None], pa.map_(pa.string(), pa.int64())), hash_of([[]], pa.map_(pa.string(), pa.int64())),
        hash_of([None], NESTED), hash_of([{"tags": None, "prices": None, "at": None}], NESTED),
    ]  # fmt: skip
    assert len({digest.tobytes() for digest in digests}) == len(digests)


def test_nested_values_are_read_at_the_offset_of_their_slice_and_as_any_engine_holds_them():
    values = [None, {"tags": ["a"], "prices": [("a", 1)], "at": None}, {"tags": [], "prices": None, "at": {"x": 1}}] * 3
    whole = pa.table({"v": pa.array(values, NESTED), "n": range(9)})
    assert row_digests(whole.slice(4, 3)).tobytes() == row_digests(whole)[4:7].tobytes()
    large = pa.large_list(pa.large_string())
    assert hash_of([["a"]], large).tobytes() == hash_of([["a"]], pa.list_(pa.string())).tobytes()


def test_types_without_an_encoding_are_named():
    with pytest.raises(SourceSchemaError, match="column 'x' is duration"):
        hash_of([1], pa.duration("us"))
    with pytest.raises(SourceSchemaError, match="column 'x' is time64"):
        hash_of([[1]], pa.list_(pa.time64("us")))
    with pytest.raises(SourceSchemaError, match="whole µs"):
        hash_of([1], pa.timestamp("ns"))
