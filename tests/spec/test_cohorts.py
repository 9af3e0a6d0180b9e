"""An entity beside its group (S24, S26)."""

from typing import Any

from compute import cross
from compute.cross import compare
from definitions.operations.table import group_operations
from tests.support.drawn import frame, same
from ziggurat.model import (
    AggregateView,
    Column,
    CrossEntityView,
    Entity,
    EventTime,
    Group,
    Kind,
    LandingDelay,
    Source,
    Unknown,
    difference_to_mean,
    expression,
    members,
    percentile_rank,
    rank,
    ratio_to_mean,
    share_of_total,
    sum_of,
)

LINES = Source(
    name="lines",
    kind=Kind.EVENTS,
    version=1,
    owner="tests",
    columns=(Column("id", "bigint"), Column("value", "double"), Column("event_at", "timestamp")),
    event_time=EventTime("event_at"),
    available=LandingDelay("0s"),
)
PEOPLE = Source(
    name="people",
    kind=Kind.STATIC,
    version=1,
    owner="tests",
    columns=(Column("id", "bigint"), Column("age", "string"), Column("town", "string")),
    identity=("id",),
)
PERSON = Entity("person", keys=(("id", "bigint"),))
SPEND = AggregateView(
    "spend",
    entity=PERSON,
    source=LINES,
    version=1,
    owner="tests",
    windows=("7d",),
    features=(sum_of("value", quantum="0.01"),),
)
IN_TOWN = Group(PEOPLE, by=("age", "town"))


def compared(spark: Any, spends: str, people: str | None, **how: Any) -> Any:
    of = "value_sum_7d"
    view = CrossEntityView(
        "spend_in_town",
        entity=PERSON,
        of=SPEND,
        version=1,
        owner="tests",
        features=(
            members(),
            ratio_to_mean(of),
            difference_to_mean(of),
            percentile_rank(of),
            rank(of),
            share_of_total(of),
            expression("is_above", "value_sum_7d_ratio_to_mean > 1"),
        ),
        **({"group": IN_TOWN} if people else {}) | how,
    )
    answer = compare(frame(spark, spends), None if people is None else frame(spark, people), view)
    short = {
        "ratio_to_mean": "ratio",
        "difference_to_mean": "above",
        "percentile_rank": "pct",
        "share_of_total": "share",
    }
    for long, name in (*short.items(), ("rank", "place")):
        answer = answer.withColumnRenamed(f"{of}_{long}", name)
    return answer


PEOPLE_DRAWN = """
id:bigint  age    town
1          young  Ulm
2          young  Ulm
3          young  Ulm
4          young  Ulm
5          old    Ulm
6          young  -
7          young  -
10         zero   Ulm
11         zero   Ulm
12         below  Ulm
13         below  Ulm
"""
SPENDS = """
id:bigint  event_time  value_sum_7d:double
1          10d         1.00
2          10d         2.00
3          10d         2.00
4          10d         -
5          10d         4.00
6          10d         1.00
7          10d         3.00
8          10d         5.00
9          10d         7.00
1          11d         3.00
10         10d         0.00
11         10d         0.00
12         10d         0.00
13         10d         -4.00
"""


def test_s26_an_entity_is_compared_with_its_group_at_the_same_instant(spark) -> None:
    answer = compared(spark, SPENDS, PEOPLE_DRAWN).localCheckpoint()
    same(
        answer,
        """
        id:bigint  event_time  members:bigint  ratio:double        above:double         is_above:boolean
        1          10d         4               0.6                 -0.6666666666666667  false
        2          10d         4               1.2                 0.33333333333333326  true
        3          10d         4               1.2                 0.33333333333333326  true
        4          10d         4               -                   -                    -
        5          10d         1               1                   0                    false
        6          10d         2               0.5                 -1                   false
        7          10d         2               1.5                 1                    true
        8          10d         2               0.8333333333333334  -1                   false
        9          10d         2               1.1666666666666667  1                    true
        1          11d         1               1                   0                    false
        10         10d         2               -                   0                    -
        11         10d         2               -                   0                    -
        12         10d         2               0.0                 2                    false
        13         10d         2               2                   -2                   true
        """,
    )
    same(
        answer,
        """
        id:bigint  event_time  pct:double  place:bigint  share:double
        1          10d         0           3             0.2
        2          10d         0.5         1             0.4
        3          10d         0.5         1             0.4
        4          10d         -           -             -
        5          10d         -           1             1
        6          10d         0           2             0.25
        7          10d         1           1             0.75
        8          10d         0           2             0.4166666666666667
        9          10d         1           1             0.5833333333333334
        1          11d         -           1             1
        10         10d         0           1             -
        11         10d         0           1             -
        12         10d         1           1             0.0
        13         10d         0           2             1
        """,
    )


def test_s26_exclude_self_leaves_the_entity_out_of_its_own_mean(spark) -> None:
    same(
        compared(spark, SPENDS, PEOPLE_DRAWN, exclude_self=True).where("id < 9"),
        """
        id:bigint  event_time  members:bigint  ratio:double        above:double
        1          10d         3               0.5                 -1
        2          10d         3               1.3333333333333333  0.5
        3          10d         3               1.3333333333333333  0.5
        4          10d         3               -                   -
        5          10d         0               -                   -
        6          10d         1               0.3333333333333333  -2
        7          10d         1               3                   2
        8          10d         1               0.7142857142857143  -2
        1          11d         0               -                   -
        """,
    )


def test_s26_too_few_members_are_counted_and_not_compared_with(spark) -> None:
    few = compared(spark, SPENDS, PEOPLE_DRAWN, exclude_self=True, min_members=2).where("id in (1, 5, 7)")
    same(
        few,
        """
        id:bigint  event_time  members:bigint  ratio:double  pct:double  place:bigint  share:double  is_above:boolean
        1          10d         3               0.5           0           3             0.2           false
        5          10d         0               -             -           -             -             -
        7          10d         1               -             -           -             -             -
        1          11d         0               -             -           -             -             -
        """,
    )


def test_s26_an_entity_without_a_group_is_not_compared_where_so_declared(spark) -> None:
    no_group = Group(PEOPLE, by=("age", "town"), unknown=Unknown.NO_GROUP)
    same(
        compared(spark, SPENDS, PEOPLE_DRAWN, group=no_group).where("id in (5, 6, 8)"),
        """
        id:bigint  members:bigint  ratio:double  pct:double  place:bigint  share:double
        5          1               1             -           1             1
        6          -               -             -           -             -
        8          -               -             -           -             -
        """,
    )


def test_s26_everyone_is_one_group(spark) -> None:
    three = "id:bigint  event_time  value_sum_7d:double\n1  10d  1\n2  10d  1\n3  10d  4"
    same(
        compared(spark, three, None),
        """
        id:bigint  members:bigint  ratio:double  pct:double  place:bigint
        1          3               0.5           0           2
        2          3               0.5           0           2
        3          3               2             1           1
        """,
    )


def test_s24_a_mean_is_of_whole_quanta_and_divided_once(spark) -> None:
    ten = "\n".join(f"{n}  10d  0.1" for n in range(10))
    answer = compared(spark, "id:bigint  event_time  value_sum_7d:double\n" + ten, None)
    same(answer, "id:bigint  ratio:double  above:double\n" + "\n".join(f"{n}  1  0" for n in range(10)))


def test_every_comparison_that_is_declared_has_its_expression() -> None:
    assert cross._VALUES.keys() == group_operations().keys()
