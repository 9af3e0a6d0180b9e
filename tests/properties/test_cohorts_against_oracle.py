"""Entities beside their groups against plain Python: every member is compared with every other, bit for bit (S24, S26).

One frame holds many examples, each at a T of its own.
"""

from random import Random
from typing import Any

import pyarrow as pa
import pytest

from compute.cross import compare
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
    count,
    difference_to_mean,
    members,
    percentile_rank,
    rank,
    ratio_to_mean,
    share_of_total,
    sum_of,
)

Row = dict[str, Any]
INSTANT = pa.timestamp("us", tz="UTC")
LINES = Source(
    name="lines",
    kind=Kind.EVENTS,
    version=1,
    owner="tests",
    columns=(Column("id", "bigint"), Column("part", "string"), Column("value", "double"), Column("at", "timestamp")),
    event_time=EventTime("at"),
    available=LandingDelay("0s"),
)
PEOPLE = Source(
    name="people",
    kind=Kind.STATIC,
    version=1,
    owner="tests",
    columns=(Column("id", "bigint"), Column("part", "string"), Column("age", "int"), Column("town", "string")),
    identity=("id", "part"),
)
PERSON = Entity("person", keys=(("id", "bigint"), ("part", "string")))
SPEND = AggregateView(
    "spend",
    entity=PERSON,
    source=LINES,
    version=1,
    owner="tests",
    windows=("7d",),
    features=(sum_of("value", quantum="0.01"), count(named="lines")),
)
PARTS = ("a", "b")
VALUES = (None, 0.0, 0.0, 0.01, 0.1, 0.2, 0.3, 1.0, -2.5, 1e12, 33.33)
COUNTS = (None, 0, 1, 2, 2, 3, 2**40)


def view(*, grouped: bool, exclude_self: bool, min_members: int, unknown: Unknown) -> CrossEntityView:
    operations = (ratio_to_mean, difference_to_mean, share_of_total, percentile_rank, rank)
    return CrossEntityView(
        "spend_in_group",
        entity=PERSON,
        of=SPEND,
        version=1,
        owner="tests",
        features=(members(), *(each(name) for name in ("value_sum_7d", "lines_count_7d") for each in operations)),
        exclude_self=exclude_self,
        min_members=min_members,
        **({"group": Group(PEOPLE, by=("age", "town"), unknown=unknown)} if grouped else {}),
    )


def drawn(chance: Random) -> tuple[list[Row], list[Row]]:
    """Rows of 60 instants with up to 12 entities each; and where they live, which some do not."""
    entities = [(number, part) for number in range(8) for part in PARTS]
    rows = [
        {"id": number, "part": part, "event_time": at, "value_sum_7d": chance.choice(VALUES)}
        | {"lines_count_7d": chance.choice(COUNTS)}
        for at in range(60)
        for number, part in chance.sample(entities, chance.randint(1, 12))
    ]
    people = [
        {"id": number, "part": part, "age": chance.choice([None, 1, 2]), "town": chance.choice([None, "Ulm"])}
        for number, part in entities
        if chance.random() < 0.8
    ]
    return rows, people


def divided(one: float, other: float) -> float | None:
    return one / other + 0.0 if other else None


def wanted(row: Row, rows: list[Row], people: dict[Any, Any], of: CrossEntityView) -> tuple[Any, ...]:
    def group(each: Row) -> Any:
        lives = people.get((each["id"], each["part"]), (None, None)) if of.group.by else ()
        return (each["event_time"], *lives)

    together = [each for each in rows if group(each) == group(row)]
    has_group = of.group.unknown is not Unknown.NO_GROUP or None not in group(row)
    others = len(together) - of.exclude_self
    answer: list[Any] = [others if has_group else None]
    for name, divisor in (("value_sum_7d", 100), ("lines_count_7d", 1)):
        if not has_group or others < of.min_members:
            answer += [None] * 5
            continue
        own, known = row[name], [each[name] for each in together if each[name] is not None]
        compared_with = known.copy()
        if of.exclude_self and own is not None:
            compared_with.remove(own)
        total = sum(round(value * divisor) for value in compared_with)
        mean = divided(float(total), float(len(compared_with) * divisor))
        if own is None:
            answer += [None] * 5
            continue
        whole = sum(round(value * divisor) for value in known)
        smaller = sum(value < own for value in known)
        answer += [
            None if mean is None else divided(float(own), mean),
            None if mean is None else float(own) - mean,
            divided(float(round(own * divisor)), float(whole)),
            smaller / (len(known) - 1) if len(known) > 1 else None,
            1 + sum(value > own for value in known),
        ]
    return tuple(answer)


@pytest.mark.parametrize("tasks", [1, 3])
def test_s26_every_member_is_compared_as_one_by_one(spark, tasks: int) -> None:
    chance = Random(tasks)
    rows, people = drawn(chance)
    kinds = {"id": pa.int64(), "part": pa.string(), "event_time": INSTANT, "age": pa.int32(), "town": pa.string()}
    kinds |= {"value_sum_7d": pa.float64(), "lines_count_7d": pa.int64()}
    frames = [
        spark.createDataFrame(pa.table({c: pa.array([row[c] for row in drawn_rows], kinds[c]) for c in drawn_rows[0]}))
        for drawn_rows in (rows, people)
    ]
    lives = {(each["id"], each["part"]): (each["age"], each["town"]) for each in people}
    for grouped, exclude_self, min_members, unknown in (
        (True, False, 1, Unknown.OWN_GROUP),
        (True, True, 2, Unknown.NO_GROUP),
        (False, True, 1, Unknown.OWN_GROUP),
    ):
        of = view(grouped=grouped, exclude_self=exclude_self, min_members=min_members, unknown=unknown)
        answer = compare(frames[0], frames[1] if grouped else None, of, tasks=tasks)
        names = [feature.name for feature in of.outputs]
        found = answer.selectExpr("unix_micros(event_time) as t", "id", "part", *names).toArrow().to_pylist()
        assert len(found) == len(rows)
        by_key = {(row["t"], row["id"], row["part"]): tuple(row[name] for name in names) for row in found}
        for row in rows:
            expected = wanted(row, rows, lives, of)
            assert by_key[row["event_time"], row["id"], row["part"]] == expected, (row, names)
