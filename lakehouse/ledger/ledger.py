"""The ledger: what ran, what it published, from what; completed from the tables' own histories after a kill.

Published tables never depend on it. Each commit's note names its run, slices and inputs (`CommitNote`), so a lost
ledger is rebuilt from them; a damaged one never touches a table. An append costs about a second: a build makes one
when it starts and one when it ends, a short command (`begin`) one when it ends.
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
from lakehouse.reader import NeedsSpark, rows_on_disk
from lakehouse.small_tables import write_small
from lakehouse.storage_errors import LeaseHeld, StorageError, translated_storage_errors
from lakehouse.tables import TableAddress, Warehouse, current_version, exists, move_away, names_in, read
from lakehouse.writer import SmallCommit

Read = TypeVar("Read")

_RUN = "run"  # leases in the name of a run, beside those on tables
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
        self._begun: dict[str, datetime] = {}  # of the runs whose start is not written yet

    @classmethod
    def open(cls, spark: SparkSession, warehouse: Warehouse, *, wait_seconds: float = 120) -> "Ledger":
        """Nothing is read or written yet; `wait_seconds` is how long an append waits for another run's."""
        return cls(spark, warehouse, wait_seconds=wait_seconds)

    def state(self) -> LedgerState:
        """All that is published and all that ran, collected once. Call `recover` before it."""
        if not exists(self._spark, self._warehouse.runs.path):
            return LedgerState()
        if (rows := rows_on_disk(self._warehouse.runs.path)) is not None:
            return reduced_state(rows, self._version_of)
        return _readable(self._warehouse.runs, lambda: collect_state(self._records(), self._version_of))

    def start(self, run: Run) -> None:
        """Records that the run started, and holds a lease in its name: the heartbeat shows that it is running."""
        self._hold(run)
        self._append(run.run_id, [started_row(run, _now())], "started")

    def begin(self, run: Run) -> None:
        """Holds the lease alone, which costs no Spark job; `finish` then records start and end in one append.

        For commands that usually end within a minute. `recover` records one that was killed, from its lease.
        """
        self._hold(run)
        self._begun[run.run_id] = _now()

    def drop(self, run: Run) -> None:
        """Ends a run after `begin` without recording it: it changed nothing (S28)."""
        del self._begun[run.run_id]
        self._running.pop(run.run_id).forget()

    def _hold(self, run: Run) -> None:
        command = str(run.detail.get("command", run.name))
        self._running[run.run_id] = self._desk(run.run_id).acquire(_lease_of(run.run_id), purpose=command)

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

        Raises Fenced when another process took this run for dead and recorded it as killed.
        """
        lease = self._running.get(run.run_id)
        if lease is not None:
            lease.check()
        at = _now()
        rows = [started_row(run, self._begun[run.run_id])] if run.run_id in self._begun else []
        rows += [step_row(run.run_id, at, step) for step in steps]
        rows += [slice_row(run.run_id, at, piece) for piece in slices]
        rows.append(ended_row(run.run_id, at, name=run.name, status=status, detail=detail or {}))
        crash_point("before_ledger")
        self._append(run.run_id, rows, "ended")
        crash_point("after_ledger")
        if lease is not None:
            lease.forget()
            del self._running[run.run_id]
            self._begun.pop(run.run_id, None)

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
        """Records what killed runs published, and that they were killed; only listings where there is nothing to do.

        Reads the history of each table whose version is ahead of the ledger, and takes the missing commits' notes
        from it. Runs that are still running are left out. After a commit that is not ours and changed rows, the
        ledger holds nothing of that table any more, so that the next run writes it anew.
        """
        state = self.state()
        is_complete = not state.unended and not tables_ahead(self._spark, self._tables(), state.known_versions)
        if is_complete and not self._unrecorded_dead(state):
            return RecoveryResult()
        with self._desk(f"recovery-{uuid.uuid4().hex[:8]}").acquire("ledger", wait_seconds=self._wait):
            return self._recover_alone()

    def rebuild(self) -> RecoveryResult:
        """Moves away a ledger that is damaged, and writes a new one from the tables' histories."""
        with self._desk(f"rebuild-{uuid.uuid4().hex[:8]}").acquire("ledger", wait_seconds=self._wait):
            with translated_storage_errors(self._warehouse.runs.path):
                move_away(self._warehouse.runs.path)
            return self._recover_alone()

    def _recover_alone(self) -> RecoveryResult:
        state = self.state()
        begun = self._unrecorded_dead(state)
        dead, running = self._dead_and_running([*(run.run_id for run in state.unended), *begun])
        try:
            result = find_unrecorded(
                self._spark, self._tables(), known_versions=state.known_versions, running=frozenset(running)
            )
            result = replace(result, killed_runs=tuple(run_id for run_id in dead))
            starts = [started_row(begun[run_id].run, begun[run_id].at) for run_id in dead if run_id in begun]
            names = {run.run_id: run.name for run in state.runs} | {i: start.run.name for i, start in begun.items()}
            rows = starts + recovered_rows(result, names, _now())
            if rows:
                self._write(self._warehouse.runs, RUNS, rows, txn=f"recovery/{uuid.uuid4()}", version=1)
        finally:
            for lease in dead.values():
                lease.forget()
        return result

    def _dead_and_running(self, run_ids: Sequence[str]) -> tuple[dict[str, Lease], list[str]]:
        """Takes over the leases of runs whose process is gone: one that was only paused then finds itself fenced."""
        dead: dict[str, Lease] = {}
        running = list(self._running)
        for run_id in run_ids:
            if run_id not in self._running:
                try:
                    dead[run_id] = self._desk(f"recovery of {run_id}").acquire(_lease_of(run_id))
                except LeaseHeld:
                    running.append(run_id)
        return dead, running

    def _unrecorded_dead(self, state: LedgerState) -> "dict[str, _Begun]":
        """Runs that only their leases know (see `begin`), and whose processes are gone."""
        recorded = {run.run_id for run in state.runs} | set(self._running)
        desk, begun = self._desk(""), {}
        for run_id in names_in(f"{self._warehouse.leases}/{_RUN}"):
            claim = None if run_id in recorded else desk.abandoned(_lease_of(run_id))
            if claim is not None:
                run = Run(run_id, claim.purpose.partition(" ")[0], {"command": claim.purpose})
                begun[run_id] = _Begun(run, datetime.fromisoformat(claim.since))
        return begun

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
        content = pa.Table.from_pylist([dict(row) for row in rows], schema=schema)
        with translated_storage_errors(table.path):
            try:
                write_small(
                    self._spark,
                    table.path,
                    SmallCommit(rows=content, transaction=(txn, version), properties=_PROPERTIES),
                )
            except NeedsSpark:
                writer = self._spark.createDataFrame(content).coalesce(1).write.format("delta").mode("append")
                writer.options(**_PROPERTIES, txnAppId=txn, txnVersion=str(version)).save(table.path)


def newest_release(rows: Iterable[Mapping[str, Any]]) -> Release | None:
    """Of rows of the table `releases`, None where there is none."""
    row = max(rows, key=lambda row: int(row["release_id"]), default=None)
    if row is None:
        return None
    return Release(row["release_id"], row["run_id"], json.loads(row["views"]), tuple(row["as_of"]))


@dataclass(frozen=True)
class _Begun:
    run: Run
    at: datetime


def _lease_of(run_id: str) -> str:
    return f"{_RUN}/{run_id}"


def _readable(table: TableAddress, reading: Callable[[], Read]) -> Read:
    """The result of `reading`; for a damaged table an error of one sentence, with what to do."""
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
