"""Nights that correct history leave what a rebuild gives (S28, S29): small histories, each delivered row visible."""

import shutil
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from definitions.errors import DefinitionChanged
from definitions.registry import key_of
from quality import GateFailed
from tests.support.night_definitions import (
    activity,
    activity_slow,
    activity_with_bikes,
    plain,
    plain_with_bikes,
    registry,
    tapping,
    tapping_with_bikes,
)
from tests.support.nights import NightProject, moment

ANNUAL = ("R1", "02-01", "annual", None, "02-01")


@pytest.fixture
def project(spark, tmp_path: Path) -> NightProject:
    return NightProject(tmp_path / "nights", registry(plain, activity))


def _counts(project: NightProject, view: str, as_of: str) -> dict[str, int]:
    return {rider: row["ride_count_lifetime"] for rider, row in project.snapshot(view, as_of).items()}


def test_a_correction_moves_an_event_out_of_an_as_of(spark, project: NightProject) -> None:
    project.registry = registry(plain)
    project.deliver(
        "rides",
        (1, "R1", "03-03T10:00", 5, 1, None, "03-03T11:00"),
        (2, "R1", "03-02T10:00", 7, 1, None, "03-02T11:00"),
    )
    project.build(spark, "03-04T05:00", "03-04")
    assert project.snapshot("plain", "03-04")["R1"]["ride_count_lifetime"] == 2
    project.deliver("rides", (1, "R1", "03-04T01:00", 5, 2, None, "03-04T02:00"))
    project.build(spark, "03-05T05:00", "03-04")
    assert project.snapshot("plain", "03-04")["R1"]["ride_count_lifetime"] == 1


def test_partitions_left_empty_are_replaced_by_nothing(spark, project: NightProject) -> None:
    project.registry = registry(activity)
    project.deliver(
        "rides",
        (1, "R1", "03-01T10:00", 5, 1, None, "03-01T11:00"),
        (2, "R1", "03-02T10:00", 7, 1, None, "03-02T11:00"),
        (3, "R2", "02-27T10:00", 7, 1, None, "02-27T11:00"),
    )
    project.deliver("status", ANNUAL)
    project.build(spark, "03-04T05:00", "03-04")
    assert len(project.rows("derived/trips/v1")) == 3
    project.deliver(
        "rides",
        (1, "R1", "03-02T12:00", 5, 2, None, "03-01T11:00"),
        (3, "R2", "02-27T10:00", 7, 2, True, "02-27T11:00"),
    )
    project.build(spark, "03-05T05:00", "03-04")
    assert sorted(row["ride_id"] for row in project.rows("derived/trips/v1")) == [1, 2]
    snapshot = project.snapshot("activity", "03-04")
    assert {rider: row["ride_count_lifetime"] for rider, row in snapshot.items()} == {"R1": 2}
    before = project.versions()
    project.build(spark, "03-05T06:00", "03-04")
    assert project.versions() == before


def test_a_looked_up_fact_that_becomes_known_between_two_cuts_is_found(spark, project: NightProject) -> None:
    project.registry = registry(activity)
    project.deliver(
        "rides",
        (1, "R1", "03-01T10:00", 5, 1, None, "03-01T11:00"),
        (2, "R1", "03-04T10:00", 7, 1, None, "03-04T11:00"),
    )
    project.deliver("status", ("R1", "02-28", "annual", None, "03-04T10:00"))
    project.build(spark, "03-06T05:00", "03-04")
    project.build(spark, "03-06T05:00", "03-05")
    assert project.snapshot("activity", "03-04")["R1"]["annual_count_lifetime"] == 0
    assert project.snapshot("activity", "03-05")["R1"]["annual_count_lifetime"] == 2


