"""The ledger's content as values, reduced by Spark and collected once: published slices, deliveries, runs.

`reduction` makes the same of the ledger's rows without Spark.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import Window as W  # noqa: N817  one of the three aliases for Spark
from pyspark.sql import functions as F

from lakehouse.ledger.records import FOREIGN, PUBLISHED, UNCHANGED, UPKEEP
from lakehouse.table_state import TableState

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class SliceState:
    """A slice as its table holds it now. `inputs` are tables by key at the versions it was built from."""

    slice: str
    hash: str
    rows: int
    fingerprint: str
    inputs: Mapping[str, int]
    table_version: int
    run_id: str
    recorded_at: datetime
    state: TableState = field(default_factory=TableState)


@dataclass(frozen=True)
class RunState:
    """A run by its id; `ended_at` is null and `status` 'started' while it runs, or since it was killed."""

    run_id: str
    name: str
    status: str
    started_at: datetime | None
    ended_at: datetime | None
    detail: Mapping[str, Any]


@dataclass(frozen=True)
class LedgerState:
    """`published` by (table key, slice); `deliveries`: each raw table's newest slice; `runs` newest first."""

    published: Mapping[tuple[str, str], SliceState] = field(default_factory=dict)
    runs: tuple[RunState, ...] = ()
    known_versions: Mapping[str, int] = field(default_factory=dict)

    @property
    def deliveries(self) -> Mapping[str, SliceState]:
        raw = [(table, state) for (table, _), state in self.published.items() if table.startswith("raw/")]
        return dict(sorted(raw, key=lambda pair: (pair[1].table_version, pair[1].recorded_at)))

    @property
    def unended(self) -> tuple[RunState, ...]:
        return tuple(run for run in self.runs if run.ended_at is None)


def valid_records(records: DataFrame) -> DataFrame:
    """The newest slice record that is valid for each (name, slice), and one per table for commits of upkeep.

    A later commit at the same or a lower version means that the table was deleted and begun again: what
    was recorded before is void. So is everything before a commit that was not ours and changed data.
    """
    later = W.partitionBy("name").orderBy("micros").rangeBetween(1, W.unboundedFollowing)
    overtakes = F.when(F.col("status") == FOREIGN, -1).when(F.col("status") == PUBLISHED, F.col("table_version"))
    status, is_slice = F.col("status"), F.col("record") == "slice"
    is_content = (is_slice & status.isin(PUBLISHED, UNCHANGED)) | (~is_slice & status.isin(FOREIGN, UPKEEP))
    content = records.where(is_content & F.col("table_version").isNotNull())
    timed = content.withColumn("micros", F.unix_micros("recorded_at"))
    voided = F.min(overtakes).over(later)
    valid = timed.withColumn("voided", voided).where("voided is null or voided > table_version")
    record = F.struct("status", "table_version", "micros", "run_id", "content_hash", "rows_out", "detail")
    newest = F.max_by(record, F.struct("micros", "table_version")).alias("newest")
    return valid.groupBy("name", "slice").agg(newest).select("name", "slice", "newest.*")


def collect_state(records: DataFrame, version_of: Callable[[str], int | None]) -> LedgerState:
    """Two small jobs. `version_of` gives a table's version now; one that fell behind has no slices."""
    rows = valid_records(records).collect()
    known: dict[str, int] = {}
    for row in rows:
        known[row["name"]] = max(known.get(row["name"], -1), row["table_version"])
    alive = {name for name, version in known.items() if is_alive(version_of(name), version)}
    published = {
        (row["name"], row["slice"]): slice_state(row.asDict())
        for row in rows
        if row["name"] in alive and row["status"] in (PUBLISHED, UNCHANGED)
    }
    return LedgerState(published, collect_runs(records), {name: known[name] for name in sorted(alive)})


def is_alive(current: int | None, known: int) -> bool:
    """False for a table that was deleted, or begun again, since the ledger recorded that version."""
    return current is not None and current >= known


def collect_runs(records: DataFrame) -> tuple[RunState, ...]:
    """Every run, newest first."""
    started, ended = F.col("record") == "started", F.col("record") == "ended"
    micros = F.unix_micros("recorded_at")
    rows = (
        records.where(started | ended)
        .groupBy("run_id")
        .agg(
            F.min(F.when(started, micros)).alias("started"),
            F.min(F.when(ended, micros)).alias("ended"),
            F.min_by("status", F.when(ended, micros)).alias("status"),
            F.first("name", ignorenulls=True).alias("name"),
            F.min_by("detail", F.when(started, micros)).alias("detail"),
        )
        .collect()
    )
    runs = [
        RunState(
            r["run_id"],
            r["name"],
            r["status"] or "started",
            _at(r["started"]),
            _at(r["ended"]),
            json.loads(r["detail"] or "{}"),
        )
        for r in rows
    ]
    return newest_first(runs)


def newest_first(runs: Iterable[RunState]) -> tuple[RunState, ...]:
    return tuple(sorted(runs, key=lambda run: (run.started_at or run.ended_at or _EPOCH, run.run_id), reverse=True))


def slice_state(row: Mapping[str, Any]) -> SliceState:
    """Of one slice record, with its instant as `micros`."""
    detail = json.loads(row["detail"] or "{}")
    return SliceState(
        slice=row["slice"],
        hash=row["content_hash"] or "",
        rows=row["rows_out"],
        fingerprint=detail.get("fingerprint", ""),
        inputs=detail.get("inputs", {}),
        table_version=row["table_version"],
        run_id=row["run_id"],
        recorded_at=_EPOCH + timedelta(microseconds=row["micros"]),
        state=TableState.from_json(detail.get("extra", {})),
    )


def _at(micros: int | None) -> datetime | None:
    return None if micros is None else _EPOCH + timedelta(microseconds=micros)
