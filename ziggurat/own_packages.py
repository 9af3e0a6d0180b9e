"""Our packages have plain names, and so may a user's: ours are found first, whatever stands in the working directory.

The exception is `features`: only definitions are looked for there, so the one in the user's folder is taken before the
shipped pyramid. Standard library only, since nothing of ours can be imported safely before this.
"""

import sys
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[1]  # the checkout, the zip or site-packages: the folder of all our packages
PACKAGES = (
    "compute",
    "conf",
    "definitions",
    "jobs",
    "kernels",
    "lakehouse",
    "online_store",
    "pit_join",
    "quality",
    "reports",
    "temporal",
)


class _OursFirst(MetaPathFinder):
    """Finds the packages above beside this one, before the entries of `sys.path` are searched."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return PathFinder.find_spec(fullname, [str(ROOT)], target) if fullname in PACKAGES else None


def find_ours_first() -> None:
    """Idempotent. Raises ImportError where another package of such a name was imported before."""
    for name in PACKAGES:
        module = sys.modules.get(name)
        folder = _folder(module) if module else None
        if folder is not None and folder.parent != ROOT:
            raise ImportError(
                f"package `{name}` was imported from {folder} before Ziggurat, which has a package of that name: "
                "import ziggurat first, or rename yours."
            )
    if not any(isinstance(finder, _OursFirst) for finder in sys.meta_path):
        sys.meta_path.insert(0, _OursFirst())


def hidden_in(folder: Path) -> Iterator[Path]:
    """The packages and modules of a folder that ours hide."""
    if folder.resolve() != ROOT.resolve():
        for name in PACKAGES:
            candidates = (folder / name, folder / f"{name}.py")
            yield from (path for path in candidates if path.is_file() or any(path.glob("*.py")))


def hidden_note(path: Path) -> str:
    """What to do about a package that ours hides."""
    return f"./{path.name} is hidden by Ziggurat's own package `{path.stem}`; rename it if your definitions import it"


def is_shipped(module: ModuleType) -> bool:
    """Whether a package lies beside this one: the shipped pyramid does."""
    folder = _folder(module)
    return folder is not None and folder.parent == ROOT


def _folder(module: ModuleType) -> Path | None:
    paths = [*getattr(module, "__path__", ())]
    return Path(paths[0]) if paths else None
