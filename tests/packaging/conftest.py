"""The archive that is shipped, built once for all tests of packaging."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lakehouse.session.environment import PACKAGES

HERE = Path(__file__).parent
PROJECT_ROOT = HERE.parents[1]
GENERATED = shutil.ignore_patterns("*.egg-info", "__pycache__")


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel named .zip, built from a copy of this checkout, as `make zip` does it."""
    folder = tmp_path_factory.mktemp("dist")
    source = folder / "source"
    for name in PACKAGES:
        shutil.copytree(PROJECT_ROOT / name, source / name, ignore=GENERATED)
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        if (PROJECT_ROOT / name).is_file():
            shutil.copyfile(PROJECT_ROOT / name, source / name)
    (source / "tests").mkdir()
    shutil.copyfile(HERE / "submitted_job.py", source / "tests" / "__init__.py")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    built = subprocess.run([*command, str(source)], capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel.rename(folder / "ziggurat.zip")
