"""Columns that stand in the names of folders: `code=01001/region=caf%C3%A9/part.csv`, as Hive and Spark write them."""

from collections.abc import Collection, Iterator
from urllib.parse import unquote, unquote_to_bytes

NULL_FOLDER = "__HIVE_DEFAULT_PARTITION__"


def folder_columns(relative: str) -> dict[str, str | None]:
    """The text of each column in a file's path below its location, percent-decoded; nothing is guessed about types."""
    return {unquote(name): None if value == NULL_FOLDER else unquote(value) for name, value in named_folders(relative)}


def in_both(name: str) -> str:
    """Why a file can't be read that has a column which its folders have, too; after `it`."""
    return f"has a column '{name}', which the name of its folder has, too; leave one of them out"


def folder_problem(relative: str, columns: Collection[str]) -> str:
    """Why these columns can't be told from the names of a file's folders, after `it`; empty where they can."""
    seen = set[str]()
    for name, _ in named_folders(relative):
        if unquote(name) not in columns:
            continue
        if unquote(name) in seen:
            return f"lies in two folders that give the column '{unquote(name)}' a value; leave one of them out"
        seen.add(unquote(name))
    return ""


def named_folders(relative: str) -> Iterator[tuple[str, str]]:
    """The folders of a path that have the form name=value, as they are written."""
    for folder in relative.split("/")[:-1]:
        if "=" in folder[1:]:
            name, _, value = folder.partition("=")
            yield name, value


def undecodable_folder(relative: str) -> str:
    """The first folder that names a column, and is not UTF-8 once it is decoded; empty where there is none."""
    for name, value in named_folders(relative):
        try:
            unquote_to_bytes(f"{name}={value}").decode()
        except UnicodeDecodeError:
            return f"{name}={value}"
    return ""
