"""The point-in-time join beside its drawn rules: the result's form, what it refuses, and its evidence."""

from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import functions as F

from definitions.errors import (
    DefinitionError,
    LabelTimeError,
    SpineColumnsError,
    SpineKeyError,
    UnknownName,
    UsageError,
)
from pit_join import History, join_with_evidence, point_in_time_join
from pit_join.certificate import facts_at_label, gather_evidence
from tests.support.drawn import at_us, frame, same


def history(spark: Any, text: str, **how: Any) -> History:
    given = {"keys": ("who",), "features": ("value",), **how}
    return History("view", frame(spark, text), **given)


def test_the_result_has_the_spines_columns_then_each_historys_features_in_their_order_and_types(spark) -> None:
    facts = frame(spark, "who:bigint  event_time  amount:decimal(12,2)  n:int\n1  3d  10.00  7\n2  3d  1.50  8")
    facts = facts.withColumns(
        {
            "tags": F.create_map(F.lit("b"), F.lit(1), F.lit("a"), F.lit(2)),
            "parts": F.array(F.struct(F.lit("x").alias("odd name"), F.create_map(F.lit(2), F.lit(True)).alias("m"))),
            "naive": F.expr("timestamp_ntz'2017-01-01 05:00:00'"),
        }
    )
    brought = ("tags", "n", "amount", "parts", "naive", "who", "event_time")
    views = [
        History("b", facts, keys=("who",), features=brought),
        History("a", facts, keys=("who",), features=("n",), event_time=None, spine_keys=("household.id",)),
    ]
    spine = frame(spark, "label:double  household.id:bigint  who:bigint  label_time:timestamp\n0.5  2  1  4d")
    joined = point_in_time_join(spine, views)
    types = dict(facts.dtypes)
    brought_types = [(f"b__{name}", types[name]) for name in brought]
    assert joined.dtypes == [*spine.dtypes, *brought_types, ("a__n", types["n"])]
    [row] = joined.toArrow().to_pylist()
    assert row["b__tags"] == [("a", 2), ("b", 1)]
    assert row["b__parts"] == [{"odd name": "x", "m": [(2, True)]}]
    assert (row["b__n"], row["b__who"], row["a__n"], row["household.id"]) == (7, 1, 8, 2)


def test_s15_an_empty_spine_or_history_is_no_error(spark) -> None:
    header = "who:bigint  event_time  value"
    empty, one = history(spark, header), history(spark, f"{header}\n1  3d  a")
    spine = "who:bigint  label_time:timestamp"
    assert point_in_time_join(frame(spark, spine), [one]).count() == 0
    same(
        point_in_time_join(frame(spark, f"{spine}\n1  4d"), [empty]).select("who", "view__value"),
        "who:bigint  view__value\n1  -",
    )
    same(point_in_time_join(frame(spark, f"{spine}\n1  4d"), []), f"{spine}\n1  4d")


def test_a_spine_whose_rows_are_drawn_at_random_is_read_once(spark) -> None:
    """Rows without a key go the same way as the others: nothing is split off and computed again."""
    spine = spark.range(400).select(
        F.when(F.rand(1) < 0.5, F.lit(1)).alias("who"),
        F.expr("timestamp'2017-01-05T00:00:00Z'").alias("label_time"),
        "id",
    )
    facts = history(spark, "who:int  event_time  value\n1  3d  a")
    joined = point_in_time_join(spine, [facts])
    assert joined.where("(who is null) = (view__value is null)").count() == 400
    assert joined.select("id").distinct().count() == 400


FACTS = "who:bigint  event_time  available_time  superseded_at  value  gone:boolean  local:timestamp_ntz"
ONE_FACT = f"{FACTS}\n1  3d  3d  -  a  -  -"
SPINE = "who:bigint  label_time:timestamp"


