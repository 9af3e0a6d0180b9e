"""Which files of a location are data: one rule for the fingerprint, the size and every reader."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass

from pyarrow import fs

from definitions.errors import SourceMissing
from lakehouse.files.location import Location
from lakehouse.tables import filesystem

DELTA_VERSION = "delta@"
VersionOf = Callable[[str], int | None]  # the newest version of the Delta table at a path


@dataclass(frozen=True)
class DataFile:
    """A file of a delivery. path: as its file system names it; relative: below the location, its name if that is it."""

    path: str
    relative: str
    size: int
    modified_ns: int


def data_files(source: str, location: Location) -> tuple[DataFile, ...]:
    """All data files, by path; none where the file system is one that only Spark knows. Raises SourceMissing.

    Names that begin with `_` or a dot are no data.
    """
    located = filesystem(location.path)
    if located is None:
        return ()
    system, inner = located
    files = [
        DataFile(info.path, _relative(info.path, inner), int(info.size or 0), int(info.mtime_ns or 0))
        for info in _found(system, inner)
        if info.type is fs.FileType.File and info.base_name[0] not in "_."
    ]
    if not files:
        raise missing(source, location)
    return tuple(sorted(files, key=lambda file: file.path))


def fingerprint(source: str, location: Location, *, version_of: VersionOf) -> str:
    """Changes when the delivered files do: names, sizes and times of change, or Delta's version. Reads no content."""
    if location.format == "delta":
        version = version_of(location.path)
        if version is None:
            raise missing(source, location)
        return f"{DELTA_VERSION}{version}"
    listing = "\n".join(f"{file.path} {file.size} {file.modified_ns}" for file in data_files(source, location))
    return hashlib.sha256(listing.encode()).hexdigest()[:16]


def unreadable(source: str, location: Location) -> str:
    """The first data file that this user may not read; empty where there is none, and away from a local disk."""
    located = filesystem(location.path)
    if location.format == "delta" or located is None or not isinstance(located[0], fs.LocalFileSystem):
        return ""
    files = data_files(source, location)
    return next((file.path for file in files if not os.access(file.path, os.R_OK, effective_ids=True)), "")


def size(location: Location) -> int:
    """Bytes delivered, 0 where that is not known; the largest source is read first."""
    located = filesystem(location.path)
    return sum(info.size or 0 for info in _found(*located)) if located is not None else 0


def missing(source: str, location: Location) -> SourceMissing:
    return SourceMissing(
        f"source '{source}': nothing lies at {location.path}. Put the {location.format} files there, or correct "
        f"sources.{source}.path in the configuration."
    )


def _found(system: fs.FileSystem, inner: str) -> list[fs.FileInfo]:
    top = system.get_file_info(inner)
    if top.type is fs.FileType.File:
        return [top]
    return list(system.get_file_info(fs.FileSelector(inner, recursive=True, allow_not_found=True)))


def _relative(path: str, inner: str) -> str:
    return path.removeprefix(inner.rstrip("/") + "/") if path != inner else path.rpartition("/")[2]