def test_a_retraction_that_becomes_known_between_two_cuts_is_found(spark, project: NightProject) -> None:
    project.registry = registry(activity)
    project.deliver(
        "rides",
        (1, "R1", "03-01T10:00", 5, 1, None, "03-01T11:00"),
        (1, "R1", "03-01T10:00", 5, 2, True, "03-04T11:00"),
        (2, "R1", "03-02T10:00", 7, 1, None, "03-02T11:00"),
    )
    project.build(spark, "03-06T05:00", "03-04")
    assert project.snapshot("activity", "03-04")["R1"]["ride_count_lifetime"] == 2
    planned = {step.table: str(step.action) for step in project.plan("03-06T05:00", "03-05").steps}
    assert planned["derived/trips/v1"] == "derive"
    outcome = project.build(spark, "03-06T05:00", "03-05")
    assert {step.table: str(step.status) for step in outcome.steps}["derived/trips/v1"] == "published"
    assert project.snapshot("activity", "03-05")["R1"]["ride_count_lifetime"] == 1


def test_a_view_with_a_later_cut_above_a_derived_view_that_stands(spark, project: NightProject) -> None:
    project.registry = registry(activity)
    project.deliver(
        "rides",
        (1, "R1", "03-01T10:00", 5, 1, None, "03-01T11:00"),
        (2, "R1", "03-03T23:00", 7, 1, None, "03-04T10:00"),
    )
    project.deliver("status", ANNUAL)
    project.build(spark, "03-06T05:00", "03-04", select="activity")
    project.registry = registry(activity, activity_slow)
    project.build(spark, "03-06T05:00", "03-04", select="activity_slow")
    assert project.snapshot("activity_slow", "03-04")["R1"]["ride_count_lifetime"] == 2
    assert project.snapshot("activity", "03-04")["R1"]["ride_count_lifetime"] == 1


@pytest.mark.parametrize("loses_ledger", [False, True], ids=["", "the ledger is lost"])
def test_a_night_that_finds_nothing_delivered_is_a_load(spark, project: NightProject, loses_ledger: bool) -> None:
    project.registry = registry(tapping)
    project.deliver("taps", ("R1", "03-02T10:00", 1))
    project.build(spark, "03-03T05:00", "03-03")
    project.build(spark, "03-04T05:00", "03-04")  # nothing was delivered
    project.build(spark, "03-04T06:00", "03-04")  # and again: without a JVM
    project.deliver("taps", ("R1", "03-03T10:00", 1))
    if loses_ledger:
        project.lose_ledger()
    project.build(spark, "03-05T05:00", "03-05")
    stamps = {f"{row['event_time']:%m-%d}": row["available_time"] for row in project.rows(key_of(tapping.source))}
    assert stamps == {"03-02": moment("03-02T14:00"), "03-03": moment("03-05T05:00")}


def test_the_ledger_is_lost_and_corrections_stand(spark, project: NightProject) -> None:
    project.registry = registry(plain)
    project.deliver("rides", (1, "R1", "03-01T10:00", 5, 1, None, "03-01T11:00"))
    project.build(spark, "03-02T05:00", "03-02")
    project.deliver(
        "rides",
        (1, "R1", "03-01T10:00", 6, 2, None, "03-02T11:00"),
        (9, "R3", "03-02T10:00", 6, 2, None, "03-02T11:00"),
    )
    project.build(spark, "03-03T05:00", "03-03")
    project.deliver("rides", (4, "R2", "03-03T10:00", 6, 1, None, "03-03T11:00"))
    project.build(spark, "03-04T05:00", "03-04")
    project.lose_ledger()
    project.build(spark, "03-06T05:00", "03-05")
    row = project.snapshot("plain", "03-05")["R1"]
    assert (row["ride_count_lifetime"], row["metres_sum_lifetime"]) == (1, 6)


def test_a_raw_table_that_someone_else_wrote_to_gets_no_row_twice(spark, project: NightProject) -> None:
    """The ledger then keeps nothing of it: what a load has to know is taken from the rows."""
    project.registry = registry(plain, tapping)
    project.deliver("rides", (1, "R1", "03-01T10:00", 5, 1, None, "03-01T11:00"))
    project.deliver("taps", ("R1", "03-01T10:00", 1))
    project.build(spark, "03-02T05:00", "03-02")
    for source in (plain.source, tapping.source):
        path = f"{project.warehouse.root}/{key_of(source)}"
        DeltaTable(path).delete("rider_id = 'R2'")  # a commit without our note
        write_deltalake(path, DeltaTable(path).to_pyarrow_table().slice(0, 0), mode="append")
    project.deliver("rides", (1, "R1", "03-01T10:00", 6, 2, None, "03-02T11:00"))
    project.deliver("taps", ("R1", "03-01T12:00", 1))
    project.build(spark, "03-03T05:00", "03-03")
    assert project.snapshot("plain", "03-03")["R1"]["metres_sum_lifetime"] == 6
    assert project.snapshot("tapping", "03-03")["R1"]["tap_count_lifetime"] == 1
    stamps = [row["available_time"] for row in project.rows(key_of(tapping.source))]
    assert sorted(stamps) == [moment("03-01T14:00"), moment("03-03T05:00")]


