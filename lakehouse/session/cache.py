"""The folder of this user that holds what is fetched or made once: jars, the Java launcher, Spark's log."""

import os
import tempfile
from pathlib import Path

from lakehouse.session.errors import EnvironmentProblem


def cache_folder() -> Path:
    """Where the cache is: `ZIGGURAT_CACHE`, else `ziggurat` in the user's cache folder. May not exist yet."""
    chosen = os.environ.get("ZIGGURAT_CACHE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path("~/.cache").expanduser()).absolute() / "ziggurat"


def writable(folder: Path) -> Path:
    """The folder, made if need be. Raises EnvironmentProblem when this user can't write there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as problem:
        raise EnvironmentProblem(
            f"The cache folder {folder} can't be written ({problem.strerror or problem}): "
            "set ZIGGURAT_CACHE to a folder that can."
        ) from problem


def placed(path: Path, text: str, *, mode: int = 0o644) -> Path:
    """The file with exactly this text, written whole or not at all: two starts at once don't meet."""
    if path.is_file() and path.read_text("utf-8") == text and path.stat().st_mode & 0o777 == mode:
        return path
    writable(path.parent)
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    draft = Path(name)
    draft.chmod(mode)
    return draft.replace(path)
