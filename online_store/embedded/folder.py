"""The embedded store's folder, and what makes it safe to read at every moment.

CURRENT                        one line: the id of the snapshot that is read; replaced by an atomic rename
snapshots/<id>/records.bin     the records (`records_file`); never changed once it is here. In format 1: data.mdb
snapshots/<id>/snapshot.json   format, description, and what records.bin must be: its size, and per view where it lies,
                               a count and a sum; then a checksum of all this
snapshots/.draft-…             what an export is writing; a killed export's draft stays until the next export ends
.lock                          held by the export that is writing; its line is the process id
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from online_store.errors import NothingExported, StoreDamaged, StoreOfAnotherVersion
from online_store.snapshot import FORMAT, SnapshotDescription

RECORDS_FILES = {1: "data.mdb", FORMAT: "records.bin"}
"""Of each format that can be read; the last is written."""
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z+.-]*")
EXPORT_AGAIN = "Export it again (`ziggurat export`): that replaces it."


@dataclass(frozen=True)
class SnapshotFile:
    """The content of a snapshot.json. records: by view its count and sum, and where its section lies."""

    description: SnapshotDescription
    bytes: int
    records: dict[str, dict[str, Any]]
    format: int = FORMAT

    def to_json(self) -> str:
        fields = {"bytes": self.bytes, "records": self.records, "description": self.description.to_fields()}
        whole = {"format": self.format, **fields}
        return json.dumps({**whole, "checksum": _checksum(whole)}, indent=1, ensure_ascii=False)


@dataclass(frozen=True)
class StoreFolder:
    root: Path

    @property
    def snapshots(self) -> Path:
        return self.root / "snapshots"

    @property
    def pointer(self) -> Path:
        return self.root / "CURRENT"

    def current(self) -> Path:
        """The folder of the snapshot that CURRENT names. Raises NothingExported, StoreDamaged."""
        try:
            line = self.pointer.read_text("utf-8")
        except FileNotFoundError:
            raise NothingExported(
                f"'{self.root}' holds no snapshot; export one first, e.g. `ziggurat export --as-of 2017-11-30`."
            ) from None
        except UnicodeDecodeError:
            line = ""
        if not line.endswith("\n") or not _ID.fullmatch(line[:-1]):
            raise StoreDamaged(f"'{self.pointer}' does not hold the name of a snapshot. {EXPORT_AGAIN}")
        return self.snapshots / line[:-1]

    def point_at(self, snapshot_id: str) -> None:
        write_durably(self.pointer.with_name(".CURRENT.new"), f"{snapshot_id}\n")
        self.pointer.with_name(".CURRENT.new").replace(self.pointer)
        sync_to_disk(self.root)

    def discard(self, snapshot: Path) -> None:
        """Removes a snapshot: first one rename, then its files. Killed in between, it leaves a draft."""
        removed = self.snapshots / f".draft-doomed-{snapshot.name}"
        shutil.rmtree(removed, ignore_errors=True)
        snapshot.rename(removed)
        shutil.rmtree(removed)


def read_snapshot_file(snapshot: Path) -> SnapshotFile:
    """The content of its snapshot.json.

    Raises StoreDamaged, StoreOfAnotherVersion; FileNotFoundError without a folder.
    """
    path = snapshot / "snapshot.json"
    try:
        fields = json.loads(path.read_text("utf-8"))
        if (version := fields["format"]) not in RECORDS_FILES:
            raise StoreOfAnotherVersion(
                f"'{path}' is of format {version}, and this version of ziggurat reads format 1 or {FORMAT}: read it "
                "with the version that wrote it, or export it again with this one.",
                is_newer=not isinstance(version, int) or version > FORMAT,
            )
        if version == FORMAT and fields.pop("checksum") != _checksum(fields):
            raise StoreDamaged(f"'{path}' is not what an export wrote (its checksum differs). {EXPORT_AGAIN}")
        description = SnapshotDescription.from_fields(fields["description"])
        return SnapshotFile(description, fields["bytes"], dict(fields["records"]), version)
    except FileNotFoundError:
        if not snapshot.is_dir():
            raise
        raise StoreDamaged(f"'{path}' is missing. {EXPORT_AGAIN}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as broken:
        raise StoreDamaged(f"'{path}' is not what an export wrote ({broken!r}). {EXPORT_AGAIN}") from None


def _checksum(fields: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def write_durably(path: Path, text: str) -> None:
    """Writes a file that is on the disk when this returns."""
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def sync_to_disk(path: Path) -> None:
    """A file's content, or a folder's list of names."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
