"""Which files of a location are data: one rule for the fingerprint, the size and every reader.

A location that is a file is that file, whatever it is called. In a folder every file at any depth is data, but for
those that Spark and others write for themselves: names that begin with `_` or a dot (`_SUCCESS`, `.part-0.csv.crc`),
and all in folders of such names (`_spark_metadata/`). `pattern` chooses by name. A file that is left, and whose suffix
is of another kind, such as `README.md` among CSV files, is refused by name: neither read nor left out in silence.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from pyarrow import fs

from definitions.errors import SourceMissing, SourceUnreadable
from lakehouse.files.folders import undecodable_folder
from lakehouse.files.location import PATTERN, Location
from lakehouse.files.text_stream import COMPRESSIONS
from lakehouse.reader import NeedsSpark
from lakehouse.tables import filesystem, local_folder

DELTA_VERSION = "delta@"
VersionOf = Callable[[str], int | None]  # the newest version of the Delta table at a path
FilesOf = Callable[[str], "tuple[DataFile, ...]"]  # all files below a path, data or not
_SUFFIXES = {
    "csv": ("csv", "tsv", "psv", "txt", "dat", "tab"),
    "json": ("json", "jsonl", "ndjson", "txt", "log"),
    "parquet": ("parquet", "parq", "pq"),
}
_NAMED = {"parquet": ("parquet", "parq", "pq"), "csv": ("csv",), "json": ("json", "jsonl", "ndjson")}
# A suffix with a digit is part of a name: `events.2024-01-01`, `part-0.c000`; but for a few, and copies of editors.
_SUFFIX = re.compile(r"\.([a-z]+|7z|mp\d|md5|sha\d+|crc\d+)$|()~$")
_NOTES = re.compile(r"readme|licen[cs]e|notice|changelog|copying|manifest|makefile")
_GLOB = re.compile(r"[*?\[{]")


@dataclass(frozen=True)
class DataFile:
    """A file of a delivery. path: as its file system has it; shown: the same as users write it, below the location's.

    relative: the path below the location; empty where the location is the file. is_file: False for what can't be read
    as one: a link to nothing or to a folder above it, a pipe, a device, a name that is not UTF-8.
    """

    path: str
    shown: str
    relative: str
    size: int
    modified_ns: int
    is_file: bool = True


def files_here(path: str) -> tuple[DataFile, ...]:
    """All files below a path, or the one at it. Raises NeedsSpark where pyarrow does not know the file system."""
    located = filesystem(path)
    if located is None:
        raise NeedsSpark(f"no file system is known for {path}")
    found = [info for info in _found(*located) if info.type is not fs.FileType.Directory]
    return tuple(_data_file(info, path, located[1]) for info in found)


def data_files(source: str, location: Location, *, files_of: FilesOf = files_here) -> tuple[DataFile, ...]:
    """All data files, by path.

    Raises SourceMissing, SourceUnreadable for a file of another kind, and what `files_of` raises.
    """
    files = _delivered(location, files_of)
    if not files:
        raise missing(source, location)
    for file in files:
        if not file.is_file:
            raise SourceUnreadable(
                f"source '{source}': {file.shown} is no file that can be read: it is a link to nothing or to a folder "
                "above it, a pipe or a device, or its name is not UTF-8. Remove it, or put the file there."
            )
        if garbled := undecodable_folder(file.relative):
            raise SourceUnreadable(
                f"source '{source}': {file.shown} lies in the folder '{garbled}', which is not UTF-8 once it is "
                "decoded. Rename it; nothing was written."
            )
        if file.shown != location.path and not location.option(PATTERN) and (kind := _other_kind(file, location)):
            raise SourceUnreadable(
                f"source '{source}': {file.shown} is no {location.format} by its name ({kind}). Move it away, rename "
                f"it, or name the files that are delivered: options: {{{PATTERN}: '*.{location.format}'}}."
            )
    return files


def visible_names(path: str) -> list[str]:
    """The paths of the files below a folder that may be data, by their names alone; none where there is no folder."""
    files = _delivered(Location(path), files_here) if filesystem(path) is not None else ()
    return [file.relative for file in files if file.is_file]


def format_of(path: str) -> str:
    """The format that the suffix of a file's name stands for; empty where it stands for none, or for several."""
    stem = _stem(path.lower(), is_text=True)
    suffix = stem.rpartition(".")[2] if "." in stem else ""
    return next((format_ for format_, suffixes in _NAMED.items() if suffix in suffixes), "")


def fingerprint(source: str, location: Location, *, version_of: VersionOf, files_of: FilesOf = files_here) -> str:
    """Changes when the delivered files do: names, sizes and times of change, or Delta's version. Reads no content."""
    if location.format == "delta":
        version = version_of(location.path)
        if version is None:
            raise missing(source, location)
        return f"{DELTA_VERSION}{version}"
    files = _delivered(location, files_of)
    if not files:
        raise missing(source, location)
    listing = "\n".join(f"{file.path} {file.size} {file.modified_ns}" for file in files)
    return hashlib.sha256(listing.encode()).hexdigest()[:16]


