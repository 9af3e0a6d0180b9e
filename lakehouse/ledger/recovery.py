"""What tables' own histories tell and the ledger does not know: commits of killed runs, and of others."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyspark.sql import SparkSession

from lakehouse.commit_notes import CommitNote
from lakehouse.ledger.records import (
    FOREIGN,
    UPKEEP,
    SliceRecord,
    StepRecord,
    ended_row,
    slice_row,
    step_row,
)
from lakehouse.ledger.state import RunState
from lakehouse.tables import Commit, TableAddress, current_version, history

# Delta's operations that leave every row what it was.
_KEEPS_ROWS = frozenset(
    (
        "OPTIMIZE",
        "REORG",
        "VACUUM START",
        "VACUUM END",
        "SET TBLPROPERTIES",
        "UNSET TBLPROPERTIES",
        "CREATE TABLE",
        "ADD CONSTRAINT",
        "DROP CONSTRAINT",
        "UPGRADE PROTOCOL",
        "COMPUTE STATS",
        "CLUSTER BY",
        "FSCK",
    )
)


@dataclass(frozen=True)
class RecoveryResult:
    """Runs that had died; slices published but not written down, by run; commits that were not ours."""

    killed_runs: tuple[str, ...] = ()
    slices: tuple[tuple[str, SliceRecord], ...] = ()
    others: tuple[StepRecord, ...] = ()

    @property
    def foreign(self) -> tuple[str, ...]:
        """Tables that somebody else wrote to: what they hold is not known."""
        return tuple(sorted({step.name for step in self.others if step.status == FOREIGN}))


def tables_ahead(
    spark: SparkSession, tables: Iterable[TableAddress], known_versions: Mapping[str, int]
) -> list[tuple[TableAddress, int]]:
    """Tables with commits that the ledger does not know, each with the last it knows. Listings only."""
    pairs = [(table, known_versions.get(table.key, -1)) for table in tables]
    return [(table, last) for table, last in pairs if (current_version(spark, table.path) or 0) > last]


def find_unrecorded(
    spark: SparkSession,
    tables: Iterable[TableAddress],
    *,
    known_versions: Mapping[str, int],
    living: frozenset[str],
) -> RecoveryResult:
    """Reads the histories of tables that are ahead; commits of `living` runs are theirs to write down."""
    slices: list[tuple[str, SliceRecord]] = []
    others: list[StepRecord] = []
    for table, last in tables_ahead(spark, tables, known_versions):
        commits = [commit for commit in reversed(history(spark, table.path)) if commit.version > last]
        ours, strange = _told(table, commits, living)
        slices += ours
        others += strange
    return RecoveryResult(slices=tuple(slices), others=tuple(others))


def recovered_rows(mended: RecoveryResult, runs: Sequence[RunState], at: datetime) -> list[dict[str, Any]]:
    """The ledger's rows for what was found; runs it never heard of are written down as rebuilt."""
    names = {run.run_id: run.name for run in runs}
    unheard = sorted({run_id for run_id, _ in mended.slices} - set(names))
    ends = [(run_id, names[run_id], "killed") for run_id in mended.killed_runs]
    ends += [(run_id, "", "rebuilt") for run_id in unheard]
    return [
        *(slice_row(run_id, at, piece) for run_id, piece in mended.slices),
        *(step_row("", at, step) for step in mended.others),
        *(ended_row(run_id, at, name=name, status=end, detail={"mended": True}) for run_id, name, end in ends),
    ]


def _told(
    table: TableAddress, commits: Sequence[Commit], living: frozenset[str]
) -> tuple[list[tuple[str, SliceRecord]], list[StepRecord]]:
    """Oldest first. What somebody else changed makes every slice before it unknown."""
    slices: list[tuple[str, SliceRecord]] = []
    others: list[StepRecord] = []
    for commit in commits:
        note = CommitNote.from_json(commit.user_metadata)
        if note is None:
            status = UPKEEP if commit.operation in _KEEPS_ROWS else FOREIGN
            others.append(StepRecord(table.key, status, table_version=commit.version))
            slices = slices if status == UPKEEP else []
        elif note.run_id not in living:
            slices += [(note.run_id, piece) for piece in SliceRecord.from_note(table.key, commit.version, note)]
    return slices, others
