"""`ziggurat init`, and all that its README promises: someone else's data, from CSV files to features."""

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.csv
import pytest
from deltalake import write_deltalake

from tests.e2e.small.bikes import FIRST, PROJECT_ROOT, SECOND, Bikes, content_hash
from ziggurat.cli.starter_project import package_name

ACTIVITY, VS_PLAN = "aggregate/rider_activity/v1", "cross_entity/rider_vs_plan/v1"
RAW, TRIPS = "raw/rides/v1", "derived/trips/v1"


def ziggurat(folder: Path, *words: str) -> str:
    """A command in a process of its own, as a newcomer types it."""
    done = subprocess.run(
        [sys.executable, "-m", "ziggurat", *words],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT)},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("a newcomer")


@pytest.fixture(scope="module")
def first(spark_session, home: Path) -> tuple[Bikes, str]:
    """The project after its first build, which ran by itself; and what that build said."""
    ziggurat(home, "init", "city bikes")
    bikes = Bikes(home / "city bikes")
    return bikes, ziggurat(bikes.folder, "build", "--as-of", FIRST, "--conf", "conf.yaml")


@pytest.fixture(scope="module")
def second(first: tuple[Bikes, str]) -> tuple[Bikes, str]:
    """After the second delivery."""
    bikes, _ = first
    bikes.deliver_june()
    return bikes, bikes.built(SECOND).out


def table_of(text: str) -> dict[str, dict[str, object]]:
    """A small table as rows by its first column; – is null."""
    header, *lines = [line.split() for line in text.strip().splitlines()]
    return {cells[0]: dict(zip(header[1:], map(value, cells[1:]), strict=True)) for cells in lines}


def value(cell: str) -> object:
    return None if cell == "–" else float(cell)


def expect(found: dict[str, dict[str, object]], text: str) -> None:
    wanted = table_of(text)
    assert found.keys() == wanted.keys()
    for rider, row in wanted.items():
        assert {name: found[rider][name] for name in row} == pytest.approx(row, abs=1e-12), rider


def test_the_first_build_tells_each_step_the_release_and_the_report(first: tuple[Bikes, str]) -> None:
    bikes, said = first
    assert [line.split()[1:3] for line in said.splitlines() if line.startswith("  ✓")] == [
        ["raw/riders/v1", "published"], [RAW, "published"], [TRIPS, "published"],
        [ACTIVITY, "published"], [VS_PLAN, "published"],
    ]  # fmt: skip
    assert "3 quarantined" in said
    assert "5 published; release 1" in said
    report = next(line.partition(": ")[2] for line in said.splitlines() if line.strip().startswith("report"))
    assert Path(bikes.folder, report).stat().st_size > 10_000


def test_what_a_rider_did_is_what_a_pencil_finds(first: tuple[Bikes, str]) -> None:
    expect(
        first[0].snapshot(ACTIVITY, FIRST),
        """
        rider ride_count_7d ride_count_30d ride_count_lifetime fare_sum_7d fare_sum_30d fare_sum_lifetime commute_count_30d fare_per_ride_30d
        R01   2             4              5                   3.75        6.75         8.25              4                 1.6875
        R02   1             2              3                   1.00        2.00         3.00              1                 1.0
        R03   0             0              1                   0.00        0.00         3.50              0                 –
        R04   1             3              3                   3.00        14.50        14.50             0                 4.833333333333333
        R05   1             1              1                   9.75        9.75         9.75              0                 9.75
        R06   0             2              2                   0.00        4.00         4.00              0                 2.0
        R08   1             1              1                   3.00        3.00         3.00              0                 3.0
        """,  # noqa: E501
    )


def test_a_speed_is_rounded_to_its_quantum_and_null_where_nobody_moved(first: tuple[Bikes, str]) -> None:
    speeds = {rider: row["speed_kmh_mean_30d"] for rider, row in first[0].snapshot(ACTIVITY, FIRST).items()}
    # R04: 11 km in 60 min, 6 in 35, 3.6 in 20: (11 + 10.29 + 10.8) / 3. R06: one ride of 11.2 km/h and one of 0 min.
    assert speeds["R04"] == pytest.approx((11 + 10.29 + 10.8) / 3)
    assert speeds["R06"] == 11.2
    assert speeds["R03"] is None


