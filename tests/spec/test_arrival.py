"""Which delivered rows are new, and since when they could have been known (S5, S7)."""

from typing import Any

from compute.arrival import Load, new_rows, with_available_time
from definitions.clocks import Availability
from tests.support.drawn import at, frame, same
from ziggurat.model import AvailableColumn, Column, EventTime, Kind, LandingDelay, LoadTime, Source

FIRST = Load(at("10d"), None)
SECOND = Load(at("11d"), at("10d"))


def lines(available: Availability, *, identity: tuple[str, ...] = ("fact",)) -> Source:
    return Source(
        name="lines",
        kind=Kind.EVENTS,
        version=1,
        owner="tests",
        columns=(
            Column("fact", "string"),
            Column("amount", "bigint"),
            Column("event_at", "timestamp"),
            Column("told_at", "timestamp"),
        ),
        identity=identity,
        event_time=EventTime("event_at"),
        available=available,
    )


def rows(spark: Any, text: str) -> Any:
    """Typed rows, as delivery leaves them."""
    return frame(spark, text).selectExpr("*", "event_at as event_time")


def loaded(spark: Any, source: Source, load: Load, text: str, *, known: Any = None) -> Any:
    fresh = new_rows(rows(spark, text), known, source, repeats=True)
    return with_available_time(fresh, source, load, known=known)


DELIVERED = """
fact          amount:bigint  event_at  told_at
old           1              1d                  -
yesterday     1              9d                  -
just now      1              9d22:00             -
"""


def test_s5_a_first_load_gives_every_fact_its_landing_delay(spark) -> None:
    same(
        loaded(spark, lines(LandingDelay("4h")), FIRST, DELIVERED),
        """
        fact       available_time  loaded_at  _late:boolean
        old        1d04:00         10d        false
        yesterday  9d04:00         10d        false
        just now   10d02:00        10d        false
        """,
    )


def test_s5_a_first_load_is_trusted_only_up_to_its_declared_instant(spark) -> None:
    edge = """
    fact    amount:bigint  event_at  told_at
    before  1              9d-1us    -
    at      1              9d        -
    after   1              9d22:00   -
    """
    same(
        loaded(spark, lines(LandingDelay("4h", first_load_until="2017-01-10")), FIRST, edge),
        """
        fact    available_time  _late:boolean
        before  9d04:00-1us     false
        at      10d             true
        after   10d02:00        true
        """,
    )


KNOWN = """
fact       amount:bigint  event_at  told_at
again      1              1d        -
corrected  1              1d        -
young      5              9d22:00   -
moved      1              1d        -
no amount  -              1d        -
"""
LATER = """
fact         amount:bigint  event_at     told_at
again        1              1d           -
again        1              1d           -
no amount    -              1d           -
corrected    2              1d           -
young        3              9d22:00      -
moved        1              2d           -
on time      1              10d12:00     -
edge         1              9d20:00      -
edge, later  1              9d20:00+1us  -
late         1              5d           -
twice        1              5d           -
twice        1              5d           -
"""


def test_s5_s7_a_later_load_keeps_what_is_new_and_stamps_what_is_late_with_itself(spark) -> None:
    source = lines(LandingDelay("4h"))
    answer = loaded(spark, source, SECOND, LATER, known=rows(spark, KNOWN))
    same(
        answer,
        """
        fact         amount:bigint  event_time   available_time  loaded_at  _late:boolean
        corrected    2              1d           11d             11d        true
        young        3              9d22:00      11d             11d        true
        moved        1              2d           11d             11d        true
        on time      1              10d12:00     10d16:00        11d        false
        edge         1              9d20:00      11d             11d        true
        edge, later  1              9d20:00+1us  10d+1us         11d        false
        late         1              5d           11d             11d        true
        twice        1              5d           11d             11d        true
        """,
    )


def test_s7_without_an_identity_equal_rows_are_facts_and_raw_holds_as_many_as_were_delivered(spark) -> None:
    source = lines(LandingDelay("4h"), identity=())
    one = "fact  amount:bigint  event_at  told_at\n"
    held = rows(spark, one + "a  1  1d  -\na  1  1d  -\nb  -  1d  -\nc  1  1d  -")
    thrice = one + "a  1  1d  -\na  1  1d  -\na  1  1d  -\nb  -  1d  -\nb  -  1d  -\nd  1  10d12:00  -\nc  2  1d  -"
    same(
        loaded(spark, source, SECOND, thrice, known=held),
        """
        fact  amount:bigint  available_time  _late:boolean
        a     1              11d             true
        b     -              11d             true
        d     1              10d16:00        false
        c     2              11d             true
        """,
    )
    same(loaded(spark, source, FIRST, thrice), thrice)


def test_s5_the_source_or_the_load_says_when_it_was_known(spark) -> None:
    delivered = "fact  amount:bigint  event_at  told_at\na  1  1d  2d\nb  1  3d  2d"
    wanted = "fact  available_time  _late:boolean\na  {}  false\nb  {}  false"
    for load in (FIRST, SECOND):
        column = loaded(spark, lines(AvailableColumn("told_at")), load, delivered)
        same(column, wanted.format("2d", "2d"))
        same(loaded(spark, lines(LoadTime()), load, delivered), wanted.format(*[f"{load.at.day - 1}d"] * 2))


def test_s10_a_static_source_has_no_available_time(spark) -> None:
    source = Source(name="names", kind=Kind.STATIC, version=1, owner="tests", columns=(Column("fact", "string"),))
    stamped = with_available_time(frame(spark, "fact\na"), source, FIRST, known=None)
    same(stamped, "fact  loaded_at  _late:boolean\na  10d  false")
    assert "available_time" not in stamped.columns
