"""`ziggurat init FOLDER`: a small project of another domain, to run at once and then to make one's own."""

import re
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from definitions.errors import UsageError
from lakehouse.storage_errors import translated_storage_errors

PLACEHOLDER = "bikes_features"
_RENAMED = {"gitignore": ".gitignore"}  # a packaged name that begins with a dot is easily left out of a wheel


def write_starter(folder: Path) -> str:
    """Writes the project into a new or empty folder; returns what to do next.

    The definitions become a package named after the folder. Raises UsageError for a folder that holds something,
    StorageError for one that can't be written.
    """
    package = package_name(folder)
    try:
        with translated_storage_errors(str(folder)):
            _refuse_occupied(folder)
            _write(folder, package)
    except OSError as error:
        raise UsageError(f"{folder} can't be made ({error.strerror}); name another folder for the project.") from error
    return _next_steps(folder, package)


def _write(folder: Path, package: str) -> None:
    for path, content in _packaged(files("ziggurat") / "starter"):
        target = folder / path.replace(PLACEHOLDER, package)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content.replace(PLACEHOLDER, package), "utf-8", newline="\n")


def package_name(folder: Path) -> str:
    """`City bikes` gives `city_bikes_features`: importable, and never the name of a package that is already there."""
    stem = re.sub(r"[^a-z0-9]+", "_", folder.resolve().name.lower()).strip("_")
    stem = re.sub(r"_?features$", "", stem)
    return f"{stem}_features" if stem[:1].isalpha() else f"my_{stem}_features".replace("__", "_")


def _refuse_occupied(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError(
            f"{folder} is not empty, and files of yours are never overwritten; name a new folder, e.g. "
            f"ziggurat init {folder.name or 'my'}_features."
        )
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; name a new folder for the project.")


def _packaged(folder: Traversable, above: str = "") -> Iterator[tuple[str, str]]:
    """Each file with its path; the package may be a zip, which has no paths of its own."""
    for entry in sorted(folder.iterdir(), key=lambda child: child.name):
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _packaged(entry, f"{above}{entry.name}/")
        elif entry.is_file():
            yield f"{above}{_RENAMED.get(entry.name, entry.name)}", entry.read_text("utf-8")


def _next_steps(folder: Path, package: str) -> str:
    path = f'"{folder}"' if " " in str(folder) else str(folder)
    return "\n".join(
        [
            f"  {folder}: definitions in {package}/, settings in conf.yaml, a bike rental's spring in data/",
            "",
            "  next:",
            *([] if folder.resolve() == Path.cwd() else [f"    cd {path}"]),
            "    ziggurat build --as-of 2024-06-01 --conf conf.yaml",
            "    ziggurat describe rider_activity --conf conf.yaml",
            "    and README.md: a second delivery, and what becomes of bad rows",
        ]
    )
