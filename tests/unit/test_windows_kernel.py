"""Windows at many instants: small tables in, small tables out (S16, S17, S20 to S24)."""

import math
import subprocess
import sys
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from definitions.errors import DefinitionError, SourceSchemaError
from kernels.operations.sum import SumOverflow
from kernels.windows import oracle as window_oracle
from kernels.windows.aggregate import Output, WindowPlan, aggregate

DAY = 86_400_000_000
INSTANT = pa.timestamp("us", tz="UTC")
CLOCKS = ("event_time", "available_time", "superseded_at")


def table(text: str, **types: pa.DataType) -> pa.Table:
    """A table from its drawing; `-` is null, times are µs; available_time is the event's unless drawn."""
    header, *lines = [line.split() for line in text.strip().splitlines()]
    columns = {name: [line[index] for line in lines] for index, name in enumerate(header)}
    columns = {"available_time": columns["event_time"], "superseded_at": ["-"] * len(lines)} | columns
    built = {}
    for name, cells in columns.items():
        kind = types.get(name, pa.string() if name == "name" else pa.int64())
        values = [None if cell == "-" else cell if kind == pa.string() else float(cell) for cell in cells]
        drawn = pa.array(values, pa.string() if kind == pa.string() else pa.float64())
        built[name] = drawn.cast(kind).cast(INSTANT) if name in CLOCKS else drawn.cast(kind)
    return pa.table(built)


def plan(*outputs, at=(100,), delay=0, keys=("id",), tie_break=(), history_start=None, view_columns=()):
    return WindowPlan(keys, tuple(at), delay, history_start, tie_break, outputs, view_columns)


def rows(facts, of):
    """The answer as (keys…, T, outputs…); the oracle must agree."""
    answer = aggregate(facts, of)
    assert answer.equals(window_oracle.aggregate(facts, of))
    instants = answer["event_time"].cast(pa.int64())
    answer = answer.set_column(answer.schema.get_field_index("event_time"), "event_time", instants)
    return [tuple(row.values()) for row in answer.to_pylist()]


COUNT_10 = Output("n", "count", None, None, 10)
COUNT_ALL = Output("all", "count", None, None, None)


def every(name, window=None, divisor=1, mask=None):
    operations = ("count", "sum", "mean", "min", "max", "count_distinct", "last", "first", "stddev")
    return [Output(f"{operation}_{divisor}", operation, name, mask, window, divisor) for operation in operations]


def test_an_event_exactly_w_old_counts_and_one_at_the_instant_does_not():
    facts = table("""
        id  event_time
        1           89
        1           90
        1           99
        1          100
    """)
    assert rows(facts, plan(COUNT_10, COUNT_ALL)) == [(1, 100, 2, 3)]


def test_a_fact_counts_once_it_is_available_by_the_cut():
    facts = table("""
        id  event_time  available_time
        1           95             104
        1           96             105
        1           97             106
    """)
    assert rows(facts, plan(COUNT_ALL, delay=5)) == [(1, 100, 2)]


def test_a_correction_replaces_its_fact_from_the_cut_that_knows_it():
    facts = table("""
        id  event_time  available_time  superseded_at  v
        1           50              50            105  3
        1           50             105              -  4
    """)
    total = Output("total", "sum", "v", None, None)
    answer = rows(facts, plan(total, at=(99, 100, 101), delay=5))
    assert answer == [(1, 99, 3), (1, 100, 4), (1, 101, 4)]


def test_a_retracted_fact_counts_no_more_and_its_entity_is_unseen_again():
    facts = table("""
        id  event_time  superseded_at
        1           50            100
    """)
    assert rows(facts, plan(COUNT_ALL, at=(50, 51, 99, 100))) == [(1, 51, 1), (1, 99, 1)]


def test_an_entity_is_unseen_before_its_first_known_fact():
    facts = table("""
        id  event_time
        1           50
        2          100
        2          150
    """)
    assert rows(facts, plan(COUNT_ALL, at=(50, 100, 200))) == [(1, 100, 1), (1, 200, 1), (2, 200, 2)]


