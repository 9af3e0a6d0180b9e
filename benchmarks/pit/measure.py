"""One engine on one case, in a process that is watched, and ended if it takes too long."""

import json
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.pit.cases import Case, Question
from benchmarks.pit.row_hash import answer_in
from benchmarks.pit.worker import MARK
from jobs.run import process_tree

_LOOK_EVERY = 0.2  # seconds between two looks at the tree's memory
_START_SECONDS = 300  # to load, to start Spark and to answer the small set; Feast takes longest


def measured(
    case: Case, engine: str, *, question: Question, warm_up: Question, runs: int, limit: float, scratch: Path
) -> dict[str, Any]:
    """The result: `status` (answered, over the limit, failed), `runs` with wall, cpu and peak_mb, the answer.

    `limit` is in seconds and for each run. A layout is made if its folder is not there, and timed apart.
    """
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    order = {
        "engine": engine,
        "runs": runs,
        "scratch": str(scratch),
        "shuffle_partitions": case.shuffle_partitions,
        "warm_up": asdict(warm_up),
        "question": asdict(question),
    }
    log = scratch.with_name(f"{scratch.name}.log")
    with _worker(order, log) as worker:
        result = _watched(worker, limit)
    if result["status"] == "failed":
        result["error"] = _last_words(log)
    if result["runs"]:
        result |= asdict(answer_in(scratch / "answer.parquet"))
    shutil.rmtree(scratch, ignore_errors=True)
    return result


@contextmanager
def _worker(order: dict[str, Any], log: Path) -> "Iterator[subprocess.Popen[str]]":
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.pit.worker", json.dumps(order, default=str)]
    with log.open("w") as errors, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as worker:
        try:
            yield worker
        finally:
            process_tree.kill(worker.pid)


def _watched(worker: "subprocess.Popen[str]", limit: float) -> dict[str, Any]:
    events: queue.Queue[dict[str, Any] | None] = queue.Queue()
    threading.Thread(target=_read, args=(worker, events), daemon=True).start()
    result: dict[str, Any] = {"status": "failed", "runs": []}
    is_warm, since, peak = False, time.monotonic(), 0.0
    while True:
        try:
            event = events.get(timeout=_LOOK_EVERY)
        except queue.Empty:
            peak = max(peak, process_tree.resident_mb(worker.pid))
            if time.monotonic() - since > (limit if is_warm else _START_SECONDS):
                return result | ({} if result["runs"] else {"status": "over the limit", "limit": limit})
            continue
        if event is None:
            return result
        kind = event.pop("event")
        if kind == "run":
            result["runs"].append(event | {"peak_mb": peak})
        elif kind == "laid out":
            result["laid_out"] = event | {"peak_mb": peak}
        elif kind == "step":
            result.setdefault("steps", []).append(event | {"peak_mb": peak})
        elif kind == "done":
            return result | {"status": "answered"}
        is_warm = is_warm or kind == "warm"
        since, peak = time.monotonic(), process_tree.resident_mb(worker.pid)


def _read(worker: "subprocess.Popen[str]", events: "queue.Queue[dict[str, Any] | None]") -> None:
    for line in worker.stdout or ():
        if line.startswith(MARK):
            events.put(json.loads(line.removeprefix(MARK)))
    events.put(None)


def _last_words(log: Path) -> str:
    lines = [line for line in log.read_text("utf-8", errors="replace").splitlines() if line.strip()]
    named = [line for line in lines if re.match(r"[\w.]+(Error|Exception)\b", line)]
    return next(iter([*reversed(named), *reversed(lines)]), "no message")[:300]
