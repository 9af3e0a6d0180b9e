"""The archives hold our packages and nothing else, and run on a cluster that does not have the checkout."""

import json
import os
import runpy
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import setuptools

from lakehouse.session.environment import PACKAGES
from lakehouse.session.jars import delta_jars
from lakehouse.session.java import find_java, launcher_home
from lakehouse.session.start import spark_home
from ziggurat import own_packages

HERE = Path(__file__).parent
PROJECT_ROOT = HERE.parents[1]


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    folder = tmp_path / "an empty folder"
    folder.mkdir()
    return folder


def test_the_list_of_packages_is_every_folder_that_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    listed: list[str] = []
    monkeypatch.setattr(setuptools, "setup", lambda **options: listed.extend(options["packages"]))
    runpy.run_path(str(PROJECT_ROOT / "setup.py"))
    inits = [init for name in PACKAGES for init in (PROJECT_ROOT / name).rglob("__init__.py")]
    packages = [init.relative_to(PROJECT_ROOT).parent.parts for init in inits]
    # What `ziggurat init` copies is data here, though it is a package in the user's project.
    assert sorted(listed) == sorted(".".join(parts) for parts in packages if "starter" not in parts)


def test_every_top_level_package_is_known_to_the_doctor() -> None:
    others = {"tests", "benchmarks", "docs", "notebooks", "deploy"}
    packages = {init.parent.name for init in PROJECT_ROOT.glob("*/__init__.py")} - others
    assert packages == set(PACKAGES) == {*own_packages.PACKAGES, "features", "ziggurat"}


def test_the_archive_holds_packages_and_their_data_but_no_tests(archive: Path) -> None:
    names = zipfile.ZipFile(archive).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == set(PACKAGES)
    assert not [name for name in names if Path(name).name.startswith(("test_", "conftest"))]
    assert "lakehouse/log4j2.properties" in names
    sources = [path for name in PACKAGES for path in (PROJECT_ROOT / name).rglob("*") if path.is_file()]
    shipped = {str(path.relative_to(PROJECT_ROOT)) for path in sources if "__pycache__" not in path.parts}
    assert shipped == {name for name in names if ".dist-info/" not in name}


@pytest.mark.spark
def test_driver_and_workers_of_a_cluster_import_from_the_archive(archive: Path, empty: Path) -> None:
    java = find_java()
    jars = delta_jars(java, spark_home=spark_home(), say=print)
    command = [str(spark_home() / "bin" / "spark-submit"), "--master", "local-cluster[1,1,1024]"]
    command += [
        "--driver-memory",
        "1g",
        "--conf",
        "spark.ui.enabled=false",
        "--conf",
        "spark.driver.host=localhost",
    ]
    command += ["--jars", ",".join(map(str, jars)), "--py-files", str(archive)]
    command += [str(HERE / "submitted_job.py"), str(empty / "table")]
    inherited = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "SPARK_HOME")}
    env = inherited | {"JAVA_HOME": str(launcher_home(java)), "PYSPARK_PYTHON": sys.executable}
    run = subprocess.run(command, cwd=empty, env=env, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr[-4000:]
    output = json.loads(run.stdout.splitlines()[-1])
    assert archive.name in output["driver"]
    assert len(output["workers"]) == 1
    assert archive.name in output["workers"][0]
    assert output["zone"] == "UTC"