def test_a_rider_is_compared_with_the_others_on_the_plan_and_not_with_oneself(first: tuple[Bikes, str]) -> None:
    expect(
        first[0].snapshot(VS_PLAN, FIRST),
        """
        rider plan_members fare_sum_30d_ratio_to_mean ride_count_30d_percentile_rank
        R01   2            6.75                       1.0
        R02   2            0.5925925925925926         0.5
        R03   2            0.0                        0.0
        R04   2            2.109090909090909          1.0
        R05   2            1.054054054054054          0.0
        R06   2            0.3298969072164949         0.5
        R08   0            –                          –
        """,
    )


def test_quarantine_holds_reason_and_row_and_the_counts_add_up(first: tuple[Bikes, str]) -> None:
    bikes, _ = first
    found = {original.split(",")[0]: reason for reason, original in bikes.quarantined()[:3]}
    assert found == {
        "1018": "rider_id is null",
        "1019": "it has fewer fields than its header",
        "1020": "started_at is ambiguous or impossible in Europe/Amsterdam (a DST night)",
    }
    whole = next(original for reason, original in bikes.quarantined() if "DST" in reason)
    assert whole == "1020,R02,2024-03-31 02:30:00,11,2500,1.00,2024-03-31T01:45:00Z"
    lines = len(bikes.spring.read_text().splitlines()) - 1
    assert lines == bikes.table(RAW, version=0).num_rows + len(found)


def test_local_times_became_instants_once(first: tuple[Bikes, str]) -> None:
    times = {row["ride_id"]: row["event_time"] for row in first[0].table(RAW, version=0).to_pylist()}
    assert times[1001] == datetime(2024, 3, 30, 7, 10, tzinfo=UTC)  # winter
    assert times[1006] == datetime(2024, 4, 11, 5, 55, tzinfo=UTC)  # summer


def test_a_plan_names_what_the_next_build_would_do(first: tuple[Bikes, str]) -> None:
    bikes, _ = first
    runs = bikes.table("runs").num_rows
    made = json.loads(bikes.ziggurat("plan", "--as-of", FIRST, "--json").out)
    assert {step["action"] for step in made["steps"]} == {"nothing"}
    made = json.loads(bikes.ziggurat("plan", "--start", "2024-05-31", "--end", "2024-06-01", "--json").out)
    assert {step["table"]: (step["action"], step["slices"]) for step in made["steps"]} == {
        "raw/riders/v1": ("nothing", []),
        RAW: ("nothing", []),
        TRIPS: ("nothing", []),
        ACTIVITY: ("build", ["2024-05-31"]),
        VS_PLAN: ("undecided", ["2024-05-31"]),
    }
    with bikes.broken(bikes.spring, bikes.spring.read_text() + "\n"):
        said = bikes.ziggurat("plan", "--as-of", FIRST)
    assert said.code == 0
    assert re.search(rf"{RAW} +ingest +its files were not read before", said.out)
    assert re.search(rf"{TRIPS} +undecided +after {RAW}\n?", said.out)
    assert said.out.splitlines()[-1].startswith(f"  as of {FIRST}: 1 of 5 steps to do, 3 not decided yet")
    assert bikes.ziggurat("plan").code == bikes.ziggurat("plan", "--as-of", FIRST, "--end", FIRST).code == 2
    assert bikes.table("runs").num_rows == runs


def test_a_second_delivery_adds_exactly_the_new_versions(second: tuple[Bikes, str]) -> None:
    bikes, said = second
    before = {(r["ride_id"], r["recorded_at"]) for r in bikes.table(RAW, version=0).to_pylist()}
    after = [(r["ride_id"], r["recorded_at"]) for r in bikes.table(RAW).to_pylist()]
    assert len(after) == len(set(after)) == len(before) + 5
    assert sorted(ride for ride, _ in set(after) - before) == [1005, 1021, 1022, 1023, 1024]
    # The folder is delivered whole: 28 rows are 5 new ones, 4 for quarantine, and 19 that were there.
    assert "28 in" in said
    assert "19 delivered again, 4 quarantined" in said
    assert [path for path in Path(bikes.warehouse.root, "staging").rglob("*") if path.is_file()] == []
    assert ("minutes is not bigint", "1025") in {(r, o.split(",")[0]) for r, o in bikes.quarantined()}


