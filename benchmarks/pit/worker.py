"""One engine in a process of its own: `python -m benchmarks.pit.worker ORDER`, an order as JSON.

It prints a line of JSON for its parent when it is ready, when it is warm, after each layout and after each run.
"""

import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from benchmarks.pit.cases import UPKEEP, Question
from benchmarks.pit.engines import Engine, Keeps, LaysOut, start
from benchmarks.pit.row_hash import answer_in
from jobs.run.process_tree import cpu_seconds

MARK = "bench-pit: "  # before each line that is for the parent; libraries print too
FEWER = ((120, 1), (10, 3))  # a first run that took more than so many seconds: no more runs than so many


def main() -> None:
    order = json.loads(sys.argv[1])
    scratch = Path(order["scratch"])
    engine = start(order["engine"], scratch, order["shuffle_partitions"])
    _report("ready")
    warm, question = _question(order["warm_up"]), _question(order["question"])
    output = scratch / "answer.parquet"
    if order["engine"] in UPKEEP:
        _keep(cast(Keeps, engine), warm, question, output)
    else:
        _answer(engine, warm, question, output, runs=order["runs"])
    _report("done")


def _keep(engine: Keeps, warm: Question, question: Question, output: Path) -> None:
    for _, work in engine.steps(warm, output):
        work()
    _report("warm")
    for name, work in engine.steps(question, output):
        _emptied(output)
        _timed("step", work, step=name, answer=output)


def _answer(engine: Engine, warm: Question, question: Question, output: Path, *, runs: int) -> None:
    for files, event in ((warm, "laid out small"), (question, "laid out")):
        if files.layouts is not None and not _is_laid_out(files):
            _timed(event, lambda files=files: cast(LaysOut, engine).lay_out(files))  # type: ignore[misc]
        if files is warm:
            _timed("warm", lambda: engine.answer(warm, _emptied(output)))
    first = _timed("run", lambda: engine.answer(question, _emptied(output)))
    for _ in range(1, min([runs, *(most for seconds, most in FEWER if first > seconds)])):
        _timed("run", lambda: engine.answer(question, _emptied(output)))


def _question(order: dict[str, Any]) -> Question:
    return Question(
        spine=Path(order["spine"]),
        histories=tuple(map(Path, order["histories"])),
        is_sorted=order["is_sorted"],
        has_clocks=order["has_clocks"],
        layouts=Path(order["layouts"]) if order["layouts"] else None,
    )


def _is_laid_out(question: Question) -> bool:
    """Whether a case before this one did it: cases share their histories."""
    layouts = question.layouts
    return layouts is not None and all((layouts / history.name).is_dir() for history in question.histories)


def _emptied(output: Path) -> Path:
    if output.is_dir():
        shutil.rmtree(output)
    output.unlink(missing_ok=True)
    return output


def _timed(event: str, work: Callable[[], None], *, step: str | None = None, answer: Path | None = None) -> float:
    used, begun = cpu_seconds(os.getpid()), time.monotonic()
    work()
    wall = time.monotonic() - begun
    figures: dict[str, Any] = {"wall": wall, "cpu": cpu_seconds(os.getpid()) - used}
    if step is not None:
        figures["step"] = step
    if answer is not None and answer.exists():
        figures |= asdict(answer_in(answer))
    _report(event, **figures)
    return wall


def _report(event: str, **figures: Any) -> None:
    sys.stdout.write(f"{MARK}{json.dumps({'event': event, **figures})}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
