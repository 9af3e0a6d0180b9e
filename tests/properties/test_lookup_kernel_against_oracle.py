"""The look-up kernel against S13 read in plain Python: at any instant of knowledge, what each row takes.

The oracle asks every fact about every instant; it knows no order, no groups and no bisection.
"""

from itertools import pairwise
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from definitions.views import Duplicates
from kernels.as_of import versions
from kernels.as_of.lookup_facts import LookupFacts, LookupPlan
from kernels.as_of.lookups import look_up

Row = dict[str, Any]
LAST = 8  # instants of knowledge are 0 to 8 µs, event times 0 to 3, so that many are equal
INSTANT = pa.timestamp("us", tz="UTC")
KINDS = {"shop": pa.int64(), "town": pa.string(), "nth": pa.int64(), "level": pa.string(), "is_open": pa.bool_()}
CLOCKS = dict.fromkeys(("event_time", "available_time", "superseded_at"), INSTANT)
FLAG = (None, False, True)


def drawn(chance: Random, *, rows: int, facts: int) -> tuple[list[Row], list[Row]]:
    def known() -> Row:
        """An interval of knowledge that is not empty; open in half of the cases."""
        from_us = chance.randint(0, LAST)
        until_us = chance.choice([None, chance.randint(from_us + 1, LAST + 2)])
        return {"event_time": chance.randint(0, 3), "available_time": from_us, "superseded_at": until_us}

    def fact() -> Row:
        keys = {"shop": chance.choice([1, 1, 1, 2]), "town": chance.choice(["Ulm", "Ulm", "Ulm", ""])}
        own = {"nth": chance.randint(0, 1), "level": chance.choice([None, "a", "b"]), "is_open": chance.choice(FLAG)}
        return known() | keys | own | {"is_gone": chance.random() < 0.3}

    def row(number: int) -> Row:
        keys = {
            "shop": chance.choice([None, 1, 1, 1, 1, 2, 300]),
            "town": chance.choice([None, "Ulm", "Ulm", "Ulm", ""]),
        }
        return known() | keys | {"row": number}

    return [row(number) for number in range(rows)], [fact() for _ in range(facts)]


EXAMPLES = st.builds(
    lambda seed, rows, facts: drawn(Random(seed), rows=rows, facts=facts),
    st.integers(0, 2**32),
    st.integers(0, 8),
    st.integers(0, 16),
)


def table(rows: list[Row], names: list[str]) -> pa.Table:
    kinds = KINDS | CLOCKS | {"is_gone": pa.bool_(), "row": pa.int64()}
    return pa.table({name: pa.array([row[name] for row in rows], kinds[name]) for name in names})


def plan(duplicates: Duplicates | None, *, has_versions: bool) -> LookupPlan:
    return LookupPlan(
        keys=("shop", "town"),
        event_time="event_time",
        available_time="available_time",
        superseded_at="superseded_at",
        take=("is_open",) if duplicates is Duplicates.ANY_TRUE else ("level", "is_open"),
        breakers=("nth", "available_time", "is_gone", "level", "is_open"),
        duplicates=duplicates,
        has_versions=has_versions,
    )


def facts_of(
    held: pa.Table, duplicates: Duplicates | None, *, has_versions: bool, is_sorted: bool = False
) -> LookupFacts:
    facts = LookupFacts(held, plan(duplicates, has_versions=has_versions))
    return facts.sorted() if is_sorted else facts


def position(fact: Row) -> list[Any]:
    """S9 after the event time."""
    names = ("nth", "available_time", "is_gone", "level", "is_open")
    return [(False,) if fact[name] is None else (True, fact[name]) for name in names]


def found(row: Row, facts: list[Row], duplicates: Duplicates | None) -> tuple[Any, ...]:
    """What a row takes of the facts known: values, whether that is a tombstone, how many others there are."""
    reached = [
        fact
        for fact in facts
        if None not in (row["shop"], row["town"])
        and (fact["shop"], fact["town"]) == (row["shop"], row["town"])
        and fact["event_time"] <= row["event_time"]
    ]
    newest = [fact for fact in reached if fact["event_time"] == max(f["event_time"] for f in reached)]
    if not newest:
        return (None, None)
    if duplicates in (None, Duplicates.LATEST):
        last = max(newest, key=position)
        return (last["is_gone"], (last["level"], last["is_open"]))
    is_gone = any(fact["is_gone"] for fact in newest)
    alive = sum(not fact["is_gone"] for fact in newest)
    if duplicates is Duplicates.ANY_TRUE:
        held = {fact["is_open"] for fact in newest} - {None}
        return (is_gone, (True in held) if held else None)
    taken = [(fact["level"], fact["is_open"]) for fact in newest]
    return (is_gone, alive, taken[0] if alive == 1 and not is_gone else None)