def test_a_correction_is_seen_from_when_it_was_known_on_and_never_before(second: tuple[Bikes, str]) -> None:
    bikes, _ = second
    known = datetime(2024, 6, 2, 9, tzinfo=UTC)
    versions = [r for r in bikes.table(TRIPS).to_pylist() if r["ride_id"] == 1005]
    assert sorted((float(r["fare"]), r["superseded_at"]) for r in versions if r["superseded_at"]) == [(2.25, known)]
    assert [(float(r["fare"]), r["available_time"]) for r in versions if not r["superseded_at"]] == [(1.5, known)]
    assert bikes.snapshot(ACTIVITY, FIRST)["R01"]["fare_sum_lifetime"] == 8.25
    after = bikes.snapshot(ACTIVITY, SECOND)
    expect(
        {rider: after[rider] for rider in ("R01", "R02", "R05", "R07")},
        """
        rider ride_count_7d ride_count_30d fare_sum_7d fare_sum_30d fare_sum_lifetime
        R01   1             4              1.50        6.00         9.00
        R02   1             3              1.00        3.00         4.00
        R05   0             2              0.00        13.25        13.25
        R07   1             1              2.00        2.00         2.00
        """,
    )


def test_building_again_changes_nothing_and_says_so(second: tuple[Bikes, str]) -> None:
    bikes, _ = second
    before, runs = bikes.versions(), bikes.table("runs").num_rows
    for as_of in (FIRST, SECOND):
        assert "nothing to do" in bikes.built(as_of).out
    assert (bikes.versions(), bikes.table("runs").num_rows) == (before, runs)


WITHOUT_A_JVM = """
import sys
from pyspark import SparkContext
from ziggurat.cli.main import main
main(sys.argv[1:])
assert SparkContext._gateway is None, "a JVM was started"
"""


