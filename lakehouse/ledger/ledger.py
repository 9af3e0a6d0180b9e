"""The ledger: what ran, what it published, from what; mended from the tables' own histories after a kill.

Published tables never depend on it. Each commit tells its run, slices and inputs (`CommitNote`), so a lost
ledger is rebuilt from them; a damaged one never touches a table. Each append costs seconds: a run makes one
when it starts and one when it ends.
"""

import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import pyarrow as pa
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from lakehouse.crash_points import crash_point
from lakehouse.leases.leases import Lease, LeaseDesk
from lakehouse.ledger.records import (
    RELEASES,
    RUNS,
    Run,
    SliceRecord,
    StepRecord,
    ended_row,
    release_row,
    slice_row,
    started_row,
    step_row,
)
from lakehouse.ledger.recovery import RecoveryResult, find_unrecorded, recovered_rows, tables_ahead
from lakehouse.ledger.reduction import reduced_state
from lakehouse.ledger.state import LedgerState, collect_state
from lakehouse.reader import rows_on_disk
from lakehouse.storage_errors import LeaseHeld, StorageError, translated_storage_errors
from lakehouse.tables import TableAddress, Warehouse, current_version, exists, read, set_aside

Read = TypeVar("Read")

_PROPERTIES = {
    "delta.enableDeletionVectors": "false",
    "delta.setTransactionRetentionDuration": "interval 60 days",
}


@dataclass(frozen=True)
class Release:
    """The versions of all views that belong together; ids only grow."""

    release_id: int
    run_id: str
    views: Mapping[str, Any]
    as_of: tuple[str, ...]


