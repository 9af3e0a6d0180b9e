"""The ledger's rows: one per started run, step, slice and ended run; one per release."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa

from lakehouse.commit_notes import CommitNote
from lakehouse.table_state import TableState

RUNS = pa.schema(
    [
        ("run_id", pa.string()),
        ("recorded_at", pa.timestamp("us", tz="UTC")),
        ("record", pa.string()),
        ("name", pa.string()),
        ("slice", pa.string()),
        ("status", pa.string()),
        ("rows_in", pa.int64()),
        ("rows_out", pa.int64()),
        ("seconds", pa.float64()),
        ("table_version", pa.int64()),
        ("content_hash", pa.string()),
        ("detail", pa.string()),
    ]
)
RELEASES = pa.schema(
    [
        ("release_id", pa.int64()),
        ("run_id", pa.string()),
        ("released_at", pa.timestamp("us", tz="UTC")),
        ("views", pa.string()),
        ("as_of", pa.list_(pa.string())),
    ]
)

PUBLISHED, UNCHANGED = "published", "unchanged"  # statuses of slices that a table holds
FOREIGN, UPKEEP = "foreign", "upkeep"  # commits without our note: with other data, with the same data


@dataclass(frozen=True)
class Run:
    """A run as it starts: `name` is its verb, `detail` its command and what else describes it."""

    run_id: str
    name: str
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StepRecord:
    """One step's outcome; `seconds` is wall time."""

    name: str
    status: str
    rows_in: int | None = None
    rows_out: int | None = None
    seconds: float | None = None
    table_version: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SliceRecord:
    """One slice of one table. A status of `published` or `unchanged`: the table holds it, at that version."""

    table: str
    slice: str
    status: str
    rows: int
    content_hash: str | None = None
    table_version: int | None = None
    fingerprint: str = ""
    inputs: Mapping[str, int] = field(default_factory=dict)
    rows_in: int | None = None
    seconds: float | None = None
    state: TableState = field(default_factory=TableState)

    @classmethod
    def from_note(cls, table: str, version: int, note: CommitNote) -> "list[SliceRecord]":
        """One record per slice that a commit's note names."""
        return [
            cls(
                table,
                name,
                PUBLISHED,
                piece.rows,
                piece.content_hash,
                version,
                fingerprint=note.fingerprint,
                inputs=note.inputs,
                state=note.state,
            )
            for name, piece in note.slices.items()
        ]


def started_row(run: Run, at: datetime) -> dict[str, Any]:
    return _row(run.run_id, at, "started", name=run.name, status="started", detail=_json(run.detail))


def ended_row(run_id: str, at: datetime, *, name: str, status: str, detail: Mapping[str, Any]) -> dict[str, Any]:
    return _row(run_id, at, "ended", name=name, status=status, detail=_json(detail))


def step_row(run_id: str, at: datetime, step: StepRecord) -> dict[str, Any]:
    return _row(
        run_id,
        at,
        "step",
        name=step.name,
        status=step.status,
        rows_in=step.rows_in,
        rows_out=step.rows_out,
        seconds=step.seconds,
        table_version=step.table_version,
        detail=_json(step.detail),
    )


def slice_row(run_id: str, at: datetime, piece: SliceRecord) -> dict[str, Any]:
    detail = {"fingerprint": piece.fingerprint, "inputs": dict(piece.inputs), "extra": piece.state.to_json()}
    return _row(
        run_id,
        at,
        "slice",
        name=piece.table,
        slice=piece.slice,
        status=piece.status,
        rows_in=piece.rows_in,
        rows_out=piece.rows,
        seconds=piece.seconds,
        table_version=piece.table_version,
        content_hash=piece.content_hash,
        detail=_json(detail),
    )


def release_row(
    release_id: int,
    run_id: str,
    at: datetime,
    *,
    views: Mapping[str, int],
    slices: Mapping[str, Sequence[str]],
    as_of: Sequence[str],
) -> dict[str, Any]:
    named = {table: {"version": version, "slices": list(slices.get(table, ()))} for table, version in views.items()}
    return {
        "release_id": release_id,
        "run_id": run_id,
        "released_at": at,
        "views": _json(named),
        "as_of": list(as_of),
    }


def _row(run_id: str, at: datetime, record: str, **fields: object) -> dict[str, Any]:
    return dict.fromkeys(RUNS.names) | {"run_id": run_id, "recorded_at": at, "record": record} | fields


def _json(detail: Mapping[str, Any]) -> str:
    return json.dumps(detail, sort_keys=True, ensure_ascii=False, default=str)
