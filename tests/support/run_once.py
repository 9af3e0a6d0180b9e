"""What is built once in a run of the tests, however many workers there are, and copied for tests that change it."""

import fcntl
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

Value = TypeVar("Value")


def built_once(factory: pytest.TempPathFactory, name: str, build: Callable[[Path], Value]) -> tuple[Path, Value]:
    """A folder that all workers of this run share, and what `build` returned, which has to be picklable.

    The first worker that comes builds; others wait for it. After a failure the next one tries again, in a new folder.
    """
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, result = shared / name, shared / f"{name}.pickle"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not result.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            value = build(folder)
            result.write_bytes(pickle.dumps(value))
        return folder, pickle.loads(result.read_bytes())


def copied(source: Path, target: Path) -> Path:
    """A copy of a warehouse in which tests may write; parquet files, which Delta never changes, are linked."""
    return Path(shutil.copytree(source, target, copy_function=_copy))


def _copy(source: str, target: str) -> None:
    if source.endswith(".parquet"):
        os.link(source, target)
    else:
        shutil.copy2(source, target)
