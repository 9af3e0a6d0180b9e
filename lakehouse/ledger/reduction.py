"""The ledger reduced in Python, to the state that Spark reduces it to (`state.collect_state`).

For readers without Spark. A property test compares the two on random ledgers.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from definitions.durations import to_us
from lakehouse.ledger.records import FOREIGN, PUBLISHED, UNCHANGED, UPKEEP
from lakehouse.ledger.state import LedgerState, RunState, is_alive, newest_first, slice_state

Row = Mapping[str, Any]


def reduced_state(rows: Iterable[Row], version_of: Callable[[str], int | None]) -> LedgerState:
    """Of the rows of the table `runs`. `version_of` gives a table's version now; one that fell behind has no slices."""
    records = [{**row, "micros": to_us(row["recorded_at"])} for row in rows]
    valid = _valid(records)
    known: dict[str, int] = {}
    for (name, _), row in valid.items():
        known[name] = max(known.get(name, -1), row["table_version"])
    alive = {name for name, version in known.items() if is_alive(version_of(name), version)}
    published = {
        key: slice_state(row)
        for key, row in valid.items()
        if key[0] in alive and row["status"] in (PUBLISHED, UNCHANGED)
    }
    return LedgerState(published, _runs(records), {name: known[name] for name in sorted(alive)})


def _valid(records: Sequence[Row]) -> dict[tuple[str, str], Row]:
    """The newest record of each slice that no later commit made void; rules as in `state.valid_records`."""
    by_table: dict[str, list[Row]] = defaultdict(list)
    for row in records:
        statuses = (PUBLISHED, UNCHANGED) if row["record"] == "slice" else (FOREIGN, UPKEEP)
        if row["status"] in statuses and row["table_version"] is not None:
            by_table[row["name"]].append(row)
    newest: dict[tuple[str, str], Row] = {}
    for name, spoken in by_table.items():
        for row in _not_void(sorted(spoken, key=lambda row: int(row["micros"]))):
            key = (name, row["slice"])
            if key not in newest or _order(row) > _order(newest[key]):
                newest[key] = row
    return newest


def _not_void(ordered: Sequence[Row]) -> list[Row]:
    """From the newest back: the lowest version that later records start from, which makes the same and higher void."""
    kept: list[Row] = []
    lowest: int | None = None
    at = len(ordered)
    while at:
        begin = at
        while begin and ordered[begin - 1]["micros"] == ordered[at - 1]["micros"]:
            begin -= 1
        same_instant = ordered[begin:at]
        kept += [row for row in same_instant if lowest is None or lowest > row["table_version"]]
        versions = [-1 if row["status"] == FOREIGN else row["table_version"] for row in same_instant if _overtakes(row)]
        lowest = min([*versions, *([] if lowest is None else [lowest])], default=None)
        at = begin
    return kept


def _overtakes(row: Row) -> bool:
    return row["status"] in (FOREIGN, PUBLISHED)


def _order(row: Row) -> tuple[int, int]:
    return row["micros"], row["table_version"]


def _runs(records: Sequence[Row]) -> tuple[RunState, ...]:
    by_run: dict[str, list[Row]] = defaultdict(list)
    for row in records:
        if row["record"] in ("started", "ended"):
            by_run[row["run_id"]].append(row)
    return newest_first(_run(run_id, rows) for run_id, rows in by_run.items())


def _run(run_id: str, rows: Sequence[Row]) -> RunState:
    first = {
        record: min((row for row in rows if row["record"] == record), key=lambda row: int(row["micros"]), default=None)
        for record in ("started", "ended")
    }
    started, ended = first["started"] or {}, first["ended"] or {}
    return RunState(
        run_id,
        next(row["name"] for row in rows if row["name"] is not None),
        ended.get("status") or "started",
        started.get("recorded_at"),
        ended.get("recorded_at"),
        json.loads(started.get("detail") or "{}"),
    )
