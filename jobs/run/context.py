"""What every job is given: a session, a warehouse, definitions, where sources lie, a clock and a listener."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol, Self

from pyspark.sql import SparkSession

from definitions.durations import instant_text, to_us
from definitions.registry import Registry
from jobs.run.outcome import StepOutcome
from jobs.run.published import PublishedState
from jobs.run.request import new_run_id
from lakehouse.files.location import Location
from lakehouse.leases.leases import Lease
from lakehouse.tables import Warehouse
from quality import RowRule


class Listener(Protocol):
    """Receives what a run does, as it does it; the terminal and the JSON log are listeners.

    Steps run side by side, so methods are called from several threads. `in_run` gives the listener for the events of
    one run; parent: the run that started it, empty for a command. planned: every table of a run, with its share of the
    work in bytes to read. progress: what a step has done of all that it will do, e.g. 40 of 100 rows.
    """

    def in_run(self, run_id: str, *, parent: str) -> "Listener": ...
    def planned(self, weights: Mapping[str, int]) -> None: ...
    def begun(self, table: str) -> None: ...
    def phase(self, table: str, doing: str) -> None: ...
    def progress(self, table: str, done: int, total: int, unit: str) -> None: ...
    def ended(self, outcome: StepOutcome) -> None: ...
    def idle(self, table: str) -> None: ...
    def note(self, text: str) -> None: ...


@dataclass(frozen=True)
class SilentListener:
    def in_run(self, run_id: str, *, parent: str) -> Self:
        return self

    def planned(self, weights: Mapping[str, int]) -> None: ...
    def begun(self, table: str) -> None: ...
    def phase(self, table: str, doing: str) -> None: ...
    def progress(self, table: str, done: int, total: int, unit: str) -> None: ...
    def ended(self, outcome: StepOutcome) -> None: ...
    def idle(self, table: str) -> None: ...
    def note(self, text: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Options:
    """How runs work; every one of them is a setting in conf/ (see docs/configuration.md)."""

    workers: int = 3
    facts_per_task: int = 400_000
    data_may_lag: str = "1d"
    row_rule: RowRule = field(default_factory=RowRule)
    is_live: bool = False


@dataclass(frozen=True, kw_only=True)
class Context:
    """One warehouse with its definitions, opened; what a notebook or a command works in.

    run_id: of the run that it is used by; empty outside of runs.
    """

    spark: SparkSession
    warehouse: Warehouse
    registry: Registry
    locations: Mapping[str, Location] = field(default_factory=dict)
    options: Options = Options()
    listener: Listener = SilentListener()
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    run_id: str = ""

    def in_run(self, run_id: str) -> "Context":
        """The same for one run: what it reports carries that id, and this context's run as the parent."""
        return replace(self, run_id=run_id, listener=self.listener.in_run(run_id, parent=self.run_id))

    def new_run_id(self) -> str:
        return new_run_id(self.clock())

    def now_text(self) -> str:
        """This second, as manifests and certificates write it."""
        return instant_text(to_us(self.clock().replace(microsecond=0)))


@dataclass(frozen=True, kw_only=True)
class Job:
    """A context inside one run: the leases it holds, and what is known to be published (grows as steps end)."""

    context: Context
    run_id: str
    leases: Mapping[str, Lease]
    published: PublishedState
