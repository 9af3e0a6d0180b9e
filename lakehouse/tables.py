"""Where each table lies, and how it is read: at a version, by its path.

`<root>/<layer>/<view>/v<N>` is a view's published table; `data_locations` names all that lies beside it.
"""

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from pyarrow import fs
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession

from lakehouse import data_locations as locations
from lakehouse.commit_log import Commit, commits_in
from lakehouse.storage_errors import StorageError, TableMissing, translated_read_errors, translated_storage_errors

_COMMIT_FILE = re.compile(r"^(\d{20})\.(?:json$|checkpoint\.)")
_MISSING = (
    "PATH_NOT_FOUND",
    "DELTA_TABLE_ONLY_OPERATION",
    "DELTA_VERSION_NOT_FOUND",
    "DELTA_MISSING_DELTA_TABLE",
    "DELTA_PATH_DOES_NOT_EXIST",
    "DELTA_TABLE_NOT_FOUND",
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class TableAddress:
    """`key` names the table inside its warehouse, wherever that was moved; `path` is where Spark finds it."""

    key: str
    path: str

    def __str__(self) -> str:
        return self.key


@dataclass(frozen=True)
class Warehouse:
    """One folder or bucket prefix; a relative folder is taken from the working directory, once."""

    root: str

    def __post_init__(self) -> None:
        root = self.root.rstrip("/") or "/"
        object.__setattr__(self, "root", root if _scheme(root) else str(Path(root).absolute()))

    def table(self, layer: str, name: str, version: int) -> TableAddress:
        published = next(location for location in locations.LAYERS if location.name == layer)
        return self.address(published.path(view=name, version=version))

    def address(self, key: str) -> TableAddress:
        return TableAddress(key, f"{self.root}/{key}")

    def staging_of(self, run_id: str) -> str:
        return f"{self.root}/{locations.STAGING.path(run=run_id)}"

    def staging(self, run_id: str, view: str) -> str:
        return f"{self.staging_of(run_id)}/{view}"

    def quarantine(self, source: str) -> TableAddress:
        return self.address(locations.QUARANTINE.path(source=source))

    def training_set(self, name: str) -> TableAddress:
        """The folder of a training set: its tables, manifests and pages lie in it."""
        return self.address(f"training_sets/{name}")

    def spine(self, label: str) -> TableAddress:
        return self.address(locations.SPINES.path(label=label))

    def layout(self, view: str, entity: str) -> TableAddress:
        return self.address(locations.LAYOUTS.path(view=view, entity=entity))

    @property
    def profiles(self) -> TableAddress:
        return self.address(locations.PROFILES.path())

    @property
    def reports(self) -> str:
        return f"{self.root}/{locations.REPORTS.path()}"

    @property
    def runs(self) -> TableAddress:
        return self.address(locations.RUNS.path())

    @property
    def releases(self) -> TableAddress:
        return self.address(locations.RELEASES.path())

    @property
    def leases(self) -> str:
        return f"{self.root}/{locations.LEASES.path()}"

    def published_tables(self) -> tuple[TableAddress, ...]:
        """Every view table that exists here, by a listing of folders; no Spark."""
        tables = []
        for layer in locations.LAYERS:
            for view in names_in(f"{self.root}/{layer.name}"):
                versions = [n for n in names_in(f"{self.root}/{layer.name}/{view}") if re.fullmatch(r"v\d+", n)]
                tables += [self.table(layer.name, view, int(version[1:])) for version in versions]
        return tuple(table for table in sorted(tables, key=str) if commit_versions(table.path))


def exists(spark: SparkSession, path: str) -> bool:
    """True when a Delta table lies at `path`. One listing; a Spark job only where pyarrow knows no way."""
    return current_version(spark, path) is not None


def current_version(spark: SparkSession, path: str) -> int | None:
    """The newest committed version, or None where there is no table. Cost as `exists`."""
    if filesystem(path) is None:
        newest = history(spark, path, limit=1)
        return newest[0].version if newest else None
    return max(commit_versions(path), default=None)


def read(spark: SparkSession, path: str, *, version: int | None = None) -> DataFrame:
    """The table's rows at `version`, or at the newest. Raises TableMissing for either that isn't there."""
    reader = spark.read.format("delta")
    if version is not None:
        reader = reader.option("versionAsOf", str(version))
    try:
        frame = reader.load(path)
        _ = frame.schema  # read now: Spark Connect would raise only at the first action
    except AnalysisException as error:
        if _is_missing(error):
            at = "" if version is None else f" at version {version}"
            raise TableMissing(
                f"There is no table {path}{at}. Build it first (`ziggurat build`), "
                f"or check the warehouse in the configuration (`ziggurat doctor`)."
            ) from error
        raise
    return frame


def history(spark: SparkSession, path: str, *, limit: int | None = None) -> Sequence[Commit]:
    """Commits, newest first; none where there is no table. On a local disk without Spark, else one small job."""
    located = filesystem(path)
    if limit is not None and located is not None and isinstance(located[0], fs.LocalFileSystem):
        newest = sorted(set(commit_versions(path)), reverse=True)[:limit]
        commits = commits_in(located[0], f"{located[1]}/_delta_log", newest)
        if commits is not None:
            return commits
    return _history_by_spark(spark, path, limit=limit)


def _history_by_spark(spark: SparkSession, path: str, *, limit: int | None) -> Sequence[Commit]:
    bound = f" LIMIT {int(limit)}" if limit is not None else ""
    try:
        rows = (
            spark.sql(f"DESCRIBE HISTORY {sql_name(path)}{bound}")
            .selectExpr(
                "version",
                "unix_micros(timestamp) as micros",  # collected timestamps would come in this machine's zone
                "operation",
                "userMetadata as note",
                # a partly replaced file counts its surviving rows as output, too
                "cast(operationMetrics['numOutputRows'] as bigint)"
                " - coalesce(cast(operationMetrics['numCopiedRows'] as bigint), 0) as rows_written",
            )
            .collect()
        )
    except AnalysisException as error:
        if _is_missing(error):
            return ()
        raise
    return tuple(
        Commit(
            r["version"],
            _EPOCH + timedelta(microseconds=r["micros"]),
            r["operation"],
            r["note"],
            r["rows_written"],
        )
        for r in rows
    )


def sql_name(path: str) -> str:
    """The table at `path` as SQL text; any character is safe in it."""
    return f"delta.`{path.replace('`', '``')}`"


def move_away(path: str) -> str | None:
    """Renames a folder to `<path>.unreadable-<instant>`; returns its new path, None where nothing lay there."""
    located = filesystem(path)
    if located is None or not names_in(path):
        return None
    system, inner = located
    kept = f"{inner}.unreadable-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    system.create_dir(kept)
    fs.copy_files(inner, kept, source_filesystem=system, destination_filesystem=system)
    system.delete_dir(inner)
    return kept


def remove(path: str) -> None:
    """Deletes a folder and all in it, if it is there. For a run's own staging."""
    located = filesystem(path)
    if located is not None and located[0].get_file_info(located[1]).type is fs.FileType.Directory:
        located[0].delete_dir(located[1])


def place_file(draft: Path, path: str) -> str:
    """Copies a finished file to `path`, locally or in a bucket; readers never see a part of it."""
    located = filesystem(path)
    if located is None:
        raise StorageError(
            f"Could not write {path}: no file system for its scheme is known. Use a folder or an S3 prefix."
        )
    system, inner = located
    with translated_storage_errors(path):
        system.create_dir(inner.rpartition("/")[0])
        fs.copy_files(
            str(draft), f"{inner}.draft", source_filesystem=fs.LocalFileSystem(), destination_filesystem=system
        )
        system.move(f"{inner}.draft", inner)
    return path


def place_text(text: str, path: str) -> str:
    """Writes a small text to `path` as `place_file` does."""
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "draft"
        draft.write_text(text, "utf-8")
        return place_file(draft, path)


def read_text(path: str) -> str | None:
    """A small file's whole text, locally or in a bucket; None where there is none."""
    located = filesystem(path)
    if located is None or located[0].get_file_info(located[1]).type is not fs.FileType.File:
        return None
    with translated_read_errors(path), located[0].open_input_stream(located[1]) as stream:
        return str(stream.read().decode("utf-8"))


def names_in(folder: str) -> list[str]:
    """What a folder holds, sorted; empty where there is none."""
    return sorted(entry.base_name for entry in _entries(folder))


def _entries(folder: str) -> list[fs.FileInfo]:
    located = filesystem(folder)
    if located is None:
        return []
    system, inner = located
    with translated_read_errors(folder):
        return list(system.get_file_info(fs.FileSelector(inner, allow_not_found=True)))


def _is_missing(error: AnalysisException) -> bool:
    return any(sign in str(error) for sign in _MISSING)


def commit_versions(path: str) -> list[int]:
    """The versions that a table's log names, in no order; none where there is no table. One listing, no Spark.

    Raises StorageError for a commit that is empty: what it changed is lost.
    """
    commits = [(match, entry) for entry in _entries(f"{path}/_delta_log") if (match := _matched(entry))]
    if empty := sorted(entry.path for _, entry in commits if entry.size == 0):
        raise StorageError(
            f"{empty[0]} is empty, so it is not known what the table {path} holds. Put the file back from a copy, or "
            "move the table's folder away and build it again."
        )
    return [int(match[1]) for match, _ in commits]


def _matched(entry: fs.FileInfo) -> re.Match[str] | None:
    return _COMMIT_FILE.match(entry.base_name)


def _scheme(path: str) -> str:
    match = re.match(r"^([a-z][a-z0-9+.-]+):/", path)
    return match[1] if match else ""


def filesystem(path: str) -> tuple[fs.FileSystem, str] | None:
    """Pyarrow's view of a path, or None for schemes that only Spark's own file systems know."""
    scheme = _scheme(path)
    if scheme in ("", "file"):
        return fs.LocalFileSystem(), re.sub(r"^file:/+", "/", path)
    if scheme in ("s3", "s3a", "s3n"):
        bucket = urlsplit(path).netloc
        return _bucket(bucket), path.split("://", 1)[1]
    return None


def known_filesystem(path: str) -> tuple[fs.FileSystem, str]:
    """The same for a folder that is written to. Raises StorageError where pyarrow knows no way there."""
    located = filesystem(path)
    if located is None:
        raise StorageError(
            f"{path} can't be written to: pyarrow knows no file system for its scheme. Use a disk or S3."
        )
    return located


def local_folder(path: str) -> Path | None:
    """The folder on a local disk, None for all other file systems. Asks no network."""
    return Path(re.sub(r"^file:/+", "/", path)) if _scheme(path) in ("", "file") else None


@lru_cache
def _bucket(name: str) -> fs.FileSystem:
    try:
        return fs.FileSystem.from_uri(f"s3://{name}")[0]
    except OSError as error:
        why = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise StorageError(
            f"The bucket s3://{name} can't be reached ({why}). Check its name, the right to read it, and the network."
        ) from error
