"""Parquet files grouped by the types of the columns that are read, so that each group is one scan of Spark."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from definitions.errors import SourceSchemaError
from lakehouse.files.folders import folder_problem
from lakehouse.files.parquet_footers import INT96, LOCAL_NANOSECONDS, NANOSECONDS, NULLS, PLAIN, Footer
from lakehouse.files.records import FOLDER_TEXT

_MEANT = {INT96: "timestamp", NANOSECONDS: "timestamp", LOCAL_NANOSECONDS: "timestamp_ntz"}
_STORED = {INT96: "timestamp", NANOSECONDS: "bigint", LOCAL_NANOSECONDS: "bigint"}
_HIDDEN_BY_SPARK = "_metadata"


@dataclass(frozen=True)
class Group:
    """Files in which the columns that are read have the same types.

    needed: the columns that are read, in order, with their types; a name that none of these files has is missing.
    others: those that are kept for the quarantine alone. is_copied: Spark can't read the files as they are.
    """

    footers: tuple[Footer, ...]
    needed: dict[str, str]
    others: dict[str, str]
    is_copied: bool
    is_empty: bool

    @property
    def columns(self) -> dict[str, str]:
        """All columns with their types in the files, those that are needed first."""
        return self.needed | self.others

    @property
    def path(self) -> str:
        """The first file, for messages."""
        return self.footers[0].file.shown


def groups(source: str, footers: Sequence[Footer], columns: Sequence[str] | None, nanos: frozenset[str]) -> list[Group]:
    """The groups, in the order of their first files. columns: None for all that a file has.

    nanos: the paths of files with INT96 that is finer than a microsecond. Raises SourceSchemaError for a file in which
    a column that is read occurs twice.
    """
    members: dict[tuple[tuple[tuple[str, str, str], ...], bool, bool], list[Footer]] = defaultdict(list)
    for footer in footers:
        needed = _needed(source, footer, columns)
        is_copied = _is_copied(footer, needed, nanos)
        read = tuple((name, t if is_copied else stored(t), meant(t)) for name, t in needed.items())
        members[read, is_copied, footer.rows == 0].append(footer)
    return [
        _group(found, _needed(source, found[0], columns), is_copied=is_copied, is_empty=is_empty)
        for (_, is_copied, is_empty), found in members.items()
    ]


def is_plain(type_: str) -> bool:
    """Whether Spark reads values of this type as they are."""
    return re.split("[(<]", type_)[0] in PLAIN


def is_read(type_: str) -> bool:
    """Whether values of this type can be read; what holds nothing but nulls is not looked at."""
    return type_ != NULLS and (is_plain(type_) or type_ in _MEANT)


def meant(type_: str) -> str:
    """The type of a column once it is read."""
    return _MEANT.get(type_, type_)


def stored(type_: str) -> str:
    """The type by which Spark reads a column: nanoseconds as their number."""
    return _STORED.get(type_, type_)


def _needed(source: str, footer: Footer, columns: Sequence[str] | None) -> dict[str, str]:
    names = [name for name in (footer.types if columns is None else columns) if name in footer.types]
    if twice := sorted(footer.repeated.intersection(names)):
        raise SourceSchemaError(
            f"source '{source}': {footer.file.shown} has two columns called '{twice[0]}'; rename one of them."
        )
    in_folders = [name for name in footer.folders if columns is None or name in columns]
    if both := [name for name in in_folders if name in footer.types]:
        raise SourceSchemaError(
            f"source '{source}': {footer.file.shown} has a column '{both[0]}', which the name of its folder has, too; "
            "deliver one of them."
        )
    if problem := folder_problem(footer.file.relative, in_folders):
        raise SourceSchemaError(f"source '{source}': {footer.file.shown} {problem}.")
    return {name: footer.types[name] for name in names} | dict.fromkeys(in_folders, FOLDER_TEXT)


def _is_copied(footer: Footer, needed: dict[str, str], nanos: frozenset[str]) -> bool:
    low = [name.lower() for name in footer.types]
    # Spark finds columns in any case, and has a hidden one of its own.
    clash = any(name.lower() == _HIDDEN_BY_SPARK or low.count(name.lower()) > 1 for name in needed)
    # Hadoop takes what precedes a colon in the name of a file or folder for a scheme, where it has to list them.
    has_scheme = ":" in (footer.file.relative or footer.file.path.rpartition("/")[2])
    return clash or has_scheme or footer.file.path in nanos


def _group(footers: Sequence[Footer], needed: dict[str, str], *, is_copied: bool, is_empty: bool) -> Group:
    """Undeclared columns stay if Spark can read them all alike: under one name in any case, and with one type."""
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for footer in footers:
        for name, type_ in footer.types.items():
            found[name.lower()].add((name, type_))
        for name in footer.repeated:
            found[name.lower()].add((name, "repeated"))
    alone = [next(iter(same)) for same in found.values() if len(same) == 1]
    others = {name: type_ for name, type_ in alone if is_read(type_) and name.lower() != _HIDDEN_BY_SPARK}
    return Group(tuple(footers), needed, {n: t for n, t in others.items() if n not in needed}, is_copied, is_empty)
