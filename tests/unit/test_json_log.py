"""`--log-format json`: one event, one line, with the run and step it belongs to."""

import io
import json
import threading

from jobs.run.outcome import Status, StepOutcome
from ziggurat.cli.terminal import JsonListener

SPEND = "aggregate/household_spend/v1"


def written(out: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_events_carry_run_step_and_parent() -> None:
    out = io.StringIO()
    log = JsonListener(out)
    log.note("before any run")
    build = log.in_run("run-1", parent="")
    build.begun(SPEND)
    build.ended(StepOutcome(table=SPEND, status=Status.PUBLISHED))
    log.in_run("run-2", parent="run-1").phase("layouts/household_spend/household", "computing")
    assert [(e["event"], e["run_id"], e["step"], e["parent"]) for e in written(out)] == [
        ("note", None, None, None),
        ("begun", "run-1", SPEND, None),
        ("ended", "run-1", SPEND, None),
        ("phase", "run-2", "layouts/household_spend/household", "run-1"),
    ]


def test_lines_of_steps_side_by_side_are_whole_and_flushed() -> None:
    class Pipe(io.StringIO):
        flushes = 0

        def flush(self) -> None:
            self.flushes += 1

    out = Pipe()
    log = JsonListener(out)
    steps = [log.in_run(f"run-{number}", parent="") for number in range(4)]
    threads = [threading.Thread(target=lambda s=step: [s.phase(SPEND, "x" * 500) for _ in range(50)]) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(written(out)) == out.flushes == 200


def test_the_event_that_ends_a_run_is_a_line_of_its_own_whatever_is_written_beside_it() -> None:
    out = io.StringIO()
    log = JsonListener(out)
    beside = threading.Thread(target=lambda: [log.progress(SPEND, n, 300, "rows") for n in range(300)])
    beside.start()
    for n in range(300):
        log.write({"event": "run", "n": n})
    beside.join()
    events = [event["event"] for event in written(out)]
    assert (events.count("run"), events.count("progress"), len(events)) == (300, 300, 600)
