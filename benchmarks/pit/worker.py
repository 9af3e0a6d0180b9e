"""One engine in a process of its own: `python -m benchmarks.pit.worker ORDER`, an order as JSON.

It tells its parent, a line of JSON each, when it is ready, warm, laid out, and done with a run.
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
    _tell("ready")
    warm, question = _question(order["warm_up"]), _question(order["question"])
    output = scratch / "answer.parquet"
    if order["engine"] in UPKEEP:
        _keep(cast(Keeps, engine), warm, question, output)
    else:
        _answer(engine, warm, question, output, runs=order["runs"])
    _tell("done")


def _keep(engine: Keeps, warm: Question, question: Question, output: Path) -> None:
    for _, work in engine.steps(warm, output):
        work()
    _tell("warm")
    for name, work in engine.steps(question, output):
        _emptied(output)
        _timed("step", work, step=name, answer=output)


def _answer(engine: Engine, warm: Question, question: Question, output: Path, *, runs: int) -> None:
    for asked, event in ((warm, "laid out small"), (question, "laid out")):
        if asked.layouts is not None and not _is_laid_out(asked):
            _timed(event, lambda asked=asked: cast(LaysOut, engine).lay_out(asked))  # type: ignore[misc]
        if asked is warm:
            _timed("warm", lambda: engine.answer(warm, _emptied(output)))
    first = _timed("run", lambda: engine.answer(question, _emptied(output)))
    for _ in range(1, min([runs, *(most for seconds, most in FEWER if first > seconds)])):
        _timed("run", lambda: engine.answer(question, _emptied(output)))


def _question(told: dict[str, Any]) -> Question:
    return Question(
        spine=Path(told["spine"]),
        histories=tuple(map(Path, told["histories"])),
        is_sorted=told["is_sorted"],
        has_clocks=told["has_clocks"],
        layouts=Path(told["layouts"]) if told["layouts"] else None,
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
    told: dict[str, Any] = {"wall": wall, "cpu": cpu_seconds(os.getpid()) - used}
    if step is not None:
        told["step"] = step
    if answer is not None and answer.exists():
        told |= asdict(answer_in(answer))
    _tell(event, **told)
    return wall


def _tell(event: str, **figures: Any) -> None:
    sys.stdout.write(f"{MARK}{json.dumps({'event': event, **figures})}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
