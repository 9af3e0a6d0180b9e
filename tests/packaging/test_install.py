"""What an installation shows: its progress, in lines that any terminal can show, and pip's output if it fails."""

import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "pip_install.py"
PINS = "# pins\nclick==8.5.1\npyspark==4.1.4\n"


@pytest.fixture
def progress(tmp_path: Path) -> Any:
    (tmp_path / "downloads" / "pip-unpack-1").mkdir(parents=True)
    (tmp_path / "site").mkdir()
    (tmp_path / "pins.txt").write_text(PINS)
    script = runpy.run_path(str(SCRIPT))
    return script["Progress"](script["pinned"](tmp_path / "pins.txt"), tmp_path / "downloads", tmp_path / "site")


def test_packages_are_counted_as_pip_meets_them(progress: Any) -> None:
    assert progress.text() == "starting pip"
    assert not progress.read("Collecting click==8.5.1 (from -c requirements/lock.txt (line 16))\n")
    assert progress.text() == "package 1 of about 2: collecting click"
    progress.read("Requirement already satisfied: click>=8 in /usr/lib (from x)")
    assert progress.text() == "package 1 of about 2: collecting click"


def test_a_large_download_shows_how_much_has_arrived(progress: Any, tmp_path: Path) -> None:
    progress.read("Collecting pyspark==4.1.4")
    assert not progress.read("  Downloading click-8.5.1-py3-none-any.whl (100 kB)")
    assert progress.read("  Downloading https://index/packages/pyspark-4.1.4.tar.gz (434.2 MB)")
    assert progress.text() == "package 1 of about 2: downloading pyspark-4.1.4.tar.gz, 0 of 434 MB"
    (tmp_path / "downloads" / "pip-unpack-1" / "pyspark-4.1.4.tar.gz").write_bytes(bytes(3_000_000))
    assert progress.text() == "package 1 of about 2: downloading pyspark-4.1.4.tar.gz, 3 of 434 MB"
    assert progress.read("  Building wheel for pyspark (pyproject.toml): started")
    assert progress.text() == "package 1 of about 2: building pyspark"


def test_what_is_installed_is_counted_in_the_environment(progress: Any, tmp_path: Path) -> None:
    (tmp_path / "site" / "pip-23.dist-info").mkdir()
    assert progress.read("Installing collected packages: py4j, click, pyspark")
    assert progress.text() == "installing: 0 of 3 packages"
    (tmp_path / "site" / "py4j-0.10.dist-info").mkdir()
    assert progress.text() == "installing: 1 of 3 packages"


def test_the_output_of_a_failed_pip_is_shown_whole_with_its_exit_code(tmp_path: Path) -> None:
    (tmp_path / "pins.txt").write_text(PINS)
    command = [sys.executable, SCRIPT, sys.executable, tmp_path / "pins.txt", "--no-index", "no-such-package-of-ours"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "pip failed with exit code 1" in done.stdout
    assert "No matching distribution found for no-such-package-of-ours" in done.stderr
