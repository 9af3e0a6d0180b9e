"""What stands in the tables' own histories and not in the ledger: commits of killed runs, and commits not ours."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyspark.sql import SparkSession

from lakehouse.commit_log import Commit
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
from lakehouse.tables import TableAddress, current_version, history

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
    """Runs that were killed; slices published but not recorded, by run; commits that were not ours."""

    killed_runs: tuple[str, ...] = ()
    slices: tuple[tuple[str, SliceRecord], ...] = ()
    others: tuple[StepRecord, ...] = ()

    @property
    def foreign(self) -> tuple[str, ...]:
        """Tables with a commit that was not ours and changed rows: what they hold is not known."""
        return tuple(sorted({step.name for step in self.others if step.status == FOREIGN}))


def tables_ahead(
    spark: SparkSession, tables: Iterable[TableAddress], known_versions: Mapping[str, int]
) -> list[tuple[TableAddress, int]]:
    """Tables with commits that the ledger lacks, each with the last that it has. Listings only."""
    pairs = [(table, known_versions.get(table.key, -1)) for table in tables]
    return [(table, last) for table, last in pairs if (current_version(spark, table.path) or 0) > last]


def find_unrecorded(
    spark: SparkSession,
    tables: Iterable[TableAddress],
    *,
    known_versions: Mapping[str, int],
    running: frozenset[str],
) -> RecoveryResult:
    """Reads the histories of tables that are ahead. Runs that are `running` will record their commits themselves."""
    slices: list[tuple[str, SliceRecord]] = []
    others: list[StepRecord] = []
    for table, last in tables_ahead(spark, tables, known_versions):
        commits = [commit for commit in reversed(history(spark, table.path)) if commit.version > last]
        ours, foreign = records_of(table, commits, running)
        slices += ours
        others += foreign
    return RecoveryResult(slices=tuple(slices), others=tuple(others))


def recovered_rows(result: RecoveryResult, names: Mapping[str, str], at: datetime) -> list[dict[str, Any]]:
    """The ledger's rows for a recovery; names: of the runs by id. A run that is not among them ended as `rebuilt`."""
    unnamed = sorted({run_id for run_id, _ in result.slices} - set(names))
    ends = [(run_id, names[run_id], "killed") for run_id in result.killed_runs]
    ends += [(run_id, "", "rebuilt") for run_id in unnamed]
    return [
        *(slice_row(run_id, at, piece) for run_id, piece in result.slices),
        *(step_row("", at, step) for step in result.others),
        *(ended_row(run_id, at, name=name, status=end, detail={"recovered": True}) for run_id, name, end in ends),
    ]


def records_of(
    table: TableAddress, commits: Sequence[Commit], running: frozenset[str]
) -> tuple[list[tuple[str, SliceRecord]], list[StepRecord]]:
    """Our slices and the commits not ours; oldest first. After one that changed rows no slice before it is known."""
    slices: list[tuple[str, SliceRecord]] = []
    others: list[StepRecord] = []
    for commit in commits:
        note = CommitNote.from_json(commit.user_metadata)
        if note is None:
            status = UPKEEP if commit.operation in _KEEPS_ROWS else FOREIGN
            others.append(StepRecord(table.key, status, table_version=commit.version))
            slices = slices if status == UPKEEP else []
        elif note.run_id not in running:
            slices += [(note.run_id, piece) for piece in SliceRecord.from_note(table.key, commit.version, note)]
    return slices, others
