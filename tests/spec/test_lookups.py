"""Derived rows and what they look up, as it was known (S13, S17)."""

from typing import Any

import pytest
from pyspark.errors import PySparkException

from compute.duplicates import refusal
from compute.lookups import LookedUp
from compute.rows import derive
from definitions.views import Duplicates
from tests.support.drawn import frame, same
from ziggurat.model import (
    AvailableColumn,
    Column,
    DerivedView,
    EventTime,
    Kind,
    LandingDelay,
    Source,
    expression,
    lookup,
)

CLOCKS = {"event_time": EventTime("event_at"), "available": AvailableColumn("told_at")}
ORDERS = Source(
    name="orders",
    kind=Kind.EVENTS,
    version=1,
    owner="tests",
    columns=(
        Column("case", "string"),
        Column("shop", "bigint"),
        Column("event_at", "timestamp"),
        Column("told_at", "timestamp"),
    ),
    identity=("case",),
    **CLOCKS,
)


def levels(*, identity: tuple[str, ...] = ("fact",), tie_break: tuple[str, ...] = ()) -> Source:
    return Source(
        name="levels",
        kind=Kind.STATE,
        version=1,
        owner="tests",
        columns=(
            Column("fact", "bigint"),
            Column("case", "string"),
            Column("shop", "bigint"),
            Column("level", "string"),
            Column("is_open", "boolean"),
            Column("closed", "boolean"),
            Column("event_at", "timestamp"),
            Column("told_at", "timestamp"),
        ),
        identity=identity,
        tombstone="closed",
        tie_break=tie_break,
        **CLOCKS,
    )


def derived(
    spark: Any,
    orders: str,
    facts: str,
    *,
    duplicates: Duplicates = Duplicates.REFUSE,
    take: tuple[str, ...] = ("level",),
    source: Source | DerivedView | None = None,
    is_regular: bool = False,
    partitions: int = 0,
) -> Any:
    columns = "event_time as event_at", "available_time as told_at"
    source = source or levels()
    view = DerivedView(
        "orders_at_level",
        source=ORDERS,
        version=1,
        owner="tests",
        lookups=(lookup(source, on=("case", "shop"), take=take, duplicates=duplicates),),
        features=(expression("has_level", f"{take[0]} is not null"),),
    )
    rows = frame(spark, orders).selectExpr("*", *columns)
    looked_up = frame(spark, facts).selectExpr("*", *columns)
    if "is_open" not in looked_up.columns:
        looked_up = looked_up.selectExpr("*", "cast(null as boolean) as is_open")
    if isinstance(source, DerivedView):
        looked_up = derive(looked_up, [], source, partitions=0)
    return derive(rows, [LookedUp(view.lookups[0], looked_up, is_regular)], view, partitions=partitions)


ORDER_ROWS = """
case                shop:bigint  event_time  available_time  superseded_at
newest before       1            5d                    5d                        -
at its instant      1            5d                    5d                        -
a moment later      1            5d                    5d                        -
nothing there       1            5d                    5d                        -
another key         1            5d                    5d                        -
no key              -            5d                    5d                        -
known later         1            5d                    5d                        -
known later, older  1            5d                    5d                        -
corrected           1            5d                    5d                        -
retracted           1            5d                    5d                        -
closed              1            5d                    5d                        -
closed, reopened    1            5d                    5d                        -
closed later        1            5d                    5d                        -
known before        1            5d                    9d                        -
row is corrected    1            5d                    5d                        7d
row is corrected    1            5d                    7d                        -
"""
FACTS = """
fact:bigint  case                shop:bigint  level  closed:boolean  event_time  available_time  superseded_at
1            newest before       1            old    -               1d          1d              -
2            newest before       1            new    -               4d          4d              -
1            at its instant      1            same   -               5d          5d              -
1            a moment later      1            late   -               5d+1us      5d              -
1            another key         2            other  -               1d          1d              -
1            no key              -            null   -               1d          1d              -
1            known later         1            old    -               1d          1d              -
2            known later         1            new    -               4d          6d              -
1            known later, older  1            new    -               4d          4d              -
2            known later, older  1            old    -               1d          6d              -
1            corrected           1            wrong  -               1d          1d              6d
1            corrected           1            right  -               1d          6d              -
1            retracted           1            old    -               1d          1d              -
2            retracted           1            wrong  -               4d          4d              6d
1            closed              1            old    -               1d          1d              -
2            closed              1            old    true            4d          4d              -
1            closed, reopened    1            old    true            1d          1d              -
2            closed, reopened    1            new    false           4d          4d              -
1            closed later        1            old    -               1d          1d              -
2            closed later        1            old    true            6d          4d              -
1            known before        1            wrong  -               1d          1d              6d
1            known before        1            right  -               1d          6d              -
1            row is corrected    1            old    -               1d          1d              -
2            row is corrected    1            new    -               4d          8d              -
"""