def test_seen_but_nothing_in_the_window_counts_and_sums_to_zero_and_the_rest_is_null():
    facts = table("""
        id  event_time  v
        1           50  7
    """)
    assert rows(facts, plan(*every("v", window=10))) == [(1, 100, 0, 0, None, None, None, 0, None, None, None)]


def test_null_inputs_are_skipped_by_all_but_the_count_of_rows():
    facts = table("""
        id  event_time  v
        1           91  -
        1           92  5
        1           93  -
    """)
    answer = rows(facts, plan(COUNT_ALL, *every("v")))
    assert answer == [(1, 100, 3, 1, 5, 5.0, 5, 5, 1, 5, 5, None)]


def test_a_filter_that_is_false_or_null_leaves_the_row_out_but_the_entity_seen():
    facts = table(
        """
        id  event_time  v  kept
        1           91  1  1
        1           92  2  0
        1           93  4  -
        2           94  8  0
        """,
        kept=pa.bool_(),
    )
    total = Output("total", "sum", "v", "kept", None)
    assert rows(facts, plan(total, COUNT_ALL)) == [(1, 100, 1, 3), (2, 100, 0, 1)]


def test_units_become_doubles_by_one_division():
    facts = table("""
        id  event_time    v
        1           91   10
        1           92   20
        1           93  -40
    """)
    (answer,) = rows(facts, plan(*every("v", divisor=100)))
    deviation = math.sqrt((3 * 2100 - 10**2) / (3 * 2 * 100**2))
    assert answer == (1, 100, 3, -10 / 100, -10 / 300, -0.4, 0.2, 3, -0.4, 0.1, deviation)


def test_lifetime_begins_at_the_start_of_history_and_the_entity_was_seen_before():
    facts = table("""
        id  event_time
        1           19
        1           20
        2           19
    """)
    assert rows(facts, plan(COUNT_ALL, history_start=20)) == [(1, 100, 1), (2, 100, 0)]


def test_last_and_first_go_by_event_time_then_tie_break_then_availability_then_value():
    facts = table("""
        id  event_time  available_time  line  v
        1           90              91     1  1
        1           90              95     -  9
        2           90              91     1  2
        2           90              92     1  1
        3           90              91     1  4
        3           90              91     1  3
        3           80              91     9  7
    """)
    choices = [Output(name, name, "v", None, None) for name in ("last", "first")]
    answer = rows(facts, plan(*choices, tie_break=("line",)))
    assert answer == [(1, 100, 1, 9), (2, 100, 1, 2), (3, 100, 4, 7)]


def test_another_output_does_not_change_who_is_last_where_the_view_names_its_columns():
    facts = table("""
        id  event_time  u  v
        1           90  1  9
        1           90  2  3
    """)
    of_u, of_v = (Output(name, "last", name, None, None) for name in ("u", "v"))
    assert rows(facts, plan(of_v, view_columns=("u", "v"))) == [(1, 100, 3)]
    assert rows(facts, plan(of_u, of_v, view_columns=("u", "v"))) == [(1, 100, 2, 3)]


def test_distinct_values_count_once_while_any_of_their_facts_is_in_the_window():
    facts = table("""
        id  event_time  name
        1           10  milk
        1           15  milk
        1           18  oats
        2           16  milk
    """)
    distinct = Output("d", "count_distinct", "name", None, 10)
    answer = rows(facts, plan(distinct, at=(11, 19, 21, 26, 29)))
    assert answer == [
        (1, 11, 1), (1, 19, 2), (1, 21, 2), (1, 26, 1), (1, 29, 0),
        (2, 19, 1), (2, 21, 1), (2, 26, 1), (2, 29, 0),
    ]  # fmt: skip


def test_negative_zero_is_zero_and_what_is_no_number_is_null():
    facts = table(
        """
        id  event_time     v
        1           91  -0.0
        1           92   0.0
        1           93   nan
        1           94   inf
        """,
        v=pa.float64(),
    )
    names = ("count", "count_distinct", "min", "max", "last", "first")
    (answer,) = rows(facts, plan(*(Output(name, name, "v", None, None) for name in names)))
    assert answer == (1, 100, 2, 1, 0.0, 0.0, 0.0, 0.0)
    assert all(math.copysign(1, value) == 1 for value in answer[4:])


