"""Which strategy joins a history, why, and which layouts are refused. The joined values: test_point_in_time.py."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import functions as F

from definitions.errors import DefinitionError, UsageError
from lakehouse.storage_errors import StorageError
from pit_join import History, explain_join, lay_out, point_in_time_join, with_layout
from pit_join.layout_writer import buckets_for
from tests.support.drawn import frame, same

FACTS = "who:bigint  event_time  seq:bigint  value\n1  3d  1  a\n1  3d  2  b\n2  5d  1  c"
SPINE = "who:bigint  label_time:timestamp\n1  4d\n2  4d\n-  4d\n2  6d"
SEEN = "who:bigint  label_time:timestamp  view__value\n1  4d  b\n2  4d  -\n-  4d  -\n2  6d  c"


def history(spark: Any, **how: Any) -> History:
    given = {"keys": ("who",), "features": ("value",), "tie_break": ("seq",), **how}
    return History("view", frame(spark, FACTS), **given)


def chosen(spine: Any, one: History, **how: Any) -> tuple[str, str]:
    [choice] = explain_join(spine, [one], **how)
    return choice.strategy, choice.reason


def test_auto_joins_in_the_layout_where_there_is_one_else_in_sql(spark, tmp_path: Path) -> None:
    spine, plain = frame(spark, SPINE), history(spark)
    laid = lay_out(plain, f"{tmp_path}/lay out", buckets=4)
    assert chosen(spine, plain) == ("sql", "it has no layout")
    assert chosen(spine, laid) == ("colocated", "its facts are sorted in 4 buckets, only the spine is shuffled")
    assert chosen(spine, laid, strategy="arrow") == ("arrow", "as requested")
    assert chosen(spine, laid, knowledge="latest")[0] == "sql"
    static = history(spark, event_time=None, tie_break=())
    assert chosen(spine, static, strategy="colocated") == ("sql", "it is static: one row per key, looked up")
    for strategy in ("auto", "sql", "arrow", "colocated"):
        same(point_in_time_join(spine, [with_layout(plain, f"{tmp_path}/lay out")], strategy=strategy), SEEN)


def test_values_that_arrow_can_not_hold_are_joined_in_sql(spark, tmp_path: Path) -> None:
    spine = frame(spark, SPINE).withColumn("span", F.expr("make_interval(1)"))
    laid = lay_out(history(spark), f"{tmp_path}/laid", buckets=1)
    assert chosen(spine, laid) == ("sql", "column 'span' is interval, which Arrow can't hold")
    with pytest.raises(
        UsageError, match=r"can't be joined with strategy 'arrow': column 'span' is interval.*use 'sql'"
    ):
        point_in_time_join(spine, [laid], strategy="arrow")
    joined = point_in_time_join(spine, [laid])
    same(joined.drop("span"), SEEN)

    collated = frame(spark, "who  event_time  value\nA  3d  x")
    collated = collated.withColumn("who", F.col("who").cast("string collate UTF8_LCASE"))
    one = History("view", collated, keys=("who",), features=("value",))
    lower = frame(spark, "who  label_time:timestamp\na  4d").withColumn("who", F.expr("who collate UTF8_LCASE"))
    assert chosen(lower, one) == ("sql", "its key compares by a collation, which only Spark implements")
    assert point_in_time_join(lower, [one]).collect()[0]["view__value"] == "x"


def test_colocated_without_a_layout_says_how_to_get_one(spark) -> None:
    with pytest.raises(UsageError, match=r"'colocated': it has no layout.*ziggurat layout build.*lay_out"):
        point_in_time_join(frame(spark, SPINE), [history(spark)], strategy="colocated")


def test_a_layout_of_other_declarations_is_refused(spark, tmp_path: Path) -> None:
    folder, one = f"{tmp_path}/laid", history(spark)
    with pytest.raises(DefinitionError, match="no layout is in"):
        with_layout(one, folder)
    lay_out(one, folder, buckets=2)
    for other, message in (
        (history(spark, tie_break=()), r"written with order \[\['seq'\], None\]"),
        (history(spark, includes_label_instant=True), "written with edge"),
        (history(spark, keys=("seq",)), "written with keys"),
        (replace(one, frame=one.frame.withColumn("more", F.lit(1))), "orders by other columns"),
        (replace(one, frame=one.frame.withColumn("more", F.lit(1)), features=("more",)), "lacks 'more'"),
    ):
        with pytest.raises(DefinitionError, match=message):
            with_layout(other, folder)
    with pytest.raises(DefinitionError, match="is static"):
        lay_out(history(spark, event_time=None, tie_break=()), folder)
    # max_age is no part of a layout: it is checked on the matched fact.
    assert with_layout(replace(one, max_age="2d"), folder).layout is not None


def test_a_layout_that_can_not_be_read_says_that_it_may_be_deleted(spark, tmp_path: Path) -> None:
    one = history(spark)
    lay_out(one, f"{tmp_path}/laid", buckets=1)
    for file in (tmp_path / "laid" / "_notes").iterdir():
        file.write_text("not JSON")
    with pytest.raises(StorageError, match=r"can't be read.*Delete the folder: joins go without"):
        with_layout(one, f"{tmp_path}/laid")


def test_buckets_hold_at_most_750_000_facts_and_are_a_power_of_two() -> None:
    assert [buckets_for(rows) for rows in (0, 6_000_000, 6_000_001, 10_000_000, 50_000_000)] == [8, 8, 16, 16, 128]


def test_the_facts_of_a_layout_are_not_shuffled(spark, tmp_path: Path, capsys) -> None:
    """One exchange for two histories: that of the spine."""
    one = lay_out(history(spark), f"{tmp_path}/laid", buckets=2)
    other = replace(one, name="other")
    point_in_time_join(frame(spark, SPINE), [one, other]).explain()
    plan = capsys.readouterr().out
    assert plan.count("Exchange") == 1
    assert "value" not in plan.split("Exchange")[1]
