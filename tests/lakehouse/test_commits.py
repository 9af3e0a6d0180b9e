"""Stage and publish on real Delta tables, at a path with a space, a quote, a back-quote and brackets."""

import json
import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from pyspark.errors import AnalysisException

from definitions.errors import DefinitionChanged
from lakehouse.commits import CommitNote, SliceNote, append, replace_slices, slices_at
from lakehouse.leases.leases import Claim, LeaseDesk
from lakehouse.leases.owners import LeaseOwner
from lakehouse.leases.stores import FolderClaims
from lakehouse.slices import WholeSlices
from lakehouse.small_tables import append_rows, replace_slices_by_rows
from lakehouse.storage_errors import Fenced, StorageError
from lakehouse.tables import Warehouse, current_version, history, read, sql_name
from tests.lakehouse import nightly
from tests.lakehouse.nightly import TABLE, households, note, publish_households

T = nightly.T
T6 = T + timedelta(hours=6)


@pytest.fixture
def warehouse(tmp_warehouse: Path) -> Warehouse:
    return Warehouse(str(tmp_warehouse / "it's `quoted` [here]"))


@pytest.fixture
def lease(warehouse: Warehouse):
    with LeaseDesk.at(warehouse.leases, run_id="run-a").acquire(TABLE) as taken:
        yield taken


def by_spark(spark, warehouse: Warehouse, lease, frame, rows: int, *, at=(T,), **other):
    return replace_slices(
        spark, frame, warehouse.address(TABLE), predicate=slices_at(at), partition_by=["event_date"],
        sort_by=["household_id"], lease=lease, note=other.pop("note", note(lease.run_id, rows)), **other,
    )  # fmt: skip


def without_spark(spark, warehouse: Warehouse, lease, frame, rows: int, *, at=(T,), **other):
    return replace_slices_by_rows(
        spark, frame.toArrow(), warehouse.address(TABLE), replaces=WholeSlices.of_instants(at),
        sort_by=["household_id"], lease=lease, note=other.pop("note", note(lease.run_id, rows)), **other,
    )  # fmt: skip


@pytest.fixture(params=[by_spark, without_spark], ids=lambda way: way.__name__)
def published(request: pytest.FixtureRequest):
    """Both ways to publish promise the same."""
    return request.param


def test_the_note_in_the_commit_reads_back_as_it_was_written(spark, published, warehouse: Warehouse, lease):
    said = CommitNote(
        "run-a", "household_spend", "fp \"1\" 'ü'", {"raw/transactions/v1": 3},
        {nightly.SLICE: SliceNote(3, "ab12")}, extra={"delivery": ["file 1.csv"]},
    )  # fmt: skip
    result = published(spark, warehouse, lease, households(spark, 3), 3, note=said)
    commit = history(spark, warehouse.address(TABLE).path)[0]
    assert CommitNote.from_json(commit.user_metadata) == replace(said, token=lease.token)
    assert (commit.version, commit.rows) == (result.version, result.rows) == (0, 3)
    assert abs(datetime.now(UTC) - commit.at) < timedelta(minutes=5)
    assert CommitNote.from_json("someone else's words") is CommitNote.from_json(None) is None


def test_published_files_are_for_any_reader_for_years(spark, warehouse: Warehouse, lease):
    import deltalake

    publish_households(spark, warehouse, lease, 5)
    table = deltalake.DeltaTable(warehouse.address(TABLE).path)
    assert table.metadata().configuration == {
        "delta.enableDeletionVectors": "false",
        "delta.columnMapping.mode": "none",
        "delta.logRetentionDuration": "interval 3650 days",
        "delta.deletedFileRetentionDuration": "interval 3650 days",
    }
    assert table.metadata().partition_columns == ["event_date"]
    assert table.protocol().min_reader_version == 1
    assert len(table.file_uris()) == 1


