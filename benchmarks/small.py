"""The time of a small project: whole processes, beside a bare Spark session: `make bench-small`, or --runs 5.

Each round writes the starter project into a new folder and runs one process after another: a bare session that writes
and reads one Delta table of one row, the first build, the next as-of, the same again with nothing to do, and `plan`.
Medians of the rounds, and each step's difference to the bare session of its own round.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ziggurat.cli.terminal import table_text

BARE = """
import sys
from lakehouse.session.start import SessionSettings, open_session
spark = open_session(SessionSettings(app_name="bare"))
spark.sql("select 1 as one").write.format("delta").save(sys.argv[1])
assert spark.read.format("delta").load(sys.argv[1]).count() == 1
"""
BUILD = ("build", "--conf", "conf.yaml", "--as-of")
STEPS: Mapping[str, Sequence[str]] = {
    "first build": (*BUILD, "2024-05-31"),
    "the next as-of": (*BUILD, "2024-06-01"),
    "again, nothing to do": (*BUILD, "2024-06-01"),
    "plan": ("plan", "--conf", "conf.yaml", "--as-of", "2024-06-01"),
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=3)
    runs = options.parse_args().runs
    rounds = [_round(number + 1, runs) for number in range(runs)]
    sys.stdout.write(f"{_table(rounds)}\n\n  {runs} round(s) on {os.cpu_count()} cores\n")


def _round(number: int, runs: int) -> dict[str, float]:
    sys.stderr.write(f"round {number} of {runs} …\n")
    with tempfile.TemporaryDirectory(prefix="ziggurat-small-") as scratch:
        folder = Path(scratch) / "bikes"
        _seconds([sys.executable, "-m", "ziggurat", "init", str(folder)], Path(scratch))
        seconds = {"bare session": _seconds([sys.executable, "-c", BARE, f"{scratch}/bare"], folder)}
        for name, words in STEPS.items():
            seconds[name] = _seconds([sys.executable, "-m", "ziggurat", *words], folder)
        return seconds


def _seconds(command: Sequence[str], folder: Path) -> float:
    path = os.pathsep.join(filter(None, [str(Path.cwd()), os.environ.get("PYTHONPATH", "")]))
    begun = time.monotonic()
    done = subprocess.run(command, cwd=folder, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return time.monotonic() - begun


def _table(rounds: Sequence[Mapping[str, float]]) -> str:
    rows = []
    for name in rounds[0]:
        seconds = [measured[name] for measured in rounds]
        above = statistics.median(measured[name] - measured["bare session"] for measured in rounds)
        rows.append(
            [
                name,
                round(statistics.median(seconds), 1),
                round(min(seconds), 1),
                round(max(seconds), 1),
                f"{above:+.1f}",
            ]
        )
    return table_text(["whole process, seconds", "median", "min", "max", "beside bare"], rows)


if __name__ == "__main__":
    main()
