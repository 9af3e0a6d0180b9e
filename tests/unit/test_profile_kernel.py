"""A profile has statistics of each column per slice, and profiles of parts merge into that of the whole."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from definitions.errors import SourceSchemaError
from kernels.profile import merge_profiles, profile

NAN, INF = float("nan"), float("inf")
MONDAY, TUESDAY = dt.date(2017, 1, 2), dt.date(2017, 1, 3)


def described(table, *columns):
    profiled = profile(table, slice_column="day", columns=columns)
    return [tuple(row.values()) for row in profiled.to_pylist()]


def test_numbers_are_counted_and_bounded_per_slice():
    table = pa.table({"day": [TUESDAY, MONDAY, MONDAY, MONDAY, MONDAY], "x": [4.0, 1.5, None, NAN, -2.0]})
    assert described(table, "x") == [
        # slice, feature, rows, nulls, nans, minimum, maximum, total
        (MONDAY, "x", 4, 1, 1, -2.0, 1.5, -0.5),
        (TUESDAY, "x", 1, 0, 0, 4.0, 4.0, 4.0),
    ]


def test_infinities_count_as_nans_and_stay_out_of_the_bounds():
    table = pa.table({"day": [MONDAY] * 3, "x": [INF, -INF, 2.0]})
    assert described(table, "x") == [(MONDAY, "x", 3, 0, 2, 2.0, 2.0, 2.0)]


def test_a_column_without_a_number_has_no_bounds():
    table = pa.table({"day": [MONDAY, MONDAY], "x": pa.array([None, None], pa.int64()), "y": [NAN, INF]})
    assert described(table, "x", "y") == [
        (MONDAY, "x", 2, 2, 0, None, None, None),
        (MONDAY, "y", 2, 0, 2, None, None, None),
    ]


def test_booleans_are_zero_and_one_and_decimals_are_numbers():
    price = pa.array([Decimal("1.25"), Decimal("-3.00")], pa.decimal128(9, 2))
    table = pa.table({"day": [MONDAY] * 2, "is_new": [True, False], "price": price})
    assert described(table, "is_new", "price") == [
        (MONDAY, "is_new", 2, 0, 0, 0.0, 1.0, 1.0),
        (MONDAY, "price", 2, 0, 0, -3.0, 1.25, -1.75),
    ]


def test_times_and_text_have_rows_and_nulls_only():
    table = pa.table({"day": [MONDAY] * 2, "name": ["a", None], "seen": [dt.datetime(2017, 1, 1), None]})
    assert described(table, "name", "seen") == [
        (MONDAY, "name", 2, 1, 0, None, None, None),
        (MONDAY, "seen", 2, 1, 0, None, None, None),
    ]


def test_a_null_slice_is_a_slice():
    table = pa.table({"day": pa.array([None, MONDAY, None]), "x": [1, 2, 3]})
    assert described(table, "x") == [
        (None, "x", 2, 0, 0, 1.0, 3.0, 4.0),
        (MONDAY, "x", 1, 0, 0, 2.0, 2.0, 2.0),
    ]


def test_negative_zero_is_zero():
    profiled = profile(pa.table({"day": [MONDAY], "x": [-0.0]}), slice_column="day", columns=["x"])
    assert np.signbit(profiled["minimum"].to_numpy()).tolist() == [False]


def test_a_total_is_the_correctly_rounded_sum():
    table = pa.table({"day": [MONDAY] * 3, "x": [1e16, 1.0, -1e16]})
    assert described(table, "x")[0][-1] == 1.0


def test_a_total_beyond_a_double_is_null_and_stops_nothing():
    table = pa.table({"day": [MONDAY] * 2, "x": [1.7e308, 1.7e308]})
    assert described(table, "x") == [(MONDAY, "x", 2, 0, 0, 1.7e308, 1.7e308, None)]


def test_profiles_of_parts_merge_into_the_profile_of_the_whole():
    random = np.random.default_rng(5)
    table = pa.table(
        {
            "day": pa.array([[None, MONDAY, TUESDAY][i] for i in random.integers(0, 3, 300)]),
            "n": pa.array(random.integers(-1000, 1000, 300), mask=random.random(300) < 0.1),
            "x": pa.array(np.where(random.random(300) < 0.1, NAN, random.normal(size=300))),
            "name": pa.array(random.integers(0, 9, 300).astype(str)),
        }
    )
    whole = profile(table, slice_column="day", columns=["x", "n", "name"])
    shuffled = table.take(pa.array(random.permutation(300)))
    parts = [
        profile(shuffled.slice(at, 70), slice_column="day", columns=["x", "n", "name"]) for at in range(0, 300, 70)
    ]
    merged = merge_profiles(pa.concat_tables(parts))
    assert merged.schema == whole.schema
    assert merged.drop_columns("total").equals(whole.drop_columns("total"))
    assert merged["total"].is_null().equals(whole["total"].is_null())
    assert merged["total"].drop_null().to_pylist() == pytest.approx(whole["total"].drop_null().to_pylist())


def test_an_empty_table_has_an_empty_profile_of_the_same_shape():
    table = pa.table({"day": pa.array([], pa.date32()), "x": pa.array([], pa.float64())})
    profiled = profile(table, slice_column="day", columns=["x"])
    assert profiled.num_rows == 0
    assert profiled.schema.names == ["slice", "feature", "rows", "nulls", "nans", "minimum", "maximum", "total"]
    assert merge_profiles(profiled).equals(profiled)


def test_a_missing_column_is_named_with_the_nearest_name():
    with pytest.raises(SourceSchemaError, match=r"'sales'.*Did you mean 'sales_value'"):
        profile(pa.table({"day": [MONDAY], "sales_value": [1]}), slice_column="day", columns=["sales"])
