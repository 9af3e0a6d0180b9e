"""What the ledger knows, and what it finds out for itself."""

import shutil
from pathlib import Path

import pytest

from lakehouse.leases.leases import LeaseDesk
from lakehouse.ledger.ledger import Ledger
from lakehouse.ledger.records import Run, SliceRecord, StepRecord
from lakehouse.storage_errors import Fenced, StorageError
from lakehouse.tables import Warehouse, current_version, read, sql_name
from tests.lakehouse.nightly import SLICE, TABLE, publish_households, run_night


@pytest.fixture
def warehouse(tmp_warehouse: Path) -> Warehouse:
    return Warehouse(str(tmp_warehouse))


@pytest.fixture
def ledger(spark, warehouse: Warehouse) -> Ledger:
    return Ledger.open(spark, warehouse)


def test_a_night_is_recorded_in_two_commits_and_read_back(spark, warehouse: Warehouse, ledger: Ledger):
    assert ledger.state().published == {}
    run_night(spark, warehouse.root, "run-1", 4)
    assert current_version(spark, warehouse.runs.path) == 1
    state = ledger.state()
    known = state.published[TABLE, SLICE]
    assert (known.hash, known.rows, known.fingerprint, known.table_version, known.run_id) == (
        "hash of 4", 4, "fp1", 0, "run-1",
    )  # fmt: skip
    assert known.inputs == {"raw/transactions/v1": 3}
    assert [(run.run_id, run.name, run.status) for run in state.runs] == [("run-1", "build", "done")]
    assert state.unended == ()
    records = read(spark, warehouse.runs.path).groupBy("record").count().collect()
    assert {row["record"]: row["count"] for row in records} == {
        "started": 1,
        "step": 1,
        "slice": 1,
        "ended": 1,
    }

    assert run_night(spark, warehouse.root, "run-2", 4) == "unchanged"
    assert current_version(spark, warehouse.address(TABLE).path) == 0
    assert ledger.state().published[TABLE, SLICE].run_id == "run-2"
    assert ledger.latest_release().release_id == 1  # nothing differs: no new release
    assert run_night(spark, warehouse.root, "run-3", 5) == "published"
    assert ledger.latest_release().release_id == 2
    assert ledger.latest_release().views == {TABLE: {"version": 1, "slices": [SLICE]}}


def test_a_finish_repeated_after_a_lost_answer_is_not_doubled(spark, warehouse: Warehouse, ledger: Ledger):
    run = Run("run-1", "build", {"as_of": [SLICE]})
    ledger.start(run)
    for _ in range(2):
        ledger.finish(run, steps=[StepRecord("ingest", "done", seconds=1.5)], status="done")
    assert read(spark, warehouse.runs.path).count() == 3
    assert ledger.state().runs[0].detail == {"as_of": [SLICE]}


def test_a_short_command_is_recorded_in_one_commit_or_not_at_all(spark, warehouse: Warehouse, ledger: Ledger):
    unchanged = Run("run-1", "labels", {"command": "labels churn_30d"})
    ledger.begin(unchanged)
    ledger.drop(unchanged)
    assert current_version(spark, warehouse.runs.path) is None

    run = Run("run-2", "labels", {"command": "labels churn_30d"})
    ledger.begin(run)
    assert Ledger.open(spark, warehouse).recover().killed_runs == ()  # it is running
    ledger.finish(run, steps=[StepRecord("spines/churn_30d", "published", rows_out=3)], status="ended")
    assert current_version(spark, warehouse.runs.path) == 0
    (state,) = ledger.state().runs
    assert (state.run_id, state.name, state.status, state.detail) == ("run-2", "labels", "ended", dict(run.detail))
    assert state.started_at < state.ended_at
    assert ledger.recover().killed_runs == ()
    assert list((Path(warehouse.leases) / "run").iterdir()) == []


def test_a_killed_short_command_is_recorded_by_the_next_one(spark, warehouse: Warehouse, ledger: Ledger):
    ledger.begin(Run("killed", "export", {"command": "export --as-of 2017-11-30"}))
    claim = next((Path(warehouse.leases) / "run" / "killed").glob("*.json"))
    claim.write_text(claim.read_text().replace('"born": "', '"born": "0'))  # another process of that number
    recovery = Ledger.open(spark, warehouse)
    assert recovery.recover().killed_runs == ("killed",)
    (state,) = recovery.state().runs
    assert (state.run_id, state.name, state.status) == ("killed", "export", "killed")
    assert state.detail == {"command": "export --as-of 2017-11-30"}
    assert recovery.recover().killed_runs == ()


