"""The shipped pyramid on the real year of baskets, built once for all tests that ask for it."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from deltalake import DeltaTable

from definitions.durations import instant_us
from definitions.registry import key_of
from jobs.build.job import build
from jobs.run.outcome import RunOutcome
from jobs.run.request import Request
from tests.e2e.oracle.recompute import EARLY, EDGES, INSTANT, LATE, Oracle
from tests.support.run_once import built_once, copied
from ziggurat.cli.demo.data import TABLES, fetch_demo_data
from ziggurat.workspace import Workspace
from ziggurat.workspace import open as open_workspace


@dataclass(frozen=True)
class Groceries:
    """The delivered files, and what three runs made of them: a backfill, a list of instants, and a backfill again."""

    sources: Path
    workspace: Workspace
    runs: tuple[RunOutcome, ...]
    _read: dict[str, pa.Table] = field(default_factory=dict)

    @property
    def warehouse(self) -> Path:
        return Path(self.workspace.context.warehouse.root)

    def table(self, name: str) -> DeltaTable:
        """A published table as the other Delta implementation sees it, without Spark."""
        return DeltaTable(self.warehouse / key_of(self.workspace.definition(name)))

    def snapshot(self, view: str, as_of: str) -> pa.Table:
        """A view's rows of one instant, read without Spark."""
        if view not in self._read:
            self._read[view] = self.table(view).to_pyarrow_table()
        at = pa.scalar(instant_us(as_of), pa.int64()).cast(INSTANT)
        return self._read[view].filter(pc.equal(self._read[view]["event_time"], at))

    def versions(self) -> Mapping[str, int]:
        """Every Delta table of the warehouse, whatever it is for, with its newest version."""
        logs = sorted(self.warehouse.rglob("_delta_log"))
        return {str(log.parent.relative_to(self.warehouse)): DeltaTable(log.parent).version() for log in logs}


def opened(sources: Path, warehouse: Path, definitions: str = "") -> Workspace:
    """The real data's workspace, in the session of the tests."""
    paths = [f"sources.{name}.path={sources / name}.parquet" for name in TABLES]
    return open_workspace(warehouse=str(warehouse), definitions=definitions, overrides=paths)


@pytest.fixture(scope="session")
def pyramid(spark_session, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[RunOutcome, ...]]:
    """The delivered files and a warehouse with seven as-ofs of the whole shipped pyramid, built once in a run.

    No test writes here: each module gets a copy, `groceries`.
    """

    def build_pyramid(home: Path) -> tuple[RunOutcome, ...]:
        workspace = opened(fetch_demo_data(home / "delivered files"), home / "ware house")
        edges = Request(command="build of three instants", as_ofs_us=tuple(map(instant_us, EDGES)))
        runs = (
            workspace.backfill(*EARLY, every="113d"),
            build(workspace.context, edges),
            workspace.backfill(*LATE, every=f"{(instant_us(LATE[1]) - instant_us(LATE[0])) // 1_000_000}s"),
        )
        for run in runs:
            if run.error is not None:
                raise run.error
        return runs

    return built_once(tmp_path_factory, "grocery chain", build_pyramid)


@pytest.fixture(scope="module")
def groceries(
    pyramid: tuple[Path, tuple[RunOutcome, ...]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Groceries]:
    """The shipped pyramid in a warehouse of the module's own, in a folder with a space in its path."""
    home, runs = pyramid
    warehouse = copied(home / "ware house", tmp_path_factory.mktemp("grocery chain") / "ware house")
    yield Groceries(home / "delivered files", opened(home / "delivered files", warehouse), runs)
    shutil.rmtree(warehouse)


@pytest.fixture(scope="session")
def oracle(pyramid: tuple[Path, tuple[RunOutcome, ...]]) -> Iterator[Oracle]:
    recomputation = Oracle(pyramid[0] / "delivered files")
    yield recomputation
    recomputation.duckdb.close()
