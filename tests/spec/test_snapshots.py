"""Aggregate views: windows before an instant, over what was known at its cut (S11, S17, S20 to S24)."""

from dataclasses import replace
from typing import Any

import pytest

from compute.windows import snapshots
from tests.support.drawn import at_us, frame, rows, same
from ziggurat.model import (
    LIFETIME,
    AggregateView,
    AvailableColumn,
    Column,
    Entity,
    EventTime,
    Kind,
    Source,
    count,
    count_distinct,
    expression,
    first,
    last,
    maximum,
    mean,
    minimum,
    sum_of,
)

LINES = Source(
    name="lines",
    kind=Kind.EVENTS,
    version=1,
    owner="tests",
    columns=(
        Column("case", "string"),
        Column("till", "string"),
        Column("n", "bigint"),
        Column("amount", "double"),
        Column("price", "decimal(8,3)"),
        Column("item", "string"),
        Column("event_at", "timestamp"),
        Column("known_since", "timestamp"),
    ),
    event_time=EventTime("event_at"),
    available=AvailableColumn("known_since"),
    history_start="2017-01-02",
)
TILL = Entity("till", keys=(("case", "string"), ("till", "string")))


def sales(*features: Any, windows: tuple[str, ...] = ("7d",), cut_delay: str = "1d") -> AggregateView:
    return AggregateView(
        "sales",
        entity=TILL,
        source=LINES,
        version=1,
        owner="tests",
        windows=windows,
        cut_delay=cut_delay,
        features=features,
    )


def facts(spark: Any, text: str) -> Any:
    """Facts with every column of the source; columns that are not drawn are null, and each fact is known at once."""
    drawn = frame(spark, text)
    defaults = {
        "till": "'one'",
        "n": "cast(null as bigint)",
        "amount": "cast(null as double)",
        "price": "cast(null as decimal(8,3))",
        "item": "cast(null as string)",
        "available_time": "event_time",
        "superseded_at": "cast(null as timestamp)",
        "event_at": "event_time",
        "known_since": "event_time",
    }
    return drawn.selectExpr("*", *[f"{sql} as {name}" for name, sql in defaults.items() if name not in drawn.columns])


def answered(
    spark: Any, view: AggregateView, text: str, *, as_ofs: tuple[str, ...] = ("10d",), partitions: int = 2
) -> Any:
    return snapshots(facts(spark, text), view, [at_us(cell) for cell in as_ofs], partitions=partitions)


# Each amount is a power of two, so that a sum shows which facts it counted.
EDGES = """
case        event_time  n:bigint  available_time  superseded_at
edges       10d                   1         10d                       -
edges       10d-1us               2         10d                       -
edges       3d+1us                4         3d                        -
edges       3d                    8         3d                        -
edges       3d-1us                16        3d                        -
edges       1d                    32        3d                        -
edges       1d-1us                64        3d                        -
only at T   10d                   1         10d                       -
long ago    2d                    1         2d                        -
null n      9d                    -         9d                        -
cut         9d                    1         11d                       -
cut         9d                    2         11d+1us                   -
unknown     9d                    1         11d+1us                   -
corrected   9d                    1         9d                        11d
corrected   9d                    2         11d                       -
correction  9d                    1         9d                        11d+1us
correction  9d                    2         11d+1us                   -
taken back  9d                    1         9d                        10d
moved away  9d                    1         9d                        10d
moved away  10d                   1         10d                       -
"""


def test_s11_s20_s22_a_window_holds_what_is_younger_than_w_before_t_and_known_at_the_cut(spark) -> None:
    view = sales(
        sum_of("n", windows=("7d", LIFETIME)),
        count(named="lines"),
        count("n"),
        mean("n"),
        minimum("n"),
        maximum("n"),
        last("n"),
        count_distinct("n"),
    )
    answer = answered(spark, view, EDGES).localCheckpoint()
    same(
        answer,
        """
        case        event_time  n_sum_7d:bigint  n_sum_lifetime:bigint  lines_count_7d:bigint  n_count_7d:bigint
        edges       10d         14               62                     3                      3
        long ago    10d         0                1                      0                      0
        null n      10d         0                0                      1                      0
        cut         10d         1                1                      1                      1
        corrected   10d         2                2                      1                      1
        correction  10d         1                1                      1                      1
        """,
    )
    same(
        answer,
        """
        case        n_mean_7d:double   n_min_7d:bigint  n_max_7d:bigint  n_last_7d:bigint  n_count_distinct_7d:bigint
        edges       4.666666666666667  2                8                2                 3
        long ago    -                  -                -                -                 0
        null n      -                  -                -                -                 0
        cut         1                  1                1                1                 1
        corrected   2                  2                2                2                 1
        correction  1                  1                1                1                 1
        """,
    )


def test_s21_many_instants_give_what_one_gives_under_any_partitioning(spark) -> None:
    view = sales(sum_of("n", windows=("7d", LIFETIME)), count(named="lines"), last("n"), cut_delay="0s")
    as_ofs = ("3d", "9d+1us", "10d", "10d+1us", "17d-1us")
    together = rows(answered(spark, view, EDGES, as_ofs=as_ofs).toArrow())
    shuffled = rows(answered(spark, view, EDGES, as_ofs=as_ofs[::-1], partitions=5).toArrow())
    alone = [row for one in as_ofs for row in rows(answered(spark, view, EDGES, as_ofs=(one,), partitions=1).toArrow())]
    in_this_process = rows(answered(spark, view, EDGES, as_ofs=as_ofs, partitions=0).toArrow())
    assert together == shuffled == in_this_process == sorted(alone, key=repr)
    assert len(together) > 20
    nothing = facts(spark, EDGES).where("false")
    assert snapshots(nothing, view, [at_us("10d")], partitions=0).count() == 0


