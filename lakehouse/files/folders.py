"""Columns that stand in the names of folders: `code=01001/region=caf%C3%A9/part.csv`, as Hive and Spark write them."""

from urllib.parse import unquote

NULL_FOLDER = "__HIVE_DEFAULT_PARTITION__"


def folder_columns(relative: str) -> dict[str, str | None]:
    """The text of each column in a file's path below its location, percent-decoded; nothing is guessed about types."""
    named = [folder.split("=", 1) for folder in relative.split("/")[:-1] if "=" in folder[1:]]
    return {unquote(name): None if value == NULL_FOLDER else unquote(value) for name, value in named}
