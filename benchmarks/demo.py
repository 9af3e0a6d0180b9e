"""The demo's wall time by step and its peak memory: `make bench`, or `python -m benchmarks.demo --runs 3`.

Each run is a process of its own on an empty warehouse; with several, medians are printed. Figures vary by ±30 % on a
machine that does other work: compare medians and ratios, not single runs.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jobs.run.memory import peak_memory_mb
from jobs.run.outcome import RunOutcome
from ziggurat.cli.demo.data import fetch_demo_data
from ziggurat.cli.demo.demo import AS_OF, LABEL, LABEL_TIMES, SERVICE, SUNDAYS, TRAINING_SET, look_up
from ziggurat.cli.terminal import table_text
from ziggurat.workspace import Workspace
from ziggurat.workspace import open as open_workspace


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=1)
    options.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.one:
        print(json.dumps(_measured()))  # noqa: T201  the parent reads it
        return
    fetch_demo_data()
    _print(_in_a_process(number + 1, chosen.runs) for number in range(chosen.runs))


def _in_a_process(number: int, runs: int) -> dict[str, Any]:
    sys.stderr.write(f"run {number} of {runs} …\n")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.demo", "--one"], capture_output=True, text=True, check=True
    )
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def _measured() -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
        begun = time.monotonic()
        workspace = open_workspace(warehouse=str(Path(folder) / "warehouse"))
        _ = workspace.spark
        started = time.monotonic() - begun
        seconds: dict[str, float] = {"start Spark": started}
        for verb, outcome in (
            ("backfill", workspace.backfill(*SUNDAYS, every="7d")),
            ("build", workspace.build(AS_OF)),
        ):
            seconds |= _steps(verb, outcome)
        seconds |= _model_steps(workspace)
        again = time.monotonic()
        workspace.build(AS_OF)
        seconds["build again: nothing to do"] = time.monotonic() - again
        seconds["all but the last"] = again - begun
    return {"seconds": seconds, "peak_memory_mb": peak_memory_mb()}


def _steps(verb: str, outcome: RunOutcome) -> dict[str, float]:
    if outcome.error is not None:
        raise outcome.error
    return {f"{verb} {step.table}": step.seconds for step in outcome.steps} | {f"{verb}: the whole": outcome.seconds}


def _model_steps(workspace: Workspace) -> dict[str, float]:
    """From pyramid to model: each of these on a warm session, as the demo has it."""
    steps: dict[str, Callable[[], object]] = {
        f"labels {LABEL}": lambda: workspace.labels(LABEL, start=LABEL_TIMES[0], end=LABEL_TIMES[1]),
        f"training set {SERVICE}": lambda: workspace.build_training_set(SERVICE, LABEL, name=TRAINING_SET),
        f"batch frame {SERVICE}": lambda: workspace.batch_frame(SERVICE, as_of=AS_OF).toArrow(),
        "export": lambda: workspace.export(as_of=AS_OF),
        "get, a process of its own": lambda: look_up(workspace),
    }
    seconds = {}
    for name, step in steps.items():
        begun = time.monotonic()
        step()
        seconds[name] = time.monotonic() - begun
    return seconds


def _print(runs: Any) -> None:
    measured = list(runs)
    rows = []
    for step in measured[0]["seconds"]:
        times = [run["seconds"][step] for run in measured if step in run["seconds"]]
        rows.append([step, round(statistics.median(times), 1), round(min(times), 1), round(max(times), 1)])
    memory = max(run["peak_memory_mb"] or 0 for run in measured)
    text = table_text(["step (seconds; steps run side by side)", "median", "min", "max"], rows)
    sys.stdout.write(
        f"{text}\n\n  {len(measured)} run(s) on {os.cpu_count()} cores; peak memory of all processes {memory:,.0f} MB\n"
    )


if __name__ == "__main__":
    main()
