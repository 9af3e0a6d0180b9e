"""What identifies a row for the gate: of a snapshot the entity, T and known_at (S12)."""

from pyspark.sql import functions as F

from quality.measure import SLICE, KeyCounts, measure

_ROWS = """
T known_at household spend
1 4        1         10    restated later, and kept
1 9        1         12    the restatement
1 4        2         7     stands
2 4        1         10    first
2 4        1         11    the same entity, T and known_at a second time
3 4        null      1     without an entity
"""


def test_s12_a_restated_row_is_no_duplicate_and_a_second_row_of_one_cut_is(spark) -> None:
    lines = [line.split() for line in _ROWS.strip().splitlines()[1:]]
    rows = [[None if cell == "null" else int(cell) for cell in line[:4]] for line in lines]
    frame = spark.createDataFrame(rows, "T bigint, known_at bigint, household bigint, spend bigint")
    counts = measure(
        frame.withColumn(SLICE, F.col("T")), keys=["household", "known_at"], profiled=["spend"], hashed=["spend"]
    ).keys
    assert counts == {1: KeyCounts(), 2: KeyCounts(duplicates=1), 3: KeyCounts(nulls=1)}