def test_rows_that_others_write_or_remove_are_in_all_that_is_asked_again(spark, project: NightProject) -> None:
    project.deliver(
        "rides",
        (1, "R1", "03-01T10:00", 5, 1, None, "03-01T11:00"),
        (2, "R2", "03-02T10:00", 7, 1, None, "03-02T11:00"),
    )
    withdrawn = project.deliver("rides", (3, "R1", "02-28T10:00", 7, 1, None, "02-28T11:00"))
    project.build(spark, "03-05T05:00", "03-03", "03-04")
    raw = f"delta.`{project.warehouse.root}/raw/rides/v1`"
    withdrawn.unlink()
    spark.sql(f"delete from {raw} where ride_id = 3")
    columns = {"ride_id": "7L", "metres": "11L", "loaded_at": "cast(null as timestamp)"}
    names = spark.sql(f"select * from {raw}").columns
    spark.sql(f"insert into {raw} select {', '.join(columns.get(n, n) for n in names)} from {raw} where ride_id = 1")
    outcome = project.build(spark, "03-06T05:00", "03-03")
    assert "1 as-of up to 2024-03-04 no longer holds all that is known" in outcome.notes[0]
    assert sorted(row["ride_id"] for row in project.rows("derived/trips/v1")) == [1, 2, 7]
    assert _counts(project, "plain", "03-03") == _counts(project, "activity", "03-03") == {"R1": 2, "R2": 1}
    assert project.snapshot("plain", "03-03")["R1"]["metres_sum_lifetime"] == 5 + 11
    project.build(spark, "03-06T06:00", "03-04")
    assert _counts(project, "plain", "03-04") == _counts(project, "activity", "03-04") == {"R1": 2, "R2": 1}
    before = project.versions()
    project.lose_ledger()
    project.build(spark, "03-06T07:00", "03-03", "03-04")
    assert project.versions() == before


def test_a_view_that_others_wrote_to_and_a_source_whose_table_is_gone_are_built_anew(
    spark, project: NightProject
) -> None:
    project.registry = registry(activity)
    project.deliver(
        "rides",
        (1, "R1", "03-01T10:00", 5, 1, None, "03-01T11:00"),
        (2, "R2", "03-02T10:00", 7, 1, None, "03-02T11:00"),
    )
    project.build(spark, "03-05T05:00", "03-03")
    trips = DeltaTable(f"{project.warehouse.root}/derived/trips/v1")
    row = trips.to_pyarrow_table().slice(0, 1).drop_columns("event_date")
    write_deltalake(trips, row.append_column("event_date", pa.array([date(2024, 1, 1)], pa.date32())), mode="append")
    project.build(spark, "03-05T06:00", "03-03")
    assert sorted((row["ride_id"], row["event_date"].day) for row in project.rows("derived/trips/v1")) == [
        (1, 1),
        (2, 2),
    ]
    shutil.rmtree(f"{project.warehouse.root}/raw/rides")
    for file in (project.folder / "data" / "rides").iterdir():
        file.unlink()
    project.deliver("rides", (4, "R2", "03-02T10:00", 8, 1, None, "03-02T11:00"))
    project.build(spark, "03-05T07:00", "03-03")
    assert [row["ride_id"] for row in project.rows("derived/trips/v1")] == [4]
    assert _counts(project, "activity", "03-03") == {"R2": 1}


