"""Commands as a user types them, in this process and in a folder of a test; those that start no Spark."""

import contextlib
import importlib
import io
import sys
from dataclasses import dataclass
from pathlib import Path

from ziggurat.cli.main import main


@dataclass(frozen=True)
class Said:
    """How a command ended, and its words."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """What a user's mistake prints on stderr: `error: …`, one line, and no traceback."""
        lines = self.err.strip().splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("error: "), self.err
        return lines[0]


def run(folder: Path, *words: str) -> Said:
    """The command's outcome. Modules that it imports from the folder are forgotten."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    path, modules = list(sys.path), set(sys.modules)
    importlib.invalidate_caches()
    try:
        with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main(list(words))
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        sys.path[:] = path
        for name in set(sys.modules) - modules:
            if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
                del sys.modules[name]
    return Said(code, out.getvalue(), err.getvalue())