def test_composite_keys_compare_part_by_part_and_null_keys_match_nothing():
    facts = table(
        """
        id  name  event_time
        1   1a            90
        11  a             90
        1   -             90
        -   a             90
        """
    )
    assert rows(facts, plan(COUNT_ALL, keys=("id", "name"))) == [(1, "1a", 100, 1), (11, "a", 100, 1)]


def test_the_extremes_of_an_integer_type_are_values_like_any_other():
    facts = pa.table(
        {
            "id": [1, 2],
            "event_time": pa.array([90, 90]).cast(INSTANT),
            "available_time": pa.array([90, 90]).cast(INSTANT),
            "superseded_at": pa.nulls(2),
            "v": [2**63 - 1, -(2**63)],
        }
    )
    answer = aggregate(facts, plan(*every("v")[:5]))
    assert answer["min_1"].to_pylist() == answer["max_1"].to_pylist() == [2**63 - 1, -(2**63)]
    assert answer["sum_1"].to_pylist() == [2**63 - 1, -(2**63)]


def many(*values):
    drawn = "\n".join(f"1 {90 + index % 5} 0" for index in range(len(values)))
    return table(f"id event_time v\n{drawn}").set_column(4, "v", pa.array(values, pa.int64()))


def test_sums_pass_through_what_64_bits_cannot_hold():
    facts = many(2**62, 2**62, 2**62, -(2**62), -(2**62), 5)
    assert rows(facts, plan(*every("v")[:3])) == [(1, 100, 6, 2**62 + 5, float((2**62 + 5) / 6))]


def test_a_sum_beyond_its_type_is_refused_by_name_and_a_quotient_of_it_is_not():
    facts = many(2**62, 2**62)
    with pytest.raises(SumOverflow, match=r"output 'sum_1'.*int64"):
        aggregate(facts, plan(*every("v")))
    assert issubclass(SumOverflow, OverflowError)
    assert rows(facts, plan(Output("cents", "sum", "v", None, None, 100))) == [(1, 100, 2**63 / 100)]


def test_a_sum_of_decimals_beyond_38_digits_is_refused():
    facts = many(0, 0).set_column(4, "v", pa.array([Decimal(10**38 - 1)] * 2, pa.decimal128(38, 0)))
    with pytest.raises(SumOverflow, match=r"decimal\(38,0\)"):
        aggregate(facts, plan(Output("total", "sum", "v", None, None, 100)))


def test_a_quotient_beyond_53_bits_is_rounded_once_not_twice():
    total = 2**53 + 1
    assert float(total) / 3 != total / 3
    assert rows(many(total, 0, 0), plan(Output("mean", "mean", "v", None, None))) == [(1, 100, total / 3)]


def test_deviations_of_huge_nearly_equal_values_lose_no_digit():
    facts = many(2**60, 2**60 + 2)
    assert rows(facts, plan(Output("sd", "stddev", "v", None, None))) == [(1, 100, math.sqrt(2))]


def test_no_facts_make_an_empty_table_of_the_same_types():
    facts = many(1, 2)
    empty, full = (aggregate(part, plan(*every("v"))) for part in (facts.slice(0, 0), facts))
    assert empty.num_rows == 0
    assert empty.schema == full.schema


def test_every_type_comes_back_as_itself():
    kinds = [pa.int8(), pa.float32(), pa.bool_(), pa.date32(), pa.time32("s"), pa.timestamp("us", tz="UTC"),
             pa.string(), pa.large_string(), pa.binary(), pa.decimal128(9, 2), pa.uint64()]  # fmt: skip
    for kind in kinds:
        texts = pa.types.is_binary(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)
        low, high = ("a", "b") if texts else (False, True) if kind == pa.bool_() else (0, 1)
        facts = many(0, 0, 0).set_column(4, "v", pa.array([high, None, low], kind))
        outputs = [Output(name, name, "v", None, None) for name in ("min", "max", "last", "first")]
        answer = aggregate(facts, plan(*outputs))
        assert [answer.schema.field(name).type for name in ("min", "max", "last", "first")] == [kind] * 4
        assert answer.equals(window_oracle.aggregate(facts, plan(*outputs)))