def test_s13_a_row_takes_the_newest_fact_known_and_gets_a_version_when_that_changes(spark) -> None:
    same(
        derived(spark, ORDER_ROWS, FACTS),
        """
        case                shop:bigint  available_time  superseded_at  level  has_level:boolean
        newest before       1            5d              -              new    true
        at its instant      1            5d              -              same   true
        a moment later      1            5d              -              -      false
        nothing there       1            5d              -              -      false
        another key         1            5d              -              -      false
        no key              -            5d              -              -      false
        known later         1            5d              6d             old    true
        known later         1            6d              -              new    true
        known later, older  1            5d              -              new    true
        corrected           1            5d              6d             wrong  true
        corrected           1            6d              -              right  true
        retracted           1            5d              6d             wrong  true
        retracted           1            6d              -              old    true
        closed              1            5d              -              -      false
        closed, reopened    1            5d              -              new    true
        closed later        1            5d              -              old    true
        known before        1            9d              -              right  true
        row is corrected    1            5d              7d             old    true
        row is corrected    1            7d              8d             old    true
        row is corrected    1            8d              -              new    true
        """,
    )


REGULAR = ("newest before", "at its instant", "a moment later", "nothing there", "another key", "no key", "closed")


def test_s13_facts_known_in_time_give_the_same_rows_the_short_way(spark) -> None:
    def of_regular_cases(text: str) -> str:
        header, *lines = text.strip().splitlines()
        return "\n".join([header, *(line for line in lines if any(f"{case}  " in line for case in REGULAR))])

    short = derived(spark, of_regular_cases(ORDER_ROWS), of_regular_cases(FACTS), is_regular=True)
    long = derived(spark, of_regular_cases(ORDER_ROWS), of_regular_cases(FACTS))
    columns = ("case", "shop", "event_time", "available_time", "superseded_at", "level", "has_level")
    rows = [sorted(map(tuple, answer.select(*columns).collect()), key=repr) for answer in (short, long)]
    assert rows[0] == rows[1]
    assert len(rows[0]) == 7


TIED_ORDERS = """
case        shop:bigint  event_time  available_time  superseded_at
tied        1            5d          5d              -
tied early  1            5d          5d              -
one true    1            5d          5d              -
all null    1            5d          5d              -
closed      1            5d          5d              -
"""
TIED = """
fact:bigint  case        shop:bigint  level  is_open:boolean  closed:boolean  event_time  available_time  superseded_at
1            tied        1            b      false            -               4d          3d              -
2            tied        1            a      false            -               4d          3d              -
3            tied        1            z      true             -               1d          4d              -
1            tied early  1            b      -                -               4d          2d              -
2            tied early  1            a      -                -               4d          3d              -
1            one true    1            -      true             -               4d          3d              -
2            one true    1            a      false            -               4d          3d              -
3            one true    1            a      -                -               4d          3d              -
1            all null    1            -      -                -               4d          3d              -
2            all null    1            -      -                -               4d          3d              -
1            closed      1            a      true             -               4d          3d              -
2            closed      1            a      true             true            4d          3d              -
"""


@pytest.mark.parametrize("is_regular", [True, False])
def test_s13_any_true_reads_all_of_the_newest_facts(spark, is_regular: bool) -> None:
    answer = derived(spark, TIED_ORDERS, TIED, duplicates=Duplicates.ANY_TRUE, take=("is_open",), is_regular=is_regular)
    same(
        answer,
        """
        case        is_open:boolean  available_time  superseded_at
        tied        false            5d              -
        tied early  -                5d              -
        one true    true             5d              -
        all null    -                5d              -
        closed      -                5d              -
        """,
    )


@pytest.mark.parametrize("is_regular", [True, False])
def test_s9_latest_is_a_total_order_that_ends_with_all_columns(spark, is_regular: bool) -> None:
    answer = derived(
        spark, TIED_ORDERS, TIED, duplicates=Duplicates.LATEST, take=("level", "is_open"), is_regular=is_regular
    )
    same(
        answer,
        """
        case        level  is_open:boolean
        tied        a      false
        tied early  a      -
        one true    a      -
        all null    -      -
        closed      -      -
        """,
    )
    by_level = derived(
        spark,
        TIED_ORDERS,
        TIED,
        duplicates=Duplicates.LATEST,
        source=levels(tie_break=("level",)),
        is_regular=is_regular,
    )
    same(by_level, "case  level\ntied  b\ntied early  b\none true  a\nall null  -\nclosed  -")


@pytest.mark.parametrize("is_regular", [True, False])
def test_s8_s9_a_derived_view_is_looked_up_with_its_sources_tombstones_and_tie_break(spark, is_regular: bool) -> None:
    view = DerivedView(
        "named_levels",
        source=levels(tie_break=("level",)),
        version=1,
        owner="tests",
        features=(expression("is_named", "level is not null"),),
    )
    answer = derived(
        spark, TIED_ORDERS, TIED, duplicates=Duplicates.LATEST, source=view, take=("level",), is_regular=is_regular
    )
    same(answer, "case  level\ntied  b\ntied early  b\none true  a\nall null  -\nclosed  -")


