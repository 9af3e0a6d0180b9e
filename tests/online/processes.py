"""Other processes that write to, or read from, the store of a test."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def started(script: str, *words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", str(HERE / script), *map(str, words)],
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1])},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def finished(script: str, *words: object) -> tuple[int, str]:
    """The exit code, and the output."""
    with started(script, *words) as process:
        out, err = process.communicate(timeout=60)
    return process.returncode, out + err