@pytest.mark.parametrize(
    ("spine", "how", "error", "message"),
    [
        ("id:bigint  label_time:timestamp", {}, SpineKeyError, "no column 'who', which history 'view' is joined by"),
        ("who:int  label_time:timestamp", {}, SpineKeyError, "is int in the spine, but 'who' is bigint in history"),
        ("who:int  label_time:timestamp", {}, SpineKeyError, r"cast\(who as bigint\)"),
        ("who:double  label_time:timestamp", {}, SpineKeyError, "key 'who' of the spine is double"),
        ("who:bigint  at:timestamp", {}, LabelTimeError, "no column 'label_time'.*label_time=…"),
        ("who:bigint  label_tme:timestamp", {}, LabelTimeError, "Did you mean 'label_tme'"),
        (
            "who:bigint  label_time:timestamp_ntz",
            {},
            LabelTimeError,
            r"timestamp_ntz.*' America/New_York'\) as timestamp",
        ),
        ("who:bigint  label_time:string", {}, LabelTimeError, "is string.*each text with its zone"),
        ("who:bigint  label_time:date", {}, LabelTimeError, "is date.*'T00:00:00Z'"),
        ("who:bigint  label_time:bigint", {}, LabelTimeError, "is bigint; it must be timestamp"),
        (f"{SPINE}  Who:string", {}, SpineColumnsError, "column 'who' twice"),
        (f"{SPINE}  VIEW__value:string", {}, SpineColumnsError, "'VIEW__value' has the name of a column that the join"),
        (f"{SPINE}  _evidence__view:string", {}, SpineColumnsError, "_evidence__view"),
    ],
)
def test_a_spine_that_cannot_be_joined_is_refused_with_the_fix(spark, spine, how, error, message) -> None:
    with pytest.raises(error, match=message):
        join_with_evidence(frame(spark, spine), [history(spark, FACTS, **how)])


@pytest.mark.parametrize(
    ("how", "error", "message"),
    [
        ({"keys": ("whom",)}, UnknownName, "no column 'whom'. Did you mean 'who'"),
        ({"features": ("valeu",)}, UnknownName, "Did you mean 'value'"),
        ({"event_time": "event_tim"}, UnknownName, "Did you mean 'event_time'"),
        ({"tie_break": ("nth",)}, UnknownName, "no column 'nth'. Known: available_time"),
        ({"event_time": "local"}, DefinitionError, "clock 'local' is timestamp_ntz"),
        ({"available_time": "value"}, DefinitionError, "clock 'value' is string"),
        ({"tombstone": "value"}, DefinitionError, "'value' marks facts; it is string"),
        ({"keys": ()}, DefinitionError, "has no keys"),
        ({"spine_keys": ("a", "b")}, DefinitionError, "1 keys but 2 spine_keys"),
        ({"features": ("value", "value")}, DefinitionError, "feature 'value' is named twice"),
        ({"event_time": None, "max_age": "7d"}, DefinitionError, "static but declares max_age"),
        ({"identity": ("who",), "superseded_at": "superseded_at"}, DefinitionError, "identity and superseded_at"),
        ({"version_by": "value"}, DefinitionError, "version_by without identity"),
        ({"max_age": timedelta(0)}, DefinitionError, "leaves out every fact"),
        ({"max_age": "1 week"}, DefinitionError, "not a duration"),
        ({"superseded_at": "superseded_at", "features": ("superseded_at",)}, DefinitionError, "known only later"),
    ],
)
def test_a_history_that_contradicts_itself_or_its_frame_is_refused(spark, how, error, message) -> None:
    with pytest.raises(error, match=message):
        history(spark, FACTS, **how)


def test_a_float_key_a_nested_key_and_a_column_without_an_order_are_refused(spark) -> None:
    floats = history(spark, "who:double  event_time  value")
    with pytest.raises(SpineKeyError, match="key 'who' of history 'view' is double"):
        point_in_time_join(frame(spark, SPINE), [floats])
    nested = frame(spark, SPINE).withColumn("who", F.struct("who"))
    with pytest.raises(SpineKeyError, match="join by its parts"):
        point_in_time_join(nested, [history(spark, FACTS)])
    with pytest.raises(DefinitionError, match="column 'value' is variant, which has no order"):
        History("view", frame(spark, FACTS).withColumn("value", F.parse_json(F.lit("1"))), keys=("who",), features=())


def test_unknown_options_and_two_histories_of_one_name_are_refused(spark) -> None:
    spine, facts = frame(spark, SPINE), history(spark, FACTS)
    with pytest.raises(UsageError, match=r"knowledge 'lates' is unknown\. Did you mean 'latest'"):
        point_in_time_join(spine, [facts], knowledge="lates")
    with pytest.raises(UsageError, match=r"strategy 'sqll' is unknown\. Did you mean 'sql'"):
        point_in_time_join(spine, [facts], strategy="sqll")
    with pytest.raises(SpineColumnsError, match="two features would both be called 'view__value'"):
        point_in_time_join(spine, [facts, facts])


