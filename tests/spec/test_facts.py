"""Versions of facts: from when until when each counts (S7, S8, S9, S11)."""

from typing import Any

from temporal.instants import event_date, partition_of
from temporal.order import current_rows
from temporal.versions import known_before, with_superseded_at
from tests.support.drawn import at_us, frame, same
from ziggurat.model import AvailableColumn, Column, EventTime, Kind, PartitionBy, Source

COLUMNS = (
    Column("case", "string"),
    Column("fact", "bigint"),
    Column("level", "string"),
    Column("nth", "bigint"),
    Column("never_was", "boolean"),
)


def levels(**how: Any) -> Source:
    return Source(
        name="levels",
        kind=Kind.STATE,
        version=1,
        owner="tests",
        columns=(*COLUMNS, Column("event_at", "timestamp"), Column("told_at", "timestamp")),
        event_time=EventTime("event_at"),
        available=AvailableColumn("told_at"),
        **{"identity": ("case", "fact"), **how},
    )


def versions(spark: Any, text: str, source: Source, *, has_versions: bool = True) -> Any:
    rows = frame(spark, text).selectExpr(
        "*", "timestamp'2017-01-01T00:00:00Z' as event_at", "available_time as told_at"
    )
    return with_superseded_at(rows, source, has_versions=has_versions)


def test_s7_a_version_counts_until_a_newer_one_is_known(spark) -> None:
    answer = versions(
        spark,
        """
        case               fact:bigint  level  nth:bigint  never_was:boolean  available_time  loaded_at
        alone              1            a      1           -                  5d                        5d
        corrected          1            a      1           -                  5d                        5d
        corrected          1            b      1           -                  6d                        6d
        corrected          1            c      1           -                  8d                        8d
        another fact       1            a      1           -                  5d                        5d
        another fact       2            b      1           -                  6d                        6d
        loaded later       1            z      1           -                  5d                        3d
        loaded later       1            a      1           -                  5d                        4d
        one load, greater  1            a      2           -                  5d                        5d
        one load, greater  1            a      1           -                  5d                        5d
        one load, null     1            -      1           -                  5d                        5d
        one load, null     1            ''     1           -                  5d                        5d
        """,
        levels(),
    )
    same(
        answer,
        """
        case               fact:bigint  level  nth:bigint  available_time  superseded_at
        alone              1            a      1           5d              -
        corrected          1            a      1           5d              6d
        corrected          1            b      1           6d              8d
        corrected          1            c      1           8d              -
        another fact       1            a      1           5d              -
        another fact       2            b      1           6d              -
        loaded later       1            a      1           5d              -
        one load, greater  1            a      2           5d              -
        one load, null     1            ''     1           5d              -
        """,
    )


def test_s7_the_declared_version_decides_before_the_time_at_which_it_was_known(spark) -> None:
    answer = versions(
        spark,
        """
        case                  fact:bigint  level  nth:bigint  never_was:boolean  available_time
        in order              1            a      1           -                  5d
        in order              1            b      2           -                  6d
        old one came last     1            b      2           -                  5d
        old one came last     1            a      1           -                  6d
        third, first, second  1            c      3           -                  5d
        third, first, second  1            a      1           -                  6d
        third, first, second  1            b      2           -                  7d
        second, third, first  1            b      2           -                  5d
        second, third, first  1            c      3           -                  6d
        second, third, first  1            a      1           -                  7d
        first, third, second  1            a      1           -                  5d
        first, third, second  1            c      3           -                  6d
        first, third, second  1            b      2           -                  7d
        version unknown       1            b      1           -                  5d
        version unknown       1            a      -           -                  6d
        """,
        levels(version_by="nth"),
    )
    same(
        answer,
        """
        case                  level  available_time  superseded_at
        in order              a      5d              6d
        in order              b      6d              -
        old one came last     b      5d              -
        third, first, second  c      5d              -
        second, third, first  b      5d              6d
        second, third, first  c      6d              -
        first, third, second  a      5d              6d
        first, third, second  c      6d              -
        version unknown       b      5d              -
        """,
    )


def test_s8_a_retraction_ends_its_fact_and_shows_nothing_of_its_own(spark) -> None:
    answer = versions(
        spark,
        """
        case             fact:bigint  level  nth:bigint  never_was:boolean  available_time
        earlier returns  1            a      1           false              5d
        earlier returns  2            b      1           false              6d
        earlier returns  2            b      1           true               8d
        taken back       1            a      1           -                  5d
        taken back       1            a      1           true               6d
        taken back       1            a      2           false              8d
        never known      1            a      1           true               5d
        gone at once     1            a      1           false              5d
        gone at once     1            a      1           true               5d
        """,
        levels(retraction="never_was"),
    )
    same(
        answer,
        """
        case             fact:bigint  nth:bigint  available_time  superseded_at
        earlier returns  1            1           5d              -
        earlier returns  2            1           6d              8d
        taken back       1            1           5d              6d
        taken back       1            2           8d              -
        """,
    )


def test_s7_without_an_identity_or_versions_every_row_counts_for_good(spark) -> None:
    one = """
    case  fact:bigint  level  nth:bigint  never_was:boolean  available_time
    a     1            x      1           -                  5d
    a     1            y      1           -                  6d
    """
    wanted = "level  superseded_at\nx  -\ny  -"
    same(versions(spark, one, levels(identity=())), wanted)
    same(versions(spark, one, levels(), has_versions=False), wanted)


def test_s11_the_slice_holds_what_happened_before_the_as_of_and_was_known_at_the_cut(spark) -> None:
    facts = frame(
        spark,
        """
        case           event_time  available_time
        just before    10d-1us     10d
        at the as-of   10d         10d
        at the cut     9d          10d04:00
        after the cut  9d          10d04:00+1us
        """,
    )
    same(known_before(facts, as_of_us=at_us("10d"), cut_us=at_us("10d04:00")), "case\njust before\nat the cut")


def test_s9_conflicting_rows_of_a_static_delivery_resolve_by_their_columns(spark) -> None:
    source = Source(
        name="names",
        kind=Kind.STATIC,
        version=1,
        owner="tests",
        columns=(Column("fact", "bigint"), Column("level", "string")),
        identity=("fact",),
    )
    rows = frame(spark, "fact:bigint  level\n1  a\n1  b\n2  -\n2  ''\n3  -")
    same(current_rows(rows, source, has_versions=True), "fact:bigint  level\n1  b\n2  ''\n3  -")
    assert current_rows(rows, source, has_versions=False) is rows


def test_a_fact_lies_in_the_partition_that_its_instant_names(spark) -> None:
    cells = ("0d", "3d", "7d23:59", "8d", "31d-1us", "31d", "364d", "365d")
    facts = frame(spark, "event_time\n" + "\n".join(cells))
    for grain in PartitionBy:
        dates = facts.select(event_date(grain).cast("string").alias("day")).collect()
        assert [row["day"] for row in dates] == [partition_of(at_us(cell), grain) for cell in cells], grain
