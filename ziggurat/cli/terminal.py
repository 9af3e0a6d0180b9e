"""What a person sees while a run works: one line per step, a sign of life on long ones; or JSON lines for machines."""

import json
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from jobs.run.outcome import StepOutcome

SILENCE_S = 10.0
_MARKS = {"published": "✓", "unchanged": "=", "failed": "✗", "could not check": "?", "blocked": "–"}


class TerminalListener:
    """Steps as aligned lines. After ten seconds without one it says what is being worked on, and for how long."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out, self._lock = out or sys.stdout, threading.Lock()
        self._doing: dict[str, tuple[str, float]] = {}
        self._spoke = time.monotonic()
        threading.Thread(target=self._sign_of_life, name="sign of life", daemon=True).start()

    def begun(self, table: str) -> None:
        self._doing[table] = ("reading", time.monotonic())

    def phase(self, table: str, doing: str) -> None:
        since = self._doing.get(table, ("", time.monotonic()))[1]
        self._doing[table] = (doing, since)

    def ended(self, outcome: "StepOutcome") -> None:
        self._doing.pop(outcome.table, None)
        self._say(step_line(outcome))

    def idle(self, table: str) -> None:
        self._doing.pop(table, None)

    def note(self, text: str) -> None:
        self._say(f"  {text}")

    def _say(self, text: str) -> None:
        with self._lock:
            self._spoke = time.monotonic()
            print(text, file=self._out, flush=True)

    def _sign_of_life(self) -> None:
        while True:
            time.sleep(1)
            now = time.monotonic()
            if self._doing and now - self._spoke >= SILENCE_S:
                told = ", ".join(
                    f"{table} {doing} {now - since:.0f} s" for table, (doing, since) in sorted(self._doing.items())
                )
                self._say(f"    … {told}")


class JsonListener:
    """Every event as one JSON line."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout

    def begun(self, table: str) -> None:
        self._say("begun", table=table)

    def phase(self, table: str, doing: str) -> None:
        self._say("phase", table=table, doing=doing)

    def ended(self, outcome: "StepOutcome") -> None:
        self._say("ended", **step_fields(outcome))

    def idle(self, table: str) -> None:
        self._say("idle", table=table)

    def note(self, text: str) -> None:
        self._say("note", text=text)

    def _say(self, event: str, **fields: Any) -> None:
        print(
            json.dumps({"at": datetime.now(UTC).isoformat(), "event": event, **fields}, default=str),
            file=self._out,
            flush=True,
        )


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