def test_a_plan_and_a_build_with_nothing_to_do_need_no_java(second: tuple[Bikes, str]) -> None:
    bikes, _ = second
    for words in (["plan", "--as-of", FIRST], ["build", "--as-of", FIRST], ["build", "--as-of", SECOND]):
        done = subprocess.run(
            [sys.executable, "-c", WITHOUT_A_JVM, *words, "--conf", "conf.yaml"],
            cwd=bikes.folder,
            env={"PYTHONPATH": str(PROJECT_ROOT), "PATH": "/nowhere", "JAVA_HOME": "/nowhere"},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
        assert "nothing to do" in done.stdout


def test_list_and_describe_say_it_in_words(first: tuple[Bikes, str]) -> None:
    bikes, _ = first
    listed = bikes.ziggurat("list").out
    assert [line.split()[0] for line in listed.splitlines()[2:]] == ["raw/riders/v1", RAW, TRIPS, ACTIVITY, VS_PLAN]
    told = bikes.ziggurat("describe", "rider_activity").out
    assert "one row per  rider_id and as-of" in told
    assert "known at T + 4 h" in told
    assert "sum(fare) over 30d" in told
    assert "ride_time" not in told.replace("ride_time_max_lifetime)", "")  # hidden, named only where it is used


def test_runs_are_listed_and_shown_also_as_json(second: tuple[Bikes, str]) -> None:
    bikes, _ = second
    runs = [json.loads(line) for line in bikes.ziggurat("runs", "list", "--json").out.splitlines()]
    assert [run["command"] for run in runs] == [f"build --as-of {SECOND}", f"build --as-of {FIRST}"]
    assert {run["status"] for run in runs} == {"ended"}
    steps = [json.loads(line) for line in bikes.ziggurat("runs", "show", runs[1]["run"], "--json").out.splitlines()]
    assert {s["step"]: (s["rows_in"], s["rows_out"]) for s in steps}[RAW] == (20, 17)
    assert runs[0]["run"] in bikes.ziggurat("runs", "list").out
    assert "28" in bikes.ziggurat("runs", "show").out


def test_with_a_log_in_json_every_line_parses(first: tuple[Bikes, str]) -> None:
    bikes, _ = first
    lines = [json.loads(line) for line in bikes.built("2024-05-24", "--log-format", "json").out.splitlines()]
    assert {line["event"] for line in lines} >= {"begun", "ended", "run"}
    assert lines[-1]["error"] is None
    # Nobody rode on the 22nd and 23rd: an empty day is a day like any other.
    assert bikes.snapshot(ACTIVITY, "2024-05-24")["R02"]["ride_count_7d"] == 1
    assert "R05" not in bikes.snapshot(ACTIVITY, "2024-05-24")


def test_json_and_delta_give_the_same_features_as_csv(first: tuple[Bikes, str], home: Path) -> None:
    bikes = Bikes.written(home / "other formats")
    header, *lines = [line.split(",") for line in bikes.spring.read_text().splitlines()]
    rows = [dict(zip(header, line, strict=False)) for line in lines]
    text = [json.dumps({name: cell or None for name, cell in row.items()}) for row in rows]
    text = [line[:30] if '"1019"' in line else line for line in text]
    (bikes.folder / "data" / "rides.json").write_text("\n".join(text))
    write_deltalake(bikes.folder / "data" / "riders", pyarrow.csv.read_csv(bikes.riders))

    said = bikes.built(
        FIRST,
        *("-s", "sources.rides.path=data/rides.json", "-s", "sources.rides.format=json"),
        *("-s", "sources.riders.path=data/riders", "-s", "sources.riders.format=delta"),
    )

    assert "3 quarantined" in said.out
    assert [reason.partition(" (")[0] for reason, _ in bikes.quarantined()] == [
        "it is no whole JSON object",
        "rider_id is null",
        "started_at is ambiguous or impossible in Europe/Amsterdam",
    ]
    for table in (TRIPS, ACTIVITY, VS_PLAN):
        assert content_hash(bikes.table(table)) == content_hash(first[0].table(table, version=0)), table


def test_where_only_the_load_tells_a_correction_is_known_from_its_load_on(spark, home: Path) -> None:
    bikes = Bikes.written(home / "by load")
    rides = bikes.definition("raw/rides.py")
    delay = 'LandingDelay("4h", first_load_until="2024-06-01")'
    told = rides.read_text().replace('AvailableColumn("recorded_at")', delay)
    rides.write_text(told.replace("AvailableColumn", "LandingDelay"))
    june = bikes.folder / "data" / "rides" / "2024-06.csv"
    header, *lines = (bikes.folder / "data" / "later" / "2024-06.csv").read_text().splitlines()

    bikes.build_at(datetime(2024, 6, 1, 6, tzinfo=UTC), "2024-06-01", select="rides")
    june.write_text("\n".join([header, *(line for line in lines if line.startswith(("1005", "1021")))]) + "\n")
    bikes.build_at(datetime(2024, 6, 3, 7, tzinfo=UTC), "2024-06-03", select="rides")
    days = ("2024-06-01", "2024-06-03", "2024-06-04")
    assert bikes.build_at(datetime(2024, 6, 4, 6, tzinfo=UTC), *days, select="rider_activity").error is None

    fares = {day: bikes.snapshot(ACTIVITY, day)["R01"]["fare_sum_lifetime"] for day in days}
    # It came with the load of 3 June, 07:00, three hours after what the snapshot of that day holds was known.
    assert list(fares.values()) == [8.25, 8.25, 9.0]


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    bikes = Bikes.written(tmp_path / "mine")
    before = {path: path.read_bytes() for path in bikes.folder.rglob("*") if path.is_file()}
    said = bikes.ziggurat("init", ".")
    assert said.code == 2
    assert "is not empty" in said.sentence
    assert before == {path: path.read_bytes() for path in bikes.folder.rglob("*") if path.is_file()}
    (tmp_path / "file").touch()
    assert "is a file" in bikes.ziggurat("init", str(tmp_path / "file")).sentence


@pytest.mark.parametrize(
    ("folder", "package"),
    [
        ("city bikes", "city_bikes_features"),
        ("Räder-2!", "r_der_2_features"),
        ("my_features", "my_features"),
        ("features", "my_features"),
        ("2024", "my_2024_features"),
        ("!", "my_features"),
    ],
)
def test_the_package_is_called_after_the_folder_and_can_be_imported(tmp_path: Path, folder: str, package: str) -> None:
    assert package_name(tmp_path / folder) == package


def test_the_written_project_keeps_the_style_of_the_house(tmp_path: Path) -> None:
    bikes = Bikes.written(tmp_path / "city bikes")
    shutil.copy(PROJECT_ROOT / "pyproject.toml", tmp_path)
    # Where imports of one's own package stand depends on where it lies.
    for words in (["check", "--ignore=I001"], ["format", "--check"]):
        subprocess.run([sys.executable, "-m", "ruff", *words, "--quiet", bikes.folder], check=True)
    assert max(len(path.read_text().splitlines()) for path in bikes.folder.rglob("*.py")) <= 40


def test_the_readme_names_commands_and_files_that_exist(tmp_path: Path) -> None:
    bikes = Bikes.written(tmp_path / "city bikes")
    readme = (bikes.folder / "README.md").read_text()
    assert "bikes_features/aggregate" in readme.replace("city_bikes", "bikes")
    for path in ("data/later/2024-06.csv", "data/rides", "conf.yaml", f"{bikes.package}/aggregate/rider_activity.py"):
        assert path in readme
        assert (bikes.folder / path).exists()
