"""Commands that start no Spark, in a project where something is wrong: the rest of it is shown all the same."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import run
from ziggurat.cli.starter_project import write_starter

SERVICE = """
from bikes_features.aggregate.rider_activity import rider_activity
from ziggurat.model import FeatureService, features_of

{name} = FeatureService("{name}", features=(features_of(rider_activity, "{feature}"),), owner="tests")
"""


@pytest.fixture
def bikes() -> Iterator[Path]:
    """A starter project that every user may read."""
    home = Path(tempfile.mkdtemp())
    home.chmod(0o755)
    write_starter(home / "bikes")
    yield home / "bikes"
    shutil.rmtree(home)


@contextlib.contextmanager
def as_somebody_else(*unreadable: Path) -> Iterator[None]:
    """No one may read these; root may read everything, so this process is another user meanwhile."""
    modes, user = {path: path.stat().st_mode for path in unreadable}, os.geteuid()
    for path in unreadable:
        path.chmod(0)
    os.seteuid(65534 if user == 0 else user)
    try:
        yield
    finally:
        os.seteuid(user)
        for path, mode in modes.items():
            path.chmod(mode)


def test_one_broken_service_hides_nothing_else(bikes: Path) -> None:
    for name, feature in (("good_v1", "ride_count_7d"), ("broken_v1", "ride_cuont_7d")):
        (bikes / "bikes_features" / f"{name}.py").write_text(SERVICE.format(name=name, feature=feature))
    said = run(bikes, "list", "--conf", "conf.yaml")
    assert said.code == 11
    for shown in ("raw/rides/v1", "cross_entity/rider_vs_plan/v1", "service/good_v1"):
        assert shown in said.out
    assert "'ride_cuont_7d' is not a feature of 'rider_activity' v1. Did you mean 'ride_count_7d'?" in said.sentence
    for name in ("good_v1", "rider_activity"):
        said = run(bikes, "describe", name, "--conf", "conf.yaml")
        assert (said.code, said.err.startswith("note: 'ride_cuont_7d' is not")) == (0, True)
    assert "'ride_cuont_7d' is not" in run(bikes, "describe", "broken_v1", "--conf", "conf.yaml").sentence
    said = run(bikes, "build", "--as-of", "2024-06-01", "--conf", "conf.yaml")
    assert (said.code, "'ride_cuont_7d' is not" in said.sentence) == (11, True)


def test_services_in_the_file_of_a_broken_one_are_shown(bikes: Path) -> None:
    features = {"broken_v1": "ride_cuont_7d", "good_v1": "ride_count_7d"}
    services = [SERVICE.format(name=name, feature=feature) for name, feature in features.items()]
    (bikes / "bikes_features" / "models.py").write_text("".join(services))
    said = run(bikes, "list", "--conf", "conf.yaml")
    assert (said.code, "service/good_v1" in said.out, "broken_v1" in said.out) == (11, True, False)
    assert "'ride_cuont_7d' is not a feature of 'rider_activity' v1. Did you mean 'ride_count_7d'?" in said.sentence
    assert "ride_count_7d" in run(bikes, "describe", "good_v1", "--conf", "conf.yaml").out
    (bikes / "bikes_features" / "models.py").write_text("".join(services) + "x = (")
    said = run(bikes, "list", "--conf", "conf.yaml")
    assert (said.code, "good_v1" in said.out, "raw/rides/v1" in said.out) == (10, False, True)
    assert "models.py, line " in said.sentence
    assert "does not parse" in said.sentence


def test_a_configured_source_that_no_definition_declares_is_refused(bikes: Path) -> None:
    conf = bikes / "conf.yaml"
    conf.write_text(conf.read_text().replace("  riders:", "  ridders:"))
    for command in (("list",), ("describe", "rides"), ("plan", "--as-of", "2024-06-01")):
        said = run(bikes, *command, "--conf", "conf.yaml")
        assert said.code == 60
        assert "setting 'sources.ridders' (from conf.yaml): 'bikes_features' declares no source" in said.sentence
        assert said.sentence.endswith("Did you mean 'riders'?")
    said = run(bikes, "doctor", "--conf", "conf.yaml")
    assert (said.code, "✗ definitions        setting 'sources.ridders'" in said.err) == (50, True)


def test_sources_of_the_demo_need_not_be_declared(bikes: Path) -> None:
    assert run(bikes, "list", "--definitions", "bikes_features").code == 0


@pytest.mark.parametrize("every", ["12h", "90m", "1d"])
def test_a_range_may_step_by_any_duration(bikes: Path, every: str) -> None:
    said = run(bikes, "plan", "--start", "2024-05-30", "--end", "2024-06-01", "--every", every, "--conf", "conf.yaml")
    assert said.code == 0
    assert "7d, 1d or 12h" in run(bikes, "backfill", "--help").out


def test_files_and_folders_that_may_not_be_read_are_one_sentence_each(bikes: Path) -> None:
    conf, package, rides = bikes / "conf.yaml", bikes / "bikes_features", bikes / "data" / "rides"
    warehouse = bikes / "warehouse"
    (warehouse / "runs" / "_delta_log").mkdir(parents=True)
    plan = ("plan", "--as-of", "2024-06-01", "--conf", "conf.yaml")
    build = ("build", *plan[1:])
    for unreadable, words, code, part in (
        (conf, ("list", "--conf", "conf.yaml"), 60, "conf.yaml can't be read: Permission denied"),
        (package, ("list", "--conf", "conf.yaml"), 10, "bikes_features"),
        (package / "raw" / "rides.py", ("list", "--conf", "conf.yaml"), 10, "rides.py"),
        (bikes / "data", build, 23, "data/riders.csv. Give the user that runs the job the right to read it"),
        (warehouse, plan, 42, "warehouse"),
        (warehouse / "runs" / "_delta_log", plan, 42, "_delta_log"),
        (warehouse, build, 42, "warehouse"),
    ):
        with as_somebody_else(unreadable):
            said = run(bikes, *words)
        assert said.code == code, (unreadable, said)
        assert part in said.sentence
    for path in (rides, rides / "2024-spring.csv"):
        with as_somebody_else(path):
            said = run(bikes, *plan)
        assert (said.code, f"this user may not read {path}." in said.out) == (0, True)


def test_a_starter_where_no_folder_can_be_made_is_one_sentence(bikes: Path) -> None:
    for folder in (bikes / "conf.yaml" / "x", bikes / ("a" * 300)):
        said = run(bikes, "init", str(folder))
        assert (said.code, said.sentence.count("\n")) in {(2, 0), (42, 0)}, said.err
        assert str(folder) in said.sentence
