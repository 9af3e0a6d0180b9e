"""The starter project in a folder of a test: written, built, broken and mended through the product's own verbs.

Commands run in this process, on the session of the tests; tables are read by Delta's other implementation.
"""

import contextlib
import importlib
import io
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable

from definitions.durations import instant_us
from jobs.build.job import build
from jobs.run.context import Listener, SilentListener
from jobs.run.outcome import RunOutcome
from jobs.run.request import Request
from kernels.content_hash import combine, partial_sums
from lakehouse.tables import Warehouse
from tests.support.commands import Said
from ziggurat.cli.main import main
from ziggurat.cli.starter_project import package_name, write_starter
from ziggurat.workspace import open as open_workspace

FIRST, SECOND = "2024-06-01", "2024-06-08"
PROJECT_ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Bikes:
    """A starter project. Give each its own folder name: the definitions' package is called after it."""

    folder: Path

    @classmethod
    def written(cls, folder: Path) -> "Bikes":
        write_starter(folder)
        return cls(folder)

    @property
    def package(self) -> str:
        return package_name(self.folder)

    @property
    def spring(self) -> Path:
        return self.folder / "data" / "rides" / "2024-spring.csv"

    @property
    def riders(self) -> Path:
        return self.folder / "data" / "riders.csv"

    def definition(self, path: str) -> Path:
        return self.folder / self.package / path

    def deliver_june(self) -> None:
        shutil.copy(self.folder / "data" / "later" / "2024-06.csv", self.folder / "data" / "rides")

    @contextlib.contextmanager
    def at_home(self) -> Iterator[None]:
        """In the project's folder, its definitions read afresh."""
        path = list(sys.path)
        for name in [n for n in sys.modules if n.split(".")[0] == self.package]:
            del sys.modules[name]
        for cached in self.folder.rglob("__pycache__"):
            shutil.rmtree(cached)
        importlib.invalidate_caches()
        sys.path.insert(0, str(self.folder))
        try:
            with contextlib.chdir(self.folder):
                yield
        finally:
            sys.path[:] = path

    def ziggurat(self, *words: str) -> Said:
        """A command as a user types it, with the project's conf file."""
        out, err = io.StringIO(), io.StringIO()
        code = 0
        with self.at_home(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main([*words, *([] if words[0] == "init" else ["--conf", "conf.yaml"])])
            except SystemExit as end:
                code = int(end.code or 0)
        return Said(code, out.getvalue(), err.getvalue())

    def built(self, as_of: str = FIRST, *more: str) -> Said:
        said = self.ziggurat("build", "--as-of", as_of, *more)
        assert said.code == 0, said.err + said.out
        return said

    def build_at(self, clock: datetime, *as_ofs: str, select: str = "", listener: Listener | None = None) -> RunOutcome:
        """A build whose wall clock stands still; one step after the other."""
        with self.at_home():
            workspace = open_workspace(conf="conf.yaml", overrides=["build.workers=1"])
            context = replace(workspace.context, clock=lambda: clock, listener=listener or SilentListener())
            request = Request(
                command=f"build --as-of {' '.join(as_ofs)}",
                as_ofs_us=tuple(map(instant_us, as_ofs)),
                select=(select,) if select else (),
            )
            return build(context, request)

    @contextlib.contextmanager
    def broken(self, file: Path, content: str | bytes | None) -> Iterator[None]:
        """A file with other content, or without it (None), put back afterwards as if nothing had been."""
        before, status = file.read_bytes(), file.stat()
        if content is None:
            file.unlink()
        else:
            file.write_bytes(content.encode() if isinstance(content, str) else content)
        try:
            yield
        finally:
            file.write_bytes(before)
            os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(str(self.folder / "warehouse"))

    def table(self, key: str, *, version: int | None = None) -> pa.Table:
        return pa.table(DeltaTable(f"{self.warehouse.root}/{key}", version=version).to_pyarrow_table())

    def snapshot(self, key: str, as_of: str) -> dict[str, dict[str, object]]:
        """The rows of one as-of by rider."""
        rows = [row for row in self.table(key).to_pylist() if f"{row['event_time']:%Y-%m-%d}" == as_of]
        return {row["rider_id"]: row for row in rows}

    def versions(self) -> dict[str, int]:
        """Every published table with its newest version."""
        return {t.key: DeltaTable(t.path).version() for t in self.warehouse.published_tables()}

    def histories(self) -> dict[str, list[str]]:
        """Every published table with the content hash of each of its versions: what any reader may ever have seen."""
        return {
            table: [content_hash(self.table(table, version=v)) for v in range(newest + 1)]
            for table, newest in self.versions().items()
        }

    def quarantined(self, source: str = "rides") -> list[tuple[str, str]]:
        """Reason and original of every row, sorted."""
        return sorted((row["reason"], row["original"]) for row in self.table(f"quarantine/{source}").to_pylist())

    def releases(self) -> list[tuple[object, ...]]:
        rows = sorted(self.table("releases").to_pylist(), key=lambda row: row["release_id"])
        return [(row["release_id"], row["views"], row["as_of"]) for row in rows]


def content_hash(table: pa.Table) -> str:
    """S34's hash of all rows and columns."""
    if not table.num_rows:
        return "empty"
    everything = table.append_column("_all", pa.array([0] * table.num_rows, pa.int64()))
    return combine(partial_sums(everything, slice_column="_all"))[0].hex