def test_facts_in_any_chunks_and_dictionary_keys_answer_the_same():
    facts = table("id event_time name\n1 90 a\n1 91 b\n2 92 a")
    encoded = pa.concat_tables([facts.slice(0, 1), facts.slice(1)])
    index = encoded.schema.get_field_index("name")
    encoded = encoded.set_column(index, "name", encoded["name"].dictionary_encode())
    last = Output("last", "last", "name", None, None)
    assert aggregate(encoded, plan(last)).equals(aggregate(facts, plan(last)))
    assert aggregate(encoded, plan(COUNT_ALL, keys=("name",)))["name"].to_pylist() == ["a", "b"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop_columns("v"), "no column 'v'"),
        (lambda t: t.set_column(1, "superseded_at", pa.nulls(2, pa.timestamp("ns"))), "superseded_at"),
        (lambda t: t.set_column(2, "id", pa.array([1.0, 2.0])), "float|double"),
        (lambda t: t.set_column(0, "available_time", pa.nulls(2, INSTANT)), "2 facts have no available_time"),
        (lambda t: t.set_column(4, "v", pa.array([1.5, 2.5])), "round it to its quantum"),
        (lambda t: t.set_column(0, "available_time", pa.nulls(2, pa.timestamp("us", "CET"))), "timestamp"),
    ],
)
def test_facts_that_do_not_fit_the_plan_are_refused_by_column(change, message):
    with pytest.raises(SourceSchemaError, match=message):
        aggregate(change(many(1, 2)), plan(*every("v")))


def test_a_filter_that_is_not_boolean_is_refused():
    with pytest.raises(SourceSchemaError, match="mask 'v' is int64"):
        aggregate(many(1), plan(Output("n", "count", None, "v", None)))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: Output("n", "maen", "v", None, 1), "Did you mean 'mean'"),
        (lambda: Output("n", "sum", None, None, 1), "needs an input"),
        (lambda: Output("n", "count", None, None, 0), "holds nothing"),
        (lambda: Output("n", "sum", "v", None, 1, 0), "divisor 0"),
        (lambda: Output("n", "sum", "v", None, 1, 10, pa.int64()), "is not an int64"),
        (lambda: Output("n", "sum", "v", None, 1, 1, pa.string()), "int64 or float64"),
        (lambda: plan(COUNT_10, COUNT_10), "two columns .* named n"),
        (lambda: plan(COUNT_10, at=(5, 5)), "strictly ascending"),
        (lambda: plan(COUNT_10, at=()), "at least one instant"),
        (lambda: plan(COUNT_10, keys=()), "join keys"),
        (lambda: plan(COUNT_10, delay=-1), "the delay is -1"),
    ],
)
def test_a_plan_without_a_meaning_is_refused(wrong, message):
    with pytest.raises(DefinitionError, match=message):
        wrong()


def test_large_slices_agree_with_small_ones(monkeypatch):
    random = np.random.default_rng(3)
    at = pa.array(random.integers(0, 100 * DAY, 4000))
    facts = pa.table(
        {
            "id": random.integers(0, 90, 4000),
            "event_time": at.cast(INSTANT),
            "available_time": at.cast(INSTANT),
            "superseded_at": pa.nulls(4000, INSTANT),
            "v": random.integers(-500, 500, 4000),
        }
    )
    of = plan(*every("v", window=20 * DAY, divisor=100), at=range(10 * DAY, 100 * DAY, 7 * DAY))
    at_once = aggregate(facts, of)
    monkeypatch.setattr("kernels.windows.aggregate.CELLS", 64)
    assert aggregate(facts, of).combine_chunks().equals(at_once.combine_chunks())


def test_the_kernels_load_without_spark():
    names = "kernels.windows.aggregate, kernels.windows.oracle, kernels.content_hash, kernels.profile"
    code = f"import sys, {names}; sys.exit(any(m.split('.')[0] in ('pyspark', 'pandas') for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