def test_a_run_that_is_running_is_not_recovered_and_keeps_its_own_commits(spark, warehouse: Warehouse, ledger: Ledger):
    run = Run("alive", "build")
    ledger.start(run)
    with LeaseDesk.at(warehouse.leases, run_id="alive").acquire(TABLE) as lease:
        publish_households(spark, warehouse, lease, 3)
    recovery = Ledger.open(spark, warehouse).recover()
    assert (recovery.killed_runs, recovery.slices) == ((), ())
    ledger.finish(run, slices=[SliceRecord(TABLE, SLICE, "published", 3, "hash of 3", 0)], status="done")
    assert ledger.recover().slices == ()
    assert not (Path(warehouse.leases) / "run").exists() or not any((Path(warehouse.leases) / "run").iterdir())


def test_a_run_that_was_taken_for_dead_finds_itself_fenced(spark, warehouse: Warehouse, ledger: Ledger):
    run = Run("paused", "build")
    ledger.start(run)
    claim = next((Path(warehouse.leases) / "run" / "paused").glob("*.json"))
    claim.write_text(claim.read_text().replace('"born": "', '"born": "0'))  # another process of that number
    assert Ledger.open(spark, warehouse).recover().killed_runs == ("paused",)
    with pytest.raises(Fenced):
        ledger.finish(run, status="done")
    assert ledger.state().runs[0].status == "killed"


def test_a_lost_or_damaged_ledger_is_rebuilt_from_the_tables(spark, warehouse: Warehouse, ledger: Ledger):
    run_night(spark, warehouse.root, "run-1", 4)
    before = ledger.state().published[TABLE, SLICE]
    shutil.rmtree(warehouse.runs.path)
    assert ledger.state().published == {}
    ledger.recover()
    assert recorded(ledger) == (before.hash, before.rows, before.fingerprint, before.inputs, 0, "run-1")

    for file in (Path(warehouse.runs.path) / "_delta_log").glob("*.json"):
        file.write_text("not a log")
    for file in (Path(warehouse.runs.path) / "_delta_log").glob("*.crc"):
        file.unlink()
    spark.sql("select 1").collect()
    with pytest.raises(StorageError, match="can't be read"):
        Ledger.open(spark, Warehouse(f"file:{warehouse.root}")).state()
    ledger.rebuild()
    assert recorded(ledger) == (before.hash, before.rows, before.fingerprint, before.inputs, 0, "run-1")
    assert [run.status for run in ledger.state().runs] == ["rebuilt"]
    assert list(Path(warehouse.root).glob("runs.unreadable-*"))
    assert read(spark, warehouse.address(TABLE).path).count() == 4


def test_a_table_with_a_foreign_commit_or_deleted_is_not_known_any_more(spark, warehouse: Warehouse, ledger: Ledger):
    run_night(spark, warehouse.root, "run-1", 4)
    path = warehouse.address(TABLE).path
    spark.sql(f"OPTIMIZE {sql_name(path)}")
    assert ledger.recover().foreign == ()
    assert (TABLE, SLICE) in ledger.state().published
    spark.sql(f"DELETE FROM {sql_name(path)} WHERE household_id = 1")
    assert ledger.recover().foreign == (TABLE,)
    assert ledger.state().published == {}
    assert ledger.recover().others == ()
    assert run_night(spark, warehouse.root, "run-2", 4) == "published"
    assert (TABLE, SLICE) in ledger.state().published

    shutil.rmtree(path)
    assert ledger.state().published == {}
    assert run_night(spark, warehouse.root, "run-3", 4) == "published"
    assert ledger.state().published[TABLE, SLICE].table_version == current_version(spark, path) == 0


def recorded(ledger: Ledger):
    known = ledger.state().published[TABLE, SLICE]
    return known.hash, known.rows, known.fingerprint, known.inputs, known.table_version, known.run_id