@pytest.mark.parametrize("is_regular", [True, False])
def test_s13_refuse_stops_the_run_and_names_look_up_and_key(spark, is_regular: bool) -> None:
    with pytest.raises(PySparkException) as stopped:
        derived(spark, TIED_ORDERS, TIED, is_regular=is_regular).collect()
    error = refusal(stopped.value)
    assert error is not None
    assert error.exit_code == 20
    assert "look-up of 'levels' found " in str(error)
    assert ", shop=1)" in str(error)
    assert "duplicates=" in str(error)


def test_s13_refuse_ignores_tombstones_and_keys_that_no_row_looks_up(spark) -> None:
    header, *lines = TIED_ORDERS.strip().splitlines()
    closed = "\n".join([header, *(line for line in lines if "closed" in line)])
    same(derived(spark, closed, TIED), "case  level\nclosed  -")


def test_another_failure_is_no_refusal() -> None:
    assert refusal(PySparkException("the disk is full")) is None


def places(identity: tuple[str, ...]) -> Source:
    return Source(
        name="places",
        kind=Kind.STATIC,
        version=1,
        owner="tests",
        columns=(Column("shop", "bigint"), Column("town", "string"), Column("is_open", "boolean")),
        identity=identity,
    )


def at_place(spark: Any, orders: str, duplicates: Duplicates, *, identity: tuple[str, ...] = ()) -> Any:
    source = places(identity)
    take = ("is_open",) if duplicates is Duplicates.ANY_TRUE else ("town", "is_open")
    view = DerivedView(
        "orders_at_place",
        source=ORDERS,
        version=1,
        owner="tests",
        lookups=(lookup(source, on=("shop",), take=take, duplicates=duplicates),),
    )
    facts = frame(spark, "shop:bigint  town  is_open:boolean\n1  Ulm  true\n2  Bonn  false\n2  Köln  -\n-  Rom  true")
    rows = frame(spark, orders).selectExpr("*", "event_time as event_at", "available_time as told_at")
    return derive(rows, [LookedUp(view.lookups[0], facts, is_regular=True)], view, partitions=0)


def test_s10_static_look_ups_have_no_clock_and_the_same_duplicates(spark) -> None:
    header = "case  shop:bigint  event_time  available_time  superseded_at\n"
    once, twice, unknown = "a  1  5d  5d  -\n", "b  2  5d  5d  7d\n", "c  3  5d  5d  -\nd  -  5d  5d  -"
    answer = at_place(spark, header + once + twice + unknown, Duplicates.LATEST)
    same(
        answer,
        """
        case  town  is_open:boolean  available_time  superseded_at
        a     Ulm   true             5d              -
        b     Köln  -                5d              7d
        c     -     -                5d              -
        d     -     -                5d              -
        """,
    )
    any_true = at_place(spark, header + once + twice + unknown, Duplicates.ANY_TRUE)
    same(any_true, "case  is_open:boolean\na  true\nb  false\nc  -\nd  -")
    same(at_place(spark, header + once + unknown, Duplicates.REFUSE), "case  town\na  Ulm\nc  -\nd  -")
    with pytest.raises(PySparkException) as stopped:
        at_place(spark, header + once + twice, Duplicates.REFUSE).collect()
    assert "look-up of 'places' found 2 facts for the key (shop=2)" in str(refusal(stopped.value))


def test_s23_the_value_of_an_expression_is_finite_or_null(spark) -> None:
    source = Source(
        name="numbers",
        kind=Kind.EVENTS,
        version=1,
        owner="tests",
        columns=(Column("x", "double"), Column("event_at", "timestamp")),
        event_time=EventTime("event_at"),
        available=LandingDelay("0s"),
    )
    view = DerivedView(
        "roots",
        source=source,
        version=1,
        owner="tests",
        features=(
            expression("root", "sqrt(x)"),
            expression("power", "exp(x)"),
            expression("none", "x * 0.0"),
            expression("share", "try_divide(x, 0)"),
        ),
    )
    rows = frame(spark, "x:double\n4\n-1\n1000\n-").selectExpr(
        "x",
        "current_timestamp() as event_at",
        "event_at as event_time",
        "event_at as available_time",
        "event_at as superseded_at",
    )
    same(
        derive(rows, [], view, partitions=0).selectExpr("x", "root", "bround(power, 4) as power", "none", "share"),
        """
        x:double  root:double         power:double  none:double  share:double
        4         2                   54.5982       0.0          -
        -1        -                   0.3679        0.0          -
        1000      31.622776601683793  -             0.0          -
        -         -                   -             -            -
        """,
    )