class Ledger:
    """The ledger of one warehouse. Appends take a short lease, as two drivers may end at once."""

    def __init__(self, spark: SparkSession, warehouse: Warehouse, *, wait_seconds: float = 120) -> None:
        self._spark, self._warehouse, self._wait = spark, warehouse, wait_seconds
        self._running: dict[str, Lease] = {}

    @classmethod
    def open(cls, spark: SparkSession, warehouse: Warehouse, *, wait_seconds: float = 120) -> "Ledger":
        """Nothing is read or written yet; `wait_seconds` is how long an append waits for another run's."""
        return cls(spark, warehouse, wait_seconds=wait_seconds)

    def state(self) -> LedgerState:
        """All that is published and all that ran, collected once. Call `mend` before it."""
        if not exists(self._spark, self._warehouse.runs.path):
            return LedgerState()
        if (rows := rows_on_disk(self._warehouse.runs.path)) is not None:
            return reduced_state(rows, self._version_of)
        return _readable(self._warehouse.runs, lambda: collect_state(self._records(), self._version_of))

    def start(self, run: Run) -> None:
        """Writes the run down, and holds a lease in its name: its heartbeat tells others that it lives."""
        lease = self._desk(run.run_id).acquire(f"run/{run.run_id}")
        self._running[run.run_id] = lease
        self._append(run.run_id, [started_row(run, _now())], "started")

    def finish(
        self,
        run: Run,
        *,
        steps: Sequence[StepRecord] = (),
        slices: Sequence[SliceRecord] = (),
        status: str,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """One append for the whole run. Repeated after a lost answer it adds nothing.

        Raises Fenced when others took this run for dead and mended the ledger without it.
        """
        lease = self._running.get(run.run_id)
        if lease is not None:
            lease.check()
        at = _now()
        rows = [step_row(run.run_id, at, step) for step in steps]
        rows += [slice_row(run.run_id, at, piece) for piece in slices]
        rows.append(ended_row(run.run_id, at, name=run.name, status=status, detail=detail or {}))
        crash_point("before_ledger")
        self._append(run.run_id, rows, "ended")
        crash_point("after_ledger")
        if lease is not None:
            lease.forget()
            del self._running[run.run_id]

    def release(
        self,
        run_id: str,
        views: Mapping[str, int],
        *,
        as_of: Sequence[str],
        slices: Mapping[str, Sequence[str]] | None = None,
    ) -> Release:
        """Names the tables' versions that belong together; the last release again when nothing differs."""
        crash_point("before_release")
        with self._desk(run_id).acquire("releases", wait_seconds=self._wait):
            last = self.latest_release()
            number = last.release_id + 1 if last else 1
            row = release_row(number, run_id, _now(), views=views, slices=slices or {}, as_of=as_of)
            if last and (last.views, last.as_of) == (json.loads(row["views"]), tuple(as_of)):
                return last
            self._write(self._warehouse.releases, RELEASES, [row], txn="releases", version=number)
        crash_point("after_release")
        return Release(number, run_id, json.loads(row["views"]), tuple(as_of))

    def latest_release(self) -> Release | None:
        path = self._warehouse.releases.path
        if not exists(self._spark, path):
            return None
        if (rows := rows_on_disk(path)) is not None:
            return newest_release(rows)
        newest = _readable(
            self._warehouse.releases,
            lambda: read(self._spark, path).orderBy("release_id", ascending=False).head(1),
        )
        return newest_release([row.asDict() for row in newest])

    def recover(self) -> RecoveryResult:
        """Writes down what killed runs published, and that they died; costs listings when nothing is amiss.

        Looks at each table whose version is ahead of the ledger and takes the missing commits' notes from
        its history. Runs that still live are left alone; a commit that is not ours and changed rows makes
        the ledger forget what it knew of that table, so that the next run writes it anew.
        """
        state = self.state()
        if not state.unended and not tables_ahead(self._spark, self._tables(), state.known_versions):
            return RecoveryResult()
        with self._desk(f"mend-{uuid.uuid4().hex[:8]}").acquire("ledger", wait_seconds=self._wait):
            return self._mend_alone()

    def rebuild(self) -> RecoveryResult:
        """Sets a ledger aside that can't be read or believed, and writes it anew from the histories."""
        with self._desk(f"rebuild-{uuid.uuid4().hex[:8]}").acquire("ledger", wait_seconds=self._wait):
            with translated_storage_errors(self._warehouse.runs.path):
                set_aside(self._warehouse.runs.path)
            return self._mend_alone()

    def _mend_alone(self) -> RecoveryResult:
        state = self.state()
        dead, living = self._dead_and_living(state)
        try:
            mended = find_unrecorded(
                self._spark, self._tables(), known_versions=state.known_versions, living=frozenset(living)
            )
            mended = replace(mended, killed_runs=tuple(r.run_id for r in state.unended if r.run_id in dead))
            rows = recovered_rows(mended, state.runs, _now())
            if rows:
                self._write(self._warehouse.runs, RUNS, rows, txn=f"mend/{uuid.uuid4()}", version=1)
        finally:
            for lease in dead.values():
                lease.forget()
        return mended

    def _dead_and_living(self, state: LedgerState) -> tuple[dict[str, Lease], list[str]]:
        """Takes over the dead runs' own leases, so that one that wakes up finds itself fenced."""
        dead: dict[str, Lease] = {}
        living = list(self._running)
        for run in state.unended:
            if run.run_id not in self._running:
                try:
                    dead[run.run_id] = self._desk(f"mend of {run.run_id}").acquire(f"run/{run.run_id}")
                except LeaseHeld:
                    living.append(run.run_id)
        return dead, living

    def _tables(self) -> tuple[TableAddress, ...]:
        return self._warehouse.published_tables()

    def _version_of(self, table: str) -> int | None:
        return current_version(self._spark, self._warehouse.address(table).path)

    def _records(self) -> DataFrame:
        return read(self._spark, self._warehouse.runs.path)

    def _desk(self, run_id: str) -> LeaseDesk:
        return LeaseDesk.at(self._warehouse.leases, run_id=run_id)

    def _append(self, run_id: str, rows: Sequence[Mapping[str, Any]], record: str) -> None:
        with self._desk(run_id).acquire("ledger", wait_seconds=self._wait):
            version = {"started": 1, "ended": 2}[record]
            self._write(self._warehouse.runs, RUNS, rows, txn=f"run/{run_id}", version=version)

    def _write(
        self,
        table: TableAddress,
        schema: pa.Schema,
        rows: Sequence[Mapping[str, Any]],
        *,
        txn: str,
        version: int,
    ) -> None:
        frame = self._spark.createDataFrame(pa.Table.from_pylist([dict(row) for row in rows], schema=schema))
        writer = frame.coalesce(1).write.format("delta").mode("append").options(**_PROPERTIES)
        with translated_storage_errors(table.path):
            writer.options(txnAppId=txn, txnVersion=str(version)).save(table.path)


def newest_release(rows: Iterable[Mapping[str, Any]]) -> Release | None:
    """Of rows of the table `releases`, None where there is none."""
    row = max(rows, key=lambda row: int(row["release_id"]), default=None)
    if row is None:
        return None
    return Release(row["release_id"], row["run_id"], json.loads(row["views"]), tuple(row["as_of"]))


def _readable(table: TableAddress, reading: Callable[[], Read]) -> Read:
    """What `reading` gives; a damaged table becomes one sentence that names the way out."""
    try:
        return reading()
    except (Py4JError, PySparkException) as error:
        raise StorageError(
            f"The ledger {table.path} can't be read ({str(error).strip().splitlines()[0][:200]}). "
            f"Published tables are not touched by this: move that folder away, and the next run rebuilds the "
            f"ledger from their histories."
        ) from error


def _now() -> datetime:
    return datetime.now(UTC)