def test_s23_s24_inputs_are_rounded_to_the_quantum_half_even_and_what_is_not_finite_is_null(spark) -> None:
    view = sales(
        sum_of("amount", quantum="0.01"),
        mean("amount", quantum="0.01"),
        sum_of("price", quantum="0.01"),
        sum_of("sqrt(amount)", named="root", quantum="0.01"),
        count("sqrt(amount)", named="root"),
        minimum("sqrt(amount)", named="root"),
        sum_of("amount", named="large", where="amount > 1", quantum="0.01"),
        count(named="unknown", where="amount > cast(null as double)"),
        expression("root_of_sum", "sqrt(amount_sum_7d)"),
        expression("power", "exp(amount_sum_7d)"),
        expression("nothing", "try_divide(amount_sum_7d, large_sum_7d)"),
        expression("zero", "amount_sum_7d * 0.0"),
    )
    answer = answered(
        spark,
        view,
        """
            case       event_time  amount:double  price:decimal(8,3)
            half even  9d          0.125          0.125
            half even  9d          0.375          0.375
            negative   9d          -0.125         -0.125
            negative   9d          -0.375         -0.375
            noise      9d          0.1            0.100
            noise      9d          0.2            0.200
            noise      9d          0.3            -
            root       9d          -4             -
            root       9d          9              -
            huge       9d          1000           -
            null       9d          -              -
            """,
    ).localCheckpoint()
    same(
        answer,
        """
        case       amount_sum_7d:double  amount_mean_7d:double  price_sum_7d:double  large_sum_7d:double
        half even  0.5                   0.25                   0.5                  0
        negative   -0.5                  -0.25                  -0.5                 0
        noise      0.6                   0.2                    0.3                  0
        root       5                     2.5                    0                    9
        huge       1000                  1000                   0                    1000
        null       0                     -                      0                    0
        """,
    )
    same(
        answer,
        """
        case       root_sum_7d:double  root_count_7d:bigint  root_min_7d:double   unknown_count_7d:bigint
        half even  0.96                2                     0.3535533905932738   0
        negative   0                   0                     -                    0
        noise      1.32                3                     0.31622776601683794  0
        root       3                   1                     3                    0
        huge       31.62               1                     31.622776601683793   0
        null       0                   0                     -                    0
        """,
    )
    same(
        answer,
        """
        case       root_of_sum:double  power:double        nothing:double      zero:double
        half even  0.7071067811865476  1.6487212707001282  -                   0.0
        negative   -                   0.6065306597126334  -                   0.0
        noise      0.7745966692414834  1.8221188003905089  -                   0.0
        root       2.23606797749979    148.4131591025766   0.5555555555555556  0.0
        huge       31.622776601683793  -                   1                   0.0
        null       0                   1                   -                   0.0
        """,
    )


def test_s9_last_and_first_choose_by_a_total_order_and_skip_nulls(spark) -> None:
    view = sales(last("item"), first("item"), count_distinct("item"))
    same(
        answered(
            spark,
            view,
            """
            case             event_time  available_time  n:bigint  item
            by event time    8d          9d              1         b
            by event time    9d          9d              1         a
            null is skipped  8d          9d              1         b
            null is skipped  9d          9d              1         -
            then by knowing  9d          9d              1         b
            then by knowing  9d          9d+1us          1         a
            then by columns  9d          9d              2         a
            then by columns  9d          9d              1         b
            twice the same   9d          9d              1         b
            twice the same   9d          9d              1         b
            """,
        ),
        """
        case             item_last_7d  item_first_7d  item_count_distinct_7d:bigint
        by event time    a             b              2
        null is skipped  b             b              1
        then by knowing  a             b              2
        then by columns  a             b              2
        twice the same   b             b              1
        """,
    )


def test_s17_composite_keys_compare_part_by_part_and_a_null_part_matches_nothing(spark) -> None:
    same(
        answered(
            spark,
            sales(count(named="lines"), sum_of("n")),
            """
            case  till  event_time  n:bigint
            a     b c   9d          1
            a b   c     9d          2
            a     ''    9d          4
            ''    a     9d          8
            a     b c   9d          16
            -     b     9d          32
            a     -     9d          64
            """,
        ),
        """
        case  till  lines_count_7d:bigint  n_sum_7d:bigint
        a     b c   2                      17
        a b   c     1                      2
        a     ''    1                      4
        ''    a     1                      8
        """,
    )


def test_s24_a_sum_beyond_its_type_fails_instead_of_wrapping_around(spark) -> None:
    text = f"case  event_time  n:bigint\na  9d  {2**62}\na  9d  {2**62}"
    with pytest.raises(Exception, match="SumOverflow"):
        answered(spark, sales(sum_of("n")), text).collect()


def test_s8_a_tombstone_is_no_fact_of_a_window(spark) -> None:
    source = replace(LINES, kind=Kind.STATE, columns=(*LINES.columns, Column("closed", "boolean")), tombstone="closed")
    view = replace(sales(count(named="lines"), last("n")), source=source)
    drawn = "case  event_time  n:bigint  closed:boolean\nopen  8d  1  -\nopen  9d  2  true\nonly closed  9d  1  true"
    same(answered(spark, view, drawn), "case  lines_count_7d:bigint  n_last_7d:bigint\nopen  1  1")


def test_hidden_features_feed_expressions_and_are_not_published(spark) -> None:
    view = sales(
        maximum("event_time", named="newest", hidden=True),
        expression("days_since", "days_between(as_of, newest_max_7d)"),
    )
    answer = answered(spark, view, "case  event_time\na  8d12:00\nb  1d")
    assert answer.columns == ["case", "till", "event_time", "days_since"]
    same(answer, "case  till  days_since:double\na  one  1.5\nb  one  -")
