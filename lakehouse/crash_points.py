"""Named places where the kill tests end the process.

A test hook: no effect unless ZIGGURAT_CRASH_AT is set.
"""

import os
import signal

CRASH_POINTS = tuple(
    f"{moment}_{step}" for step in ("stage", "publish", "ledger", "release") for moment in ("before", "after")
)


def crash_point(name: str, table: str = "") -> None:
    """Kills this process at once (SIGKILL, no clean-up) when ZIGGURAT_CRASH_AT is `name` or `name@table`.

    The steps are stage (a view's name), publish (one table's commit, by its key), ledger (an append to the runs) and
    release (the row that names all views' versions), each with a point before and after it; and `after_quarantine`
    of a raw table, by its key.
    """
    wanted = os.environ.get("ZIGGURAT_CRASH_AT")
    if wanted and wanted in (name, f"{name}@{table}"):
        os.kill(os.getpid(), signal.SIGKILL)