def answered(row: Row, duplicates: Duplicates | None) -> tuple[Any, ...]:
    """The same of a row of the kernel's answer."""
    if row["is_gone"] is None:
        return (None, None)
    if duplicates in (None, Duplicates.LATEST):
        return (row["is_gone"], (row["level"], row["is_open"]))
    if duplicates is Duplicates.ANY_TRUE:
        return (row["is_gone"], row["is_open"])
    is_one = row["facts"] == 1 and not row["is_gone"]
    return (row["is_gone"], row["facts"], (row["level"], row["is_open"]) if is_one else None)


def at(rows: list[Row], instant: int) -> list[Row]:
    return [
        row
        for row in rows
        if row["available_time"] <= instant and (row["superseded_at"] is None or row["superseded_at"] > instant)
    ]


def micros(answer: pa.Table) -> list[Row]:
    for name in CLOCKS:
        answer = answer.set_column(answer.column_names.index(name), name, answer[name].cast(pa.int64()))
    return answer.to_pylist()


@settings(max_examples=500, deadline=None)
@given(
    EXAMPLES,
    st.sampled_from([Duplicates.REFUSE, Duplicates.LATEST, Duplicates.ANY_TRUE]),
    st.sampled_from([0, 2, 1000]),
    st.booleans(),
)
def test_at_any_instant_a_row_takes_what_was_known_then(example, duplicates, most_held, is_sorted) -> None:
    numbered, facts = example
    sent = table(numbered, ["row", "shop", "town", *CLOCKS])
    held = table(facts, ["shop", "town", *CLOCKS, "nth", "level", "is_open", "is_gone"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(versions, "_MOST_HELD", most_held)
        answer = micros(look_up(sent, facts_of(held, duplicates, has_versions=True, is_sorted=is_sorted)))
    for row in numbered:
        own = [version for version in answer if version["row"] == row["row"]]
        assert all(version["event_time"] == row["event_time"] for version in own)
        assert own[0]["available_time"] == row["available_time"]
        assert own[-1]["superseded_at"] == row["superseded_at"]
        assert all(one["superseded_at"] == other["available_time"] for one, other in pairwise(own))
        for instant in range(row["available_time"], row["superseded_at"] or LAST + 4):
            (version,) = at(own, instant)
            assert answered(version, duplicates) == found(row, at(facts, instant), duplicates)


@settings(max_examples=200, deadline=None)
@given(
    EXAMPLES,
    st.sampled_from([Duplicates.REFUSE, Duplicates.LATEST, Duplicates.ANY_TRUE]),
)
def test_where_nothing_changes_each_row_has_one_version_and_every_fact_counts(example, duplicates) -> None:
    numbered, facts = example
    sent = table(numbered, ["row", "shop", "town", *CLOCKS])
    held = table(facts, ["shop", "town", *CLOCKS, "nth", "level", "is_open", "is_gone"])
    answer = micros(look_up(sent, facts_of(held, duplicates, has_versions=False)))
    assert [{name: row[name] for name in sent.column_names} for row in answer] == numbered
    for row in answer:
        assert answered(row, duplicates) == found(row, facts, duplicates)


@settings(max_examples=200, deadline=None)
@given(EXAMPLES)
def test_a_version_begins_only_where_the_fact_that_a_row_takes_has_changed(example) -> None:
    """Facts without a flag or level of their own: `level` is their number, so that no two are alike."""
    numbered, facts = example
    named = [fact | {"level": str(number)} for number, fact in enumerate(facts)]
    sent = table(numbered, ["row", "shop", "town", *CLOCKS])
    held = table(named, ["shop", "town", *CLOCKS, "nth", "level", "is_open", "is_gone"])
    answer = micros(look_up(sent, facts_of(held, Duplicates.LATEST, has_versions=True)))
    for one, other in pairwise(answer):
        assert one["row"] != other["row"] or one["level"] != other["level"]
