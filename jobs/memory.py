"""Peak memory of this process and all below it: Spark's JVM and its Python workers. Linux only; else not known."""

import os
import threading
import time
from pathlib import Path

_PROC = Path("/proc")
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_peak = 0
_watcher: threading.Thread | None = None


def watch_memory() -> None:
    """Begin to look once a second; later calls do nothing."""
    global _watcher
    if _watcher is None and _PROC.is_dir():
        _watcher = threading.Thread(target=_watch, name="memory", daemon=True)
        _watcher.start()


def peak_memory_mb() -> float | None:
    """Resident memory of the whole process tree at its highest since `watch_memory`; shared pages count for each."""
    return _peak / 1e6 if _peak else None


def _watch() -> None:
    global _peak
    while True:
        _peak = max(_peak, _tree_bytes())
        time.sleep(1)


def _tree_bytes() -> int:
    children: dict[int, list[int]] = {}
    held: dict[int, int] = {}
    for folder in _PROC.iterdir():
        if folder.name.isdigit():
            try:
                after_name = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it ended between the listing and now
                continue
            children.setdefault(int(after_name[1]), []).append(int(folder.name))
            held[int(folder.name)] = int(after_name[21]) * _PAGE
    mine, found = [os.getpid()], 0
    while mine:
        process = mine.pop()
        found += held.get(process, 0)
        mine += [child for child in children.get(process, []) if not _is_lent(process, child, held)]
    return found


def _is_lent(parent: int, child: int, held: dict[int, int]) -> bool:
    """A JVM that is about to run `chmod` shows twice for a moment: the child still has all of its parent's memory."""
    return held.get(child, 0) > 0.9 * held.get(parent, 0) and _command(parent).endswith(b"java")


def _command(process: int) -> bytes:
    try:
        return (_PROC / str(process) / "cmdline").read_bytes().split(b"\0")[0]
    except OSError:  # it ended
        return b""