def test_a_version_that_was_replaced_is_held_against_vacuum(
    spark, published, warehouse: Warehouse, lease, tmp_path: Path
):
    published(spark, warehouse, lease, households(spark, 5), 5)
    lease.renew()
    published(spark, warehouse, lease, households(spark, 4), 4)
    years_later = _replaced_long_ago(warehouse.address(TABLE).path, tmp_path / "years later", version=1)
    for retain in ("", "RETAIN 168 HOURS"):
        spark.sql(f"VACUUM {sql_name(years_later)} {retain}")
        assert len(read(spark, years_later, version=0).collect()) == 5  # to count them, Delta opens no file


def _replaced_long_ago(table: str, copy: Path, *, version: int) -> str:
    """A copy that Spark has not seen yet, as if 400 days had passed since that commit: in its log, and in its files."""
    then = (datetime.now(UTC) - timedelta(days=400)).timestamp()
    shutil.copytree(table, copy, ignore=shutil.ignore_patterns("*.crc"))
    log = copy / f"_delta_log/{version:020}.json"
    actions = [json.loads(line) for line in log.read_text().splitlines()]
    for action in actions:
        if "remove" in action:
            action["remove"]["deletionTimestamp"] = int(then * 1000)
    log.write_text("\n".join(map(json.dumps, actions)))
    for file in copy.rglob("*.parquet"):
        os.utime(file, (then, then))
    return str(copy)


def test_the_same_token_publishes_once_and_the_second_time_is_found_out(spark, published, warehouse: Warehouse, lease):
    first = published(spark, warehouse, lease, households(spark, 5), 5)
    again = published(spark, warehouse, lease, households(spark, 5), 5)
    assert (again.version, again.rows, again.is_repeated) == (first.version, 5, True)
    with pytest.raises(Fenced, match="renew the lease"):
        published(spark, warehouse, lease, households(spark, 4), 4)
    lease.renew()
    assert published(spark, warehouse, lease, households(spark, 4), 4).version == 1
    assert read(spark, warehouse.address(TABLE).path).count() == 4


def test_an_older_token_is_fenced_by_delta_even_when_its_lease_looks_valid(
    spark, published, warehouse: Warehouse, lease
):
    lease.renew()
    published(spark, warehouse, lease, households(spark, 5), 5)
    # As if a clone of the leases folder had been mounted elsewhere: that desk knows nothing of ours.
    elsewhere = FolderClaims(Path(warehouse.root) / "other leases")
    stale = Claim(TABLE, lease.token - 2, "run-old", "now", LeaseOwner.this_process(), is_released=True)
    elsewhere.create(TABLE, stale.token, stale.to_json())
    old = LeaseDesk(elsewhere, "run-old").acquire(TABLE)
    assert old.token == lease.token - 1
    with old, pytest.raises(Fenced, match="run-a") as raised:
        published(spark, warehouse, old, households(spark, 9), 9)
    assert "Nothing of this write was published" in str(raised.value)
    assert raised.value.exit_code == 41
    assert read(spark, warehouse.address(TABLE).path).count() == 5


def test_a_run_that_lost_its_lease_does_not_write_at_all(spark, published, warehouse: Warehouse, lease):
    usurper = Claim(TABLE, lease.token + 1, "run-b", "now", LeaseOwner.this_process())
    FolderClaims(Path(warehouse.leases)).create(TABLE, usurper.token, usurper.to_json())
    with pytest.raises(Fenced, match="run-b"):
        published(spark, warehouse, lease, households(spark, 5), 5)
    assert current_version(spark, warehouse.address(TABLE).path) is None


def test_rows_outside_the_replaced_slices_are_refused_and_change_nothing(spark, published, warehouse: Warehouse, lease):
    publish_households(spark, warehouse, lease, 5)
    lease.renew()
    strays = households(spark, 5).union(
        households(spark, 1).selectExpr("household_id", "event_time + interval 6 hours", "event_date", "spend")
    )
    with pytest.raises((AnalysisException, ValueError), match=r"DELTA_REPLACE_WHERE_MISMATCH|1 of 6 rows lie outside"):
        published(spark, warehouse, lease, strays, 6)
    assert current_version(spark, warehouse.address(TABLE).path) == 0


