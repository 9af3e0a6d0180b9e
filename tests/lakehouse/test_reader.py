"""What is read without Spark is what Spark reads: the ledger's state, releases, sizes, columns of newer files."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakehouse.ledger.ledger import Ledger, newest_release
from lakehouse.ledger.records import RUNS
from lakehouse.ledger.reduction import reduced_state
from lakehouse.ledger.state import collect_state
from lakehouse.reader import DeltaReader, NeedsSpark
from lakehouse.tables import Warehouse, read
from tests.lakehouse.nightly import SLICE, TABLE, run_night

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
TABLES = {"raw/a/v1": 3, "aggregate/b/v1": 1, "aggregate/c/v1": None}

# Each record has an instant of its own, but for the slices of one run: those share theirs.
records = st.fixed_dictionaries(
    {
        "minute": st.integers(0, 6),
        "record": st.sampled_from(["started", "ended", "slice", "slice", "slice", "step"]),
        "run_id": st.sampled_from(["r1", "r2", "r3"]),
        "name": st.sampled_from(sorted(TABLES)),
        "slice": st.sampled_from(["d1", "d2"]),
        "status": st.sampled_from(["published", "unchanged", "foreign", "upkeep", "failed"]),
        "version": st.one_of(st.none(), st.integers(0, 4)),
    }
)


def row(drawn: dict, index: int) -> dict:
    is_slice, is_run = drawn["record"] == "slice", drawn["record"] in ("started", "ended")
    return dict.fromkeys(RUNS.names) | {
        "run_id": drawn["run_id"],
        "recorded_at": BEGIN + timedelta(minutes=drawn["minute"], microseconds=index if not is_slice else 0),
        "record": drawn["record"],
        "name": f"build {drawn['run_id']}" if is_run else drawn["name"],
        "slice": drawn["slice"] if is_slice else None,
        "status": drawn["status"],
        "rows_out": index,
        "content_hash": f"hash {index}",
        "table_version": None if is_run else drawn["version"],
        "detail": json.dumps({"inputs": {"raw/a/v1": index}, "fingerprint": "f", "extra": {"loaded_at_us": index}}),
    }


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(records, max_size=25))
def test_both_reductions_of_a_random_ledger_are_equal(spark, drawn: list[dict]) -> None:
    import pyarrow as pa

    # Spark picks any of two records of one slice, instant and version, so those are drawn once.
    unique = {(d["record"], d["name"], d["slice"], d["minute"], d["version"]): d for d in drawn}.values()
    rows = [row(one, index) for index, one in enumerate(unique)]
    frame = spark.createDataFrame(pa.Table.from_pylist(rows, schema=RUNS))
    assert reduced_state(rows, TABLES.get) == collect_state(frame, TABLES.get)


def test_a_ledger_and_its_releases_are_read_as_spark_reads_them(spark, tmp_warehouse: Path) -> None:
    warehouse, reader = Warehouse(str(tmp_warehouse)), DeltaReader()
    assert reader.version(warehouse.runs.path) is None
    for number, rows in enumerate((4, 4, 5)):
        run_night(spark, warehouse.root, f"run-{number}", rows)
    ledger = Ledger.open(spark, warehouse)
    version_of = lambda table: reader.version(warehouse.address(table).path)  # noqa: E731
    state = collect_state(read(spark, warehouse.runs.path), version_of)
    assert reduced_state(reader.rows(warehouse.runs.path), version_of) == ledger.state() == state
    assert newest_release(reader.rows(warehouse.releases.path)) == ledger.latest_release()
    rows = [row.asDict() for row in read(spark, warehouse.releases.path).collect()]
    assert newest_release(rows) == ledger.latest_release()
    assert (TABLE, SLICE) in ledger.state().published


def test_files_without_newer_rows_are_left_out(spark, tmp_warehouse: Path) -> None:
    path, reader = f"{tmp_warehouse}/loads", DeltaReader()
    for micros in (1_000_700, 2_000_700):
        frame = spark.range(2).selectExpr(
            f"timestamp_micros({micros}) as loaded_at", "id", "date'2024-03-01' as event_date"
        )
        frame.coalesce(1).write.format("delta").mode("append").partitionBy("event_date").save(path)
    assert reader.version(path) == 1

    def later(us: int) -> int:
        files = [f for f in reader.files(path, version=1, times=["loaded_at"]) if f.may_pass({"loaded_at": us})]
        return reader.columns(path, ["id"], files=files).num_rows

    # The statistics of a file cut microseconds off: a time within the same millisecond may still be later.
    counts = {us: later(us) for us in (0, 1_000_650, 1_500_000, 2_000_650, 2_500_000)}
    assert counts == {0: 4, 1_000_650: 4, 1_500_000: 2, 2_000_650: 2, 2_500_000: 0}
    first = reader.files(path, version=0)
    assert [(file.rows, file.event_date, dict(file.newest)) for file in first] == [(2, "2024-03-01", {})]
    with pytest.raises(NeedsSpark, match="bytes"):
        DeltaReader(most_bytes=100).columns(path, ["id"], files=first)


def test_what_it_can_not_read_is_left_to_spark(tmp_path: Path) -> None:
    (tmp_path / "broken" / "_delta_log").mkdir(parents=True)
    (tmp_path / "broken" / "_delta_log" / f"{0:020}.json").write_text("not a log")
    with pytest.raises(NeedsSpark, match="no file system"):
        DeltaReader().version("abfss://container/table")
    with pytest.raises(NeedsSpark, match="without Spark"):
        DeltaReader().rows(str(tmp_path / "broken"))
