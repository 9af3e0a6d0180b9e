"""What of the table versions that manifests name can no longer be read: the table, its log, or some of its files."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from pyarrow import fs

from jobs.training_set.manifest import Manifest, data_key
from jobs.training_set.manifest_files import every_manifest
from lakehouse.reader import DeltaReader, NeedsSpark
from lakehouse.storage_errors import TableMissing
from lakehouse.tables import Warehouse, filesystem

MENTIONED = 3  # lost files that a message names


@dataclass(frozen=True)
class Lost:
    """A table version that a manifest names, and what of it is gone, in words. is_rows: the training set's own rows."""

    called: str
    table: str
    version: int | None
    what: str
    is_rows: bool

    @property
    def text(self) -> str:
        return f"{self.table} can no longer be read at version {self.version}, which its manifest names: {self.what}"


@dataclass(frozen=True)
class NamedVersions:
    """Looks at versions of a warehouse's tables, at each once.

    by_spark: gives the data files of a version that can't be read without Spark, and raises TableMissing where there is
    no such version; None: such a version counts as lost.
    """

    warehouse: Warehouse
    by_spark: Callable[[str, int | None], Sequence[str]] | None = None
    reader: DeltaReader = field(default_factory=DeltaReader)
    seen: dict[tuple[str, int | None], str] = field(default_factory=dict)

    def lost(self, manifest: Manifest) -> Iterator[Lost]:
        """What is gone of the tables that it names, and of its own rows. Cost: a log and a look at each file."""
        rows = data_key(manifest.name)
        for table, version in [*manifest.tables.items(), (rows, manifest.data.version)]:
            if (table, version) not in self.seen:
                self.seen[table, version] = self._gone(self.warehouse.address(table).path, version)
            if what := self.seen[table, version]:
                yield Lost(manifest.called, table, version, what, is_rows=table == rows)

    def _gone(self, path: str, version: int | None) -> str:
        """Empty where all is there. Files that only Spark can look at count as there."""
        try:
            newest = self.reader.version(path)
            if newest is None:
                return "there is no table any more"
            at = newest if version is None else version
            if at > newest:
                return "its log no longer has that version"
            return _gone_files([file.path for file in self.reader.files(path, version=at)])
        except NeedsSpark:
            return self._gone_by_spark(path, version)

    def _gone_by_spark(self, path: str, version: int | None) -> str:
        if self.by_spark is None:
            return "its log no longer has that version, or is damaged"
        try:
            return _gone_files(self.by_spark(path, version))
        except TableMissing:
            return "its log no longer has that version"


def lost_versions(warehouse: Warehouse) -> tuple[int, list[Lost]]:
    """How many manifests there are, of all versions of all training sets, and what is lost of what they name.

    Starts no Spark.
    """
    looked_at, named = 0, NamedVersions(warehouse)
    lost: list[Lost] = []
    for manifest in every_manifest(warehouse):
        looked_at += 1
        lost += named.lost(manifest)
    return looked_at, lost


def _gone_files(names: Sequence[str]) -> str:
    located = [place for name in names if (place := filesystem(name)) is not None]
    if not located:
        return ""
    infos = located[0][0].get_file_info([path for _, path in located])
    gone = sorted(info.base_name for info in infos if info.type is fs.FileType.NotFound)
    if not gone:
        return ""
    more = f" and {len(gone) - MENTIONED:,} more" if len(gone) > MENTIONED else ""
    return f"{len(gone):,} of its {len(names):,} files are gone ({', '.join(gone[:MENTIONED])}{more})"