def test_replacing_one_instant_of_a_day_leaves_the_other_and_counts_only_its_own_rows(
    spark, published, warehouse: Warehouse, lease
):
    morning = households(spark, 3).selectExpr(
        "household_id", "event_time + interval 6 hours event_time", "event_date", "spend"
    )
    both = households(spark, 5).union(morning)
    published(spark, warehouse, lease, both, 8, at=(T, T6))  # one file holds both instants
    lease.renew()
    assert published(spark, warehouse, lease, households(spark, 2), 2).rows == 2
    rows = read(spark, warehouse.address(TABLE).path).groupBy("event_time").count().collect()
    assert sorted(row["count"] for row in rows) == [2, 3]


def test_a_commit_with_other_rows_than_were_audited_raises(spark, published, warehouse: Warehouse, lease):
    with pytest.raises(StorageError, match="holds 5 new rows, but 6 were audited"):
        published(spark, warehouse, lease, households(spark, 5), 6)


def test_columns_may_be_added_but_not_dropped_or_retyped_in_one_version(spark, published, warehouse: Warehouse, lease):
    publish_households(spark, warehouse, lease, 2)
    lease.renew()
    with pytest.raises(DefinitionChanged, match="spend as double, and is now to be written with no such column"):
        published(spark, warehouse, lease, households(spark, 2).drop("spend"), 2)
    retyped = households(spark, 2).selectExpr("* except (spend)", "cast(spend as string) as spend")
    with pytest.raises(DefinitionChanged, match="with spend as string"):
        published(spark, warehouse, lease, retyped, 2)
    wider = households(spark, 2).selectExpr("*", "1 as visits")
    assert published(spark, warehouse, lease, wider, 2).version == 1
    assert "visits" in read(spark, warehouse.address(TABLE).path).columns


@pytest.mark.parametrize("is_first_here", [True, False])
def test_appends_add_up_and_an_empty_slice_is_a_commit_too(spark, warehouse: Warehouse, is_first_here: bool):
    raw = warehouse.table("raw", "transactions", 1)
    with LeaseDesk.at(warehouse.leases, run_id="run-a").acquire(raw.key) as lease:
        for version, rows in enumerate((3, 0, 4)):
            said = note("run-a", rows, piece=f"delivery {version}")
            frame = households(spark, rows)
            by = (append_rows, frame.toArrow()) if version % 2 == is_first_here else (append, frame)
            result = by[0](spark, by[1], raw, partition_by=["event_date"], lease=lease, note=said)
            assert (result.version, result.rows) == (version, rows)
            lease.renew()
    assert read(spark, raw.path).count() == 7
    assert read(spark, raw.path, version=0).count() == 3


def test_a_lease_on_another_table_is_no_right_to_write_this_one(spark, published, warehouse: Warehouse):
    other = LeaseDesk.at(warehouse.leases, run_id="run-a").acquire("raw/other/v1")
    with other, pytest.raises(ValueError, match="lease is run run-a's on raw/other/v1"):
        published(spark, warehouse, other, households(spark, 1), 1)


def test_slices_are_named_by_utc_day_then_instant():
    eastern = datetime(2017, 11, 29, 20, tzinfo=timezone(timedelta(hours=-5)))
    assert slices_at([eastern, T]) == (
        "event_date in (date'2017-11-30') and event_time in "
        "(timestamp'2017-11-30T00:00:00Z', timestamp'2017-11-30T01:00:00Z')"
    )


def test_a_note_is_json_that_names_itself():
    assert json.loads(note("run-a", 2).to_json())["ziggurat"] == 1
