"""What ran: read from the ledger."""

import json
from collections.abc import Sequence
from typing import Any

from pyspark.sql import functions as F

from definitions.durations import instant_us
from definitions.errors import UnknownName, did_you_mean
from jobs.run.context import Context
from jobs.run.request import Request
from lakehouse.ledger.ledger import Ledger
from lakehouse.ledger.state import RunState
from lakehouse.tables import exists, read


def runs(context: Context) -> list[dict[str, Any]]:
    """Newest first: id, start, how it ended, command, seconds."""
    return [
        {
            "run": run.run_id,
            "started": run.started_at and f"{run.started_at:%Y-%m-%d %H:%M:%S}Z",
            "status": run.status,
            "seconds": (run.ended_at - run.started_at).total_seconds() if run.ended_at and run.started_at else None,
            "command": run.detail.get("command", run.name),
        }
        for run in _recorded(context)
    ]


def steps_of(context: Context, run_id: str | None) -> list[dict[str, Any]]:
    """The steps of a run, first to last; the newest run by default."""
    run = _find(context, run_id)
    if run is None:
        return []
    rows = (
        read(context.spark, context.warehouse.runs.path)
        .where((F.col("run_id") == run.run_id) & (F.col("record") == "step"))
        .collect()
    )
    return [
        {
            "step": row["name"],
            "status": row["status"],
            "rows_in": row["rows_in"],
            "rows_out": row["rows_out"],
            "seconds": row["seconds"],
            "version": row["table_version"],
            "message": json.loads(row["detail"] or "{}").get("message", ""),
        }
        for row in rows
    ]


def failed_request(context: Context, run_id: str | None) -> Request | None:
    """The request of the last build (or of that run), if it failed or was cut short; else None.

    Only builds and backfills can be taken up again: other commands are passed over.
    """
    recorded = _recorded(context)
    builds = [run for run in recorded if run.detail.get("as_of")]
    run = _named(recorded, run_id) if run_id is not None else next(iter(builds), None)
    if run is None or (run_id is None and run.status == "ended"):
        return None
    detail = run.detail
    as_ofs = tuple(instant_us(text) for text in detail.get("as_of", ()))
    return (
        Request(command=detail["command"], as_ofs_us=as_ofs, select=tuple(detail.get("select", ()))) if as_ofs else None
    )


def _recorded(context: Context) -> tuple[RunState, ...]:
    ledger = Ledger.open(context.spark, context.warehouse)
    ledger.recover()
    return ledger.state().runs if exists(context.spark, context.warehouse.runs.path) else ()


def _find(context: Context, run_id: str | None) -> RunState | None:
    recorded = _recorded(context)
    if run_id is None:
        return recorded[0] if recorded else None
    return _named(recorded, run_id)


def _named(recorded: Sequence[RunState], run_id: str) -> RunState:
    run = next((run for run in recorded if run.run_id == run_id), None)
    if run is None:
        raise UnknownName(f"no run '{run_id}' is in the ledger.{did_you_mean(run_id, {r.run_id for r in recorded})}")
    return run
