"""What is done in this process for small tables gives what Spark gives for large ones."""

import random
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.build.small import collected
from lakehouse.small_tables import read_rows, write_small
from lakehouse.tables import _history_by_spark, history, read
from lakehouse.writer import SmallCommit
from quality.measure import SLICE, measure, measure_table

VALUES = [None, 0.0, -0.0, 1.5, -(2.0**60), 1e-9]


@pytest.fixture(scope="module")
def drawn(spark_session):
    """Rows of every type that a table may have, with nulls in keys and values, equal keys and several slices."""
    draw = random.Random(7)
    rows = [
        (
            draw.randrange(3),
            draw.choice([None, "a", "b", "ß"]),
            draw.choice([None, 1, 2]),
            draw.choice(VALUES),
            draw.choice([None, "", "x y"]),
            draw.choice([None, True, False]),
        )
        for _ in range(200)
    ]
    frame = spark_session.createDataFrame(
        rows, f"{SLICE} bigint, id string, part int, amount double, word string, is_odd boolean"
    )
    return (
        frame.withColumn("price", F.expr("cast(amount % 1000 as decimal(12,3))"))
        .withColumn("day", F.expr("date_add(date'1969-12-30', part)"))
        .withColumn("at", F.expr(f"timestamp_micros({SLICE} * 1000003 + coalesce(part, 0))"))
        .withColumn("words", F.expr("array(word, id)"))
        .withColumn("raw", F.expr("cast(word as binary)"))
    )


def test_rows_are_measured_alike_by_this_process_and_by_spark(drawn) -> None:
    hashed = [name for name in drawn.columns if name != SLICE]
    what = {"keys": ["id", "part"], "profiled": ["amount", "price", "part", "word"], "hashed": hashed}
    table = collected(drawn, "drawn")
    assert table is not None
    here, there = measure_table(table, **what), measure(drawn.repartition(3), **what)
    assert here.hashes == there.hashes
    assert here.keys == there.keys
    assert sum(counts.duplicates for counts in here.keys.values()) > 50
    assert sum(counts.nulls for counts in here.keys.values()) > 20
    by = ["slice", "feature"]
    one, other = (found.profile.sort_values(by).reset_index(drop=True) for found in (here, there))
    pd.testing.assert_frame_equal(one, other, check_dtype=False)


@pytest.mark.parametrize("reads", [read_rows, read])
def test_what_was_collected_and_written_here_comes_back_as_it_was(
    spark, drawn, tmp_warehouse: Path, reads: Callable[..., DataFrame]
) -> None:
    table, path = collected(drawn, "drawn"), str(tmp_warehouse / "written here")
    assert table is not None
    write_small(spark, path, SmallCommit(rows=table.drop([SLICE]), transaction=("drawn", 1), properties={}))
    back, wanted = reads(spark, path, version=0), drawn.drop(SLICE)
    assert back.schema.simpleString() == wanted.schema.simpleString()
    slices = F.lit(0).cast("bigint")
    hashes = [
        measure(frame.withColumn(SLICE, slices), keys=[], profiled=[], hashed=wanted.columns).hashes
        for frame in (back, wanted)
    ]
    assert hashes[0] == hashes[1]


def test_the_history_of_a_table_is_told_from_its_log_as_spark_tells_it(spark, tmp_warehouse) -> None:
    path = str(tmp_warehouse / "told")
    rows = spark.range(10).withColumn("day", F.expr("id % 2"))
    rows.write.format("delta").option("userMetadata", 'a "note", with ü').save(path)
    fewer = rows.where("id < 4").write.format("delta").mode("overwrite")
    fewer.option("replaceWhere", "id < 4").save(path)
    rows.write.format("delta").mode("append").save(path)
    spark.sql(f"ALTER TABLE delta.`{path}` SET TBLPROPERTIES ('a.property' = '1')")
    spark.sql(f"DELETE FROM delta.`{path}` WHERE id = 7")
    assert [commit.operation for commit in history(spark, path, limit=10)][-1] == "WRITE"
    assert history(spark, path, limit=10) == _history_by_spark(spark, path, limit=10)
    assert history(spark, path, limit=2) == _history_by_spark(spark, path, limit=2)
    assert history(spark, str(tmp_warehouse / "nothing"), limit=2) == ()