def unreadable(source: str, location: Location) -> str:
    """The first data file that this user may not read; empty where there is none, and away from a local disk."""
    if location.format == "delta" or local_folder(location.path) is None:
        return ""
    files = data_files(source, location)
    return next((file.path for file in files if not os.access(file.path, os.R_OK, effective_ids=True)), "")


def size(location: Location, *, files_of: FilesOf = files_here) -> int:
    """Bytes delivered, 0 where that is not known; the largest source is read first."""
    if location.format == "delta":
        located = filesystem(location.path)
        return sum(int(info.size or 0) for info in _found(*located)) if located else 0
    return sum(file.size for file in _delivered(location, files_of))


def missing(source: str, location: Location) -> SourceMissing:
    pattern = location.option(PATTERN)
    what = f"no file below {location.path} matches '{pattern}'" if pattern else f"nothing lies at {location.path}"
    hint = " Patterns are given by an option: options: {pattern: '*.csv'}." if _GLOB.search(location.path) else ""
    return SourceMissing(
        f"source '{source}': {what}. Put the {location.format} files there, or correct "
        f"sources.{source}.path in the configuration.{hint}"
    )


def _delivered(location: Location, files_of: FilesOf) -> tuple[DataFile, ...]:
    pattern = location.option(PATTERN)
    kept = [f for f in files_of(location.path) if not _is_hidden(f) and (not pattern or _matches(f.relative, pattern))]
    return tuple(sorted(kept, key=lambda file: file.path))


def _found(system: fs.FileSystem, inner: str) -> list[fs.FileInfo]:
    top = system.get_file_info(inner)
    if top.type in (fs.FileType.File, fs.FileType.Unknown):
        return [top]
    if top.type is fs.FileType.Directory and isinstance(system, fs.LocalFileSystem):
        return list(_on_disk(inner.rstrip("/") or "/", ()))
    return list(system.get_file_info(fs.FileSelector(inner, recursive=True, allow_not_found=True)))


def _on_disk(folder: str, above: tuple[str, ...]) -> Iterator[fs.FileInfo]:
    """All that lies in a folder. Pyarrow passes over links to nothing, and follows one to a folder above forever."""
    above = (*above, os.path.realpath(folder))
    with os.scandir(folder) as entries:
        for entry in entries:
            path = f"{folder.rstrip('/')}/{entry.name}"
            if not _is_readable(entry):
                yield fs.FileInfo(path.encode("utf-8", "backslashreplace").decode(), fs.FileType.Unknown)
            elif entry.is_dir() and os.path.realpath(path) not in above:
                yield from _on_disk(path, above)
            elif entry.is_file():
                info = entry.stat()
                yield fs.FileInfo(path, fs.FileType.File, size=info.st_size, mtime_ns=info.st_mtime_ns)
            else:
                yield fs.FileInfo(path, fs.FileType.Unknown)


def _is_readable(entry: os.DirEntry[str]) -> bool:
    """Whether it has a name in UTF-8, and is no link to itself."""
    try:
        entry.name.encode()
        return entry.is_dir() or entry.is_file() or not entry.is_symlink()
    except (UnicodeEncodeError, OSError):
        return False


def _data_file(info: fs.FileInfo, path: str, inner: str) -> DataFile:
    relative = info.path[len(inner.rstrip("/")) + 1 :] if info.path != inner else ""
    shown = f"{path.rstrip('/')}/{relative}" if relative else path
    return DataFile(
        info.path, shown, relative, int(info.size or 0), int(info.mtime_ns or 0), info.type is fs.FileType.File
    )


def _is_hidden(file: DataFile) -> bool:
    names = file.relative.split("/") if file.relative else []
    return any(name[0] == "." or (name[0] == "_" and "=" not in name) for name in names)


def _matches(relative: str, pattern: str) -> bool:
    return not relative or fnmatchcase(relative if "/" in pattern else relative.rpartition("/")[2], pattern)


def _other_kind(file: DataFile, location: Location) -> str:
    name = file.relative.rpartition("/")[2].lower()
    stem = _stem(name, is_text=location.is_text)
    suffix = _SUFFIX.search(stem)
    if suffix is None or suffix[1] == "txt":
        return name if _NOTES.fullmatch(stem.partition(".")[0]) else ""
    return "" if suffix[1] in _SUFFIXES[location.format] else suffix[0]


def _stem(name: str, *, is_text: bool) -> str:
    """A name in lower case without the suffix of a compression, which only text has."""
    return next((name[: -len(end)] for end in COMPRESSIONS if is_text and name.endswith(end)), name)