def test_the_fixes_that_a_refused_label_time_names_give_the_instant_meant_in_any_zone(spark) -> None:
    naive = frame(spark, "a:timestamp_ntz  b:date\n2017-07-01T12:00:00.5  2017-07-01")
    spark.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
    try:
        fixed = naive.selectExpr(
            "unix_micros(cast(concat(a, ' America/New_York') as timestamp)) as a",
            "unix_micros(cast(concat(b, 'T00:00:00Z') as timestamp)) as b",
        ).toArrow()
    finally:
        spark.conf.set("spark.sql.session.timeZone", "UTC")
    assert fixed.to_pylist() == [{"a": at_us("2017-07-01T16:00:00.5Z"), "b": at_us("2017-07-01T00:00Z")}]


def test_the_evidence_counts_outcomes_and_clocks_in_one_pass(spark) -> None:
    text = """
    who:bigint  event_time  available_time  gone:boolean  value
    1           3d          3d              false         a
    1           4d          5d              false         b
    2           3d          3d              false         a
    2           3d          3d              false         b
    3           3d          3d              true          a
    """
    spine = frame(
        spark,
        """
        who:bigint  label_time:timestamp
        1           3d
        1           4d
        1           5d
        1           20d
        2           3d+1us
        3           5d
        4           5d
        -           5d
        2           -
        """,
    )
    facts = history(spark, text, available_time="available_time", tombstone="gone", max_age="7d")
    later = history(spark, "who:bigint  event_time  value\n1  40d  x\n1  41d  x")
    later = History("later", later.frame, keys=("who",), features=("value",))
    names = History("names", later.frame, keys=("who",), features=("value",), event_time=None)
    everything = [facts, later, names]
    evidence = gather_evidence(join_with_evidence(spine, everything), everything)
    view = evidence["view"]
    assert (view.rows, view.matched, view.unseen, view.expired, view.ended, view.without_key) == (9, 3, 2, 1, 1, 2)
    assert (view.ties, view.event_at_label, view.available_at_label) == (1, 0, 1)
    assert (view.newest_event_us, view.newest_available_us) == (at_us("4d"), at_us("5d"))
    assert (view.smallest_event_gap_us, view.smallest_availability_gap_us) == (1, 0)
    assert view.oldest_matched_us == 86_400_000_000
    assert (view.first_label_us, view.last_label_us, view.first_available_us) == (at_us("3d"), at_us("20d"), None)
    assert (evidence["later"].unseen, evidence["later"].first_available_us) == (7, at_us("40d"))
    assert (evidence["names"].matched, evidence["names"].ties, evidence["names"].unseen) == (4, 4, 3)
    assert evidence["names"].newest_event_us is None
    assert [facts_at_label(spine, each) for each in everything] == [2, 0, 0]


def test_an_empty_training_set_has_evidence_of_nothing(spark) -> None:
    facts = history(spark, FACTS)
    evidence = gather_evidence(join_with_evidence(frame(spark, SPINE), [facts]), [facts])["view"]
    assert (evidence.rows, evidence.matched, evidence.newest_event_us, evidence.first_label_us) == (0, 0, None, None)


def test_one_shuffle_per_history_and_no_python(spark, capsys) -> None:
    """The spine travels once with the facts of each history; superseded versions come along."""
    facts = history(spark, ONE_FACT, available_time="available_time", superseded_at="superseded_at")
    other = History("other", facts.frame, keys=("who",), features=("value",), is_snapshot=True)
    point_in_time_join(frame(spark, f"{SPINE}\n1  4d"), [facts, other]).explain()
    plan = capsys.readouterr().out
    assert plan.count("Exchange hashpartitioning") == 2
    assert "Python" not in plan
    assert "Cartesian" not in plan


def test_rows_without_a_key_do_not_meet_in_one_partition(spark) -> None:
    lost = spark.createDataFrame(pa.table({"who": pa.nulls(500, pa.int64()), "n": range(500)})).withColumn(
        "label_time", F.expr("timestamp'2017-01-05T00:00:00Z'")
    )
    facts = history(spark, ONE_FACT)
    joined = point_in_time_join(lost, [facts]).withColumn("partition", F.spark_partition_id())
    spark.conf.set("spark.sql.adaptive.coalescePartitions.enabled", "false")
    try:
        assert len(joined.groupBy("partition").agg(F.count("view__value")).collect()) == 2
    finally:
        spark.conf.unset("spark.sql.adaptive.coalescePartitions.enabled")
