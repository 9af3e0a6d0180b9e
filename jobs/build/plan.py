"""A plan: what a run has to do for each table and why, as a value that a build executes and `ziggurat plan` prints."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from definitions.durations import instant_us
from definitions.errors import ZigguratError
from definitions.registry import Registry
from jobs.build.statistics.questions import RowStatistics
from jobs.run.published import PublishedState
from lakehouse.files.listing import FilesOf, VersionOf, files_here
from lakehouse.files.location import Location
from lakehouse.table_state import TableState


class Action(StrEnum):
    """What a step has to do. UNDECIDED: it depends on a step that has not ended, or on rows that Spark has to read."""

    INGEST = "ingest"
    DERIVE = "derive"
    BUILD = "build"
    NOTHING = "nothing"
    UNDECIDED = "undecided"
    BLOCKED = "blocked"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class PlannedStep:
    """One table's part of a run.

    slices: of a source its delivery's fingerprint, of a derived view the first days of partitions, else as-ofs.
    partitions: the dates (`event_date`) to write. inputs: the tables to read, at which version. rows and bytes to
    read: None where that is not known. slice_rows: facts per slice, where they were counted. state: what the commit
    will state of the table; state_if_partial: the same when some slices fail their gate. remark: which as-ofs are
    left out because they failed in a view that this one reads. error: why it is refused.
    """

    table: str
    action: Action
    reason: str
    slices: tuple[str, ...] = ()
    partitions: tuple[str, ...] = ()
    inputs: Mapping[str, int] = field(default_factory=dict)
    rows: int | None = None
    bytes: int | None = None
    slice_rows: Mapping[int, int] = field(default_factory=dict)
    state: TableState = field(default_factory=TableState)
    state_if_partial: TableState | None = None
    remark: str = ""
    error: ZigguratError | None = None

    @property
    def slices_us(self) -> tuple[int, ...]:
        """The slices of a view as instants."""
        return tuple(instant_us(name) for name in self.slices)

    @property
    def is_work(self) -> bool:
        return self.action in (Action.INGEST, Action.DERIVE, Action.BUILD)

    def to_json(self) -> dict[str, Any]:
        return {
            "table": self.table,
            "action": str(self.action),
            "reason": self.reason,
            "slices": list(self.slices),
            "partitions": list(self.partitions),
            "inputs": dict(self.inputs),
            "rows": self.rows,
            "bytes": self.bytes,
        }


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All steps of a request, each after what it reads. notes: what a build would do first, in words."""

    command: str
    as_of: tuple[str, ...]
    steps: tuple[PlannedStep, ...]
    notes: tuple[str, ...] = ()

    def count(self, *actions: Action) -> int:
        return sum(step.action in actions for step in self.steps)

    @property
    def rows(self) -> int:
        return sum(step.rows or 0 for step in self.steps if step.is_work)

    @property
    def bytes(self) -> int:
        return sum(step.bytes or 0 for step in self.steps if step.is_work)

    def to_json(self) -> dict[str, Any]:
        return {
            "command": self.command,
            "as_of": list(self.as_of),
            "steps": [step.to_json() for step in self.steps],
            "notes": list(self.notes),
            "rows": self.rows,
            "bytes": self.bytes,
        }


@dataclass(frozen=True, kw_only=True)
class PlanState:
    """What a plan is made from: definitions, deliveries, what is published, and questions to the rows.

    version_of: the newest version of a Delta table by its path. files_of: all files below a path. data_may_lag: how
    far an as-of may lie beyond the data.
    """

    registry: Registry
    locations: Mapping[str, Location]
    published: PublishedState
    statistics: RowStatistics
    version_of: VersionOf
    data_may_lag: str
    files_of: FilesOf = files_here


@dataclass(frozen=True, kw_only=True)
class UpstreamEnd:
    """How a step that others read has ended, or is planned to. failure: in words, empty where it did not fail.

    failed_slices: as-ofs (µs) that failed; is_partly_usable: the other as-ofs may be read all the same.
    """

    is_settled: bool = True
    failure: str = ""
    failed_slices: frozenset[int] = frozenset()
    is_partly_usable: bool = False