def test_a_first_build_before_any_fact_fails_its_gate_and_the_next_one_is_built(spark, project: NightProject) -> None:
    project.registry = registry(activity)
    project.deliver("rides", (1, "R1", "03-01T10:00", 5, 1, None, "03-01T11:00"))
    with pytest.raises(GateFailed, match="at least 1 rows"):
        project.build(spark, "03-03T05:00", "02-20")
    assert project.rows("derived/trips/v1") == []
    project.build(spark, "03-03T05:00", "03-02")
    assert project.snapshot("activity", "03-02")["R1"]["ride_count_lifetime"] == 1


def test_an_as_of_keeps_the_instant_at_which_it_was_published(spark, project: NightProject) -> None:
    """Promised for 04:00 (T + 4 h), published by a live run at 05:00."""
    project.registry = registry(plain)

    def published() -> dict[str, str]:
        rows = project.rows("aggregate/plain/v1")
        return {f"{row['event_time']:%m-%d}": f"{row['available_time']:%m-%dT%H:%M}" for row in rows}

    project.deliver("rides", (1, "R1", "03-01T10:00", 5, 1, None, "03-01T11:00"))
    project.build(spark, "03-04T05:00", "03-04", is_live=True)
    assert published() == {"03-04": "03-04T05:00"}
    project.deliver("rides", (1, "R1", "03-01T10:00", 6, 2, None, "03-02T11:00"))
    project.build(spark, "03-05T05:00", "03-03", "03-04")
    project.lose_ledger()
    project.deliver("rides", (1, "R1", "03-01T10:00", 7, 3, None, "03-02T12:00"))
    project.build(spark, "03-05T07:00", "03-04", is_live=True)
    assert project.snapshot("plain", "03-04")["R1"]["metres_sum_lifetime"] == 7
    assert published() == {"03-03": "03-03T04:00", "03-04": "03-04T05:00"}


def test_a_run_names_the_older_as_ofs_that_late_rows_made_stale(spark, project: NightProject) -> None:
    project.registry = registry(plain)
    project.deliver("rides", (1, "R1", "03-01T10:00", 5, 1, None, "03-01T11:00"))
    for day in ("02", "03", "04"):
        assert project.build(spark, f"03-{day}T05:00", f"03-{day}").notes == ()
    project.deliver("rides", (2, "R1", "03-01T12:00", 5, 1, None, "03-02T20:00"))
    note = (
        "2 as-ofs before 2024-03-05 no longer hold all that is known: ziggurat plan --start 2024-03-03 --end 2024-03-04"
    )
    assert project.build(spark, "03-05T05:00", "03-05").notes == (f"{note} --every 1d",)
    assert project.build(spark, "03-05T06:00", "03-05").notes == (f"{note} --every 1d",)
    assert project.build(spark, "03-05T07:00", "03-03", "03-04").notes == ()
    counts = [project.snapshot("plain", f"03-{day}")["R1"]["ride_count_lifetime"] for day in ("02", "03", "04", "05")]
    assert counts == [1, 2, 2, 2]


def test_a_column_that_is_declared_later_makes_versions_and_no_facts(spark, project: NightProject) -> None:
    project.registry = registry(activity, plain, tapping)
    project.deliver(
        "rides",
        (1, "R1", "03-01T10:00", 5, 1, None, "03-01T11:00"),
        (2, "R1", "03-02T10:00", 7, 1, None, "03-02T11:00"),
    )
    project.deliver("taps", ("R1", "03-01T10:00", 1))
    project.build(spark, "03-04T05:00", "03-03")
    project.registry = registry(activity_with_bikes, plain_with_bikes)
    project.build(spark, "03-04T06:00", "03-03")
    row = project.snapshot("activity", "03-03")["R1"]
    assert (row["ride_count_lifetime"], row["first_bike_count_lifetime"]) == (2, 1)
    assert sorted((r["ride_id"], r["bike"]) for r in project.rows("derived/trips/v1")) == [(1, "b1"), (2, "b2")]
    before = project.versions()
    project.build(spark, "03-04T07:00", "03-03")
    assert project.versions() == before
    project.registry = registry(tapping_with_bikes)
    with pytest.raises(DefinitionChanged, match="declares bike, which raw does not hold, and has no identity"):
        project.build(spark, "03-04T08:00", "03-03")
