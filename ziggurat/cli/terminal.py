"""What a run prints while it works: one line per step and progress on long ones, or JSON lines for machines."""

import json
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self, TextIO

from ziggurat.cli.progress import Progress

if TYPE_CHECKING:
    from jobs.run.outcome import StepOutcome

SILENCE_S = 10.0
_MARKS = {"published": "✓", "unchanged": "=", "failed": "✗", "could not check": "?", "blocked": "–"}


class TerminalListener:
    """Steps as aligned lines. After ten seconds without one, a line says what is being worked on, and how far it is."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out, self._lock, self._working = out or sys.stdout, threading.Lock(), Progress()
        self._last_line = time.monotonic()
        threading.Thread(target=self._report_progress, name="progress", daemon=True).start()

    def in_run(self, run_id: str, *, parent: str) -> Self:
        """The same: people see one run at a time."""
        return self

    def planned(self, weights: Mapping[str, int]) -> None:
        self._working.planned(weights, time.monotonic())

    def begun(self, table: str) -> None:
        self._working.begun(table, time.monotonic())

    def phase(self, table: str, doing: str) -> None:
        self._working.phase(table, doing, time.monotonic())

    def progress(self, table: str, done: int, total: int, unit: str) -> None:
        self._working.advanced(table, done, total, unit)

    def ended(self, outcome: "StepOutcome") -> None:
        self._working.ended(outcome.table)
        self._print(step_line(outcome))

    def idle(self, table: str) -> None:
        self._working.ended(table)

    def note(self, text: str) -> None:
        self._print(f"  {text}")

    def _print(self, text: str) -> None:
        with self._lock:
            self._last_line = time.monotonic()
            print(text, file=self._out, flush=True)

    def _report_progress(self) -> None:
        while True:
            time.sleep(1)
            now = time.monotonic()
            if now - self._last_line >= SILENCE_S and (working := self._working.line(now)):
                self._print(f"    … {working}")


@dataclass(frozen=True)
class JsonListener:
    """Every event as one JSON line: `at`, `event`, `run_id`, `step`, `parent`, then what the event says.

    step: the table that is worked on; null for what concerns the whole run. parent: the run that started this one, as
    a build does the upkeep of layouts; null for a run that a command started. run_id is null before a run begins.
    """

    out: TextIO = field(default_factory=lambda: sys.stdout)
    run_id: str = ""
    parent: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def in_run(self, run_id: str, *, parent: str) -> "JsonListener":
        """For the events of one run; both write to the same stream, under one lock."""
        return replace(self, run_id=run_id, parent=parent)

    def planned(self, weights: Mapping[str, int]) -> None:
        self._write("planned", None, tables=list(weights))

    def begun(self, table: str) -> None:
        self._write("begun", table, table=table)

    def phase(self, table: str, doing: str) -> None:
        self._write("phase", table, table=table, doing=doing)

    def progress(self, table: str, done: int, total: int, unit: str) -> None:
        self._write("progress", table, table=table, done=done, total=total, unit=unit)

    def ended(self, outcome: "StepOutcome") -> None:
        self._write("ended", outcome.table, **step_fields(outcome))

    def idle(self, table: str) -> None:
        self._write("idle", table, table=table)

    def note(self, text: str) -> None:
        self._write("note", None, text=text)

    def _write(self, event: str, step: str | None, **fields: Any) -> None:
        """Whole lines, each flushed: steps run side by side, and a reader may follow the file."""
        head = {"at": datetime.now(UTC).isoformat(), "event": event}
        origin = {"run_id": self.run_id or None, "step": step, "parent": self.parent or None}
        self.write({**head, **origin, **fields})

    def write(self, fields: Mapping[str, Any]) -> None:
        """An event that is whole already, under the same lock as all others."""
        line = json.dumps(dict(fields), default=str)
        with self.lock:
            self.out.write(f"{line}\n")
            self.out.flush()


def step_fields(outcome: "StepOutcome") -> dict[str, Any]:
    return {
        "table": outcome.table,
        "status": str(outcome.status),
        "rows_in": outcome.rows_in,
        "rows_out": outcome.rows_out,
        "seconds": round(outcome.seconds, 3),
        "version": outcome.version,
        "message": outcome.message,
        "quarantined": dict(outcome.quarantined),
    }


def step_line(outcome: "StepOutcome") -> str:
    unchanged = outcome.status == "unchanged"
    rows_in = "" if unchanged or outcome.rows_in is None else f"{outcome.rows_in:,} in"
    rows_out = (
        "" if outcome.rows_out is None else (f"{outcome.rows_out:,} rows" if unchanged else f"{outcome.rows_out:,} out")
    )
    head = f"  {_MARKS[outcome.status]} {outcome.table:<38} {outcome.status:<15}"
    figures = f"{rows_in:>14} {rows_out:>16} {outcome.seconds:>7.1f} s"
    return f"{head} {figures}  {_first_sentence(outcome)}".rstrip()


def _first_sentence(outcome: "StepOutcome") -> str:
    return "" if outcome.error is not None else outcome.message


def table_text(header: Sequence[str], rows: Sequence[Sequence[Any]], *, indent: str = "  ") -> str:
    """A plain aligned table; numbers to the right, with thousands separated."""
    texts = [[_cell(value) for value in row] for row in rows]
    widths = [
        max(len(header[n]), *(len(row[n]) for row in texts)) if texts else len(header[n]) for n in range(len(header))
    ]
    right = [
        bool(rows) and all(isinstance(row[n], int | float) or row[n] is None for row in rows)
        for n in range(len(header))
    ]

    def line(cells: Sequence[str]) -> str:
        return (
            indent
            + "  ".join(c.rjust(w) if r else c.ljust(w) for c, w, r in zip(cells, widths, right, strict=True)).rstrip()
        )

    return "\n".join([line(header), line(["─" * width for width in widths]), *map(line, texts)])


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 10 else f"{value:,.2f}"
    return str(value)


def values_text(values: Mapping[str, Any], *, indent: str = "      ") -> str:
    width = max((len(name) for name in values), default=0)
    return "\n".join(f"{indent}{name.ljust(width)}  {_cell(value)}" for name, value in values.items())
