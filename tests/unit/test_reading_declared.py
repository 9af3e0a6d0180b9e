"""How a column says that it is read: epochs, combined columns, trimmed text; and what that does to fingerprints."""

import pytest

from definitions.errors import DefinitionError, UnknownName
from definitions.versions import fingerprints
from ziggurat.model import Column, EventTime, Grain, Kind, LoadTime, Source


def source(column: Column, clock: EventTime) -> Source:
    return Source(
        name="rides",
        kind=Kind.EVENTS,
        version=1,
        owner="tests",
        columns=(column, Column("fare", "decimal(8,2)")),
        event_time=clock,
        available=LoadTime(),
    )


def test_a_combined_column_names_the_columns_of_the_files() -> None:
    at = Column("at", "timestamp", zone="Europe/Vienna", combined="{year}-{month}-{day of} {hour}:00")
    assert at.parts == at.delivered_names == ("year", "month", "day of", "hour")
    assert at.between_parts == ("", "-", "-", " ", ":00")
    assert Column("a", "int", delivered="A B").delivered_names == ("A B",)
    assert Column("a", "int", computed="b").delivered_names == ()
    assert source(at, EventTime("at")).delivered_names == ("year", "month", "day of", "hour", "fare")


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"type": "timestamp", "epoch": "ns"}, "'ns' is no unit of numbers since 1970; write s, ms, us"),
        ({"type": "bigint", "epoch": "s"}, "is a bigint; epoch='s' is for timestamps"),
        ({"type": "timestamp", "epoch": "s", "zone": "UTC"}, "numbers since 1970 are in UTC, drop the zone"),
        ({"type": "int", "trim": True}, "trim is for strings"),
        ({"type": "timestamp", "combined": "day clock"}, "names no columns; write them in braces"),
        ({"type": "string", "combined": "{a}{b}"}, "combined is for timestamps and dates"),
        ({"type": "timestamp", "combined": "{a} {b}", "delivered": "c"}, "without computed and delivered"),
    ],
)
def test_what_can_not_be_read_so_is_refused_where_it_is_declared(declared: dict, message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        Column("x", **declared)


def test_the_unit_of_an_event_time_is_that_of_its_column() -> None:
    for unit in ("s", "ms", "us"):
        rides = source(Column("at", "timestamp"), EventTime("at", unit=unit))
        assert rides.epoch_of(rides.column("at")) == unit
        assert rides.epoch_of(rides.column("fare")) == ""
    for column, clock, message in (
        (Column("at", "timestamp", zone="UTC"), EventTime("at", unit="s"), "Drop the column's zone"),
        (Column("at", "timestamp", epoch="ms"), EventTime("at", unit="s"), "'at' is in ms and in s; keep one"),
    ):
        with pytest.raises(DefinitionError, match=message):
            source(column, clock)
    with pytest.raises(DefinitionError, match="delivered without a unit"):
        EventTime("at", grain=Grain.DAY, zone="UTC", unit="s")
    with pytest.raises(UnknownName, match="zone 'Europe/Wien' is unknown"):
        Column("at", "timestamp", zone="Europe/Wien")


def test_a_reading_is_part_of_the_meaning_and_its_absence_is_what_it_always_was() -> None:
    plain = fingerprints(source(Column("at", "timestamp"), EventTime("at")))
    # As published by the versions that had no units.
    assert plain["fare"] == "bf484094ac15130a"
    others = [
        source(Column("at", "timestamp", epoch="ms"), EventTime("at")),
        source(Column("at", "timestamp"), EventTime("at", unit="s")),
        source(Column("at", "timestamp", combined="{a} {b}"), EventTime("at")),
    ]
    assert len({fingerprints(other)["at"] for other in others} | {plain["at"]}) == 4
    by_column = source(Column("at", "timestamp", epoch="ms"), EventTime("at"))
    by_clock = source(Column("at", "timestamp"), EventTime("at", unit="ms"))
    assert fingerprints(by_column) == fingerprints(by_clock)
