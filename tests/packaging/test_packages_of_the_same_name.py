"""A project with packages called like ours works with an installed Ziggurat, which names those that are hidden."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

HIDDEN = ("conf", "jobs", "quality")
ENTITY = """
from ziggurat.model import Entity

rider = Entity("rider", keys=(("rider_id", "string"),))
"""
RIDES = """
from ziggurat.model import EventTime, Kind, LandingDelay, Source, column

rides = Source(
    name="rides",
    kind=Kind.EVENTS,
    version=1,
    owner="tests",
    columns=(column("ride_id", "bigint"), column("rider_id", "string"), column("at", "timestamp")),
    identity=("ride_id",),
    event_time=EventTime("at"),
    available=LandingDelay("0d", first_load_until="2024-06-02"),
    history_start="2024-01-01",
)
"""
ACTIVITY = """
from features.entities import rider
from features.rides import rides
from ziggurat.model import AggregateView, count

activity = AggregateView(
    "activity", entity=rider, source=rides, version=1, owner="tests", windows=("7d",), features=(count(named="ride"),)
)
"""
CONF = "definitions: features\nsources:\n  rides: {path: rides.csv, format: csv}\n"
DELIVERED = "ride_id,rider_id,at\n1,R1,2024-05-30T08:00:00Z\n2,R1,2024-05-31T08:00:00Z\n3,R2,2024-05-31T09:00:00Z\n"


@pytest.fixture(scope="module")
def project(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel unpacked in `installed/`, and a project beside it."""
    folder = tmp_path_factory.mktemp("own names")
    zipfile.ZipFile(archive).extractall(folder / "installed")
    project = folder / "project"
    for name in HIDDEN:
        (project / name).mkdir(parents=True)
        (project / name / "__init__.py").write_text(f"raise RuntimeError('the project's own {name} was imported')\n")
    (project / "features").mkdir()
    texts = {"__init__": '"""Ours."""\n', "entities": ENTITY, "rides": RIDES, "activity": ACTIVITY}
    for name, text in texts.items():
        (project / "features" / f"{name}.py").write_text(text)
    (project / "conf.yaml").write_text(CONF)
    (project / "rides.csv").write_text(DELIVERED)
    return project


def ziggurat(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`-m` puts the working directory first on the path, before what is installed."""
    env = {**os.environ, "PYTHONPATH": str(project.parent / "installed")}
    return subprocess.run(
        [sys.executable, "-m", "ziggurat", *words], cwd=project, env=env, capture_output=True, text=True, timeout=300
    )


def test_definitions_are_found_by_their_name_and_what_is_hidden_is_said_first(project: Path) -> None:
    listed = ziggurat(project, "list", "--conf", "conf.yaml")
    assert listed.returncode == 0, listed.stderr
    assert "aggregate/activity/v1" in listed.stdout
    assert "transactions" not in listed.stdout
    assert [line for line in listed.stderr.splitlines() if line] == [
        f"note: ./{name} is hidden by Ziggurat's own package `{name}`; rename it if your definitions import it"
        for name in HIDDEN
    ]
    described = ziggurat(project, "describe", "activity", "--conf", "conf.yaml")
    assert described.returncode == 0, described.stderr
    assert "ride_count_7d" in described.stdout


@pytest.mark.parametrize(
    "line", ["from quality import bounds", "import quality.bounds", "import quality\nquality.bounds"]
)
def test_definitions_that_import_a_hidden_package_are_an_error_that_says_so(project: Path, line: str) -> None:
    bounds = project / "features" / "bounds.py"
    bounds.write_text(f"{line}\n")
    try:
        listed = ziggurat(project, "list", "--conf", "conf.yaml")
    finally:
        bounds.unlink()
    assert listed.returncode == 10
    error = listed.stderr.splitlines()[-1]
    assert error.startswith("error: ")
    assert "./quality is hidden by Ziggurat's own package `quality`" in error


def test_definitions_can_not_have_the_name_of_a_package_of_ours(project: Path) -> None:
    listed = ziggurat(project, "list", "--conf", "conf.yaml", "--definitions", "jobs")
    assert listed.returncode == 60
    assert "`jobs` is a package of Ziggurat's own; give yours another name" in listed.stderr


@pytest.mark.spark
def test_a_build_and_its_workers_take_our_packages(project: Path) -> None:
    built = ziggurat(project, "build", "--as-of", "2024-06-01", "--conf", "conf.yaml")
    assert built.returncode == 0, built.stdout + built.stderr
    assert "2 published" in built.stdout


def test_in_an_empty_folder_the_shipped_pyramid_says_that_it_is_shipped(project: Path, tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(project.parent / "installed")}
    listed = subprocess.run(
        [sys.executable, "-m", "ziggurat", "list"], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60
    )
    assert listed.returncode == 0, listed.stderr
    assert "household_spend" in listed.stdout
    assert listed.stderr.startswith("note: these are the definitions of the shipped grocery pyramid")
