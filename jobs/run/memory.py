"""Peak memory of this process and all below it: Spark's JVM and its Python workers. Linux only; else not known."""

import os
import threading
import time

from jobs.run.process_tree import resident_mb

_peak_mb = 0.0
_watcher: threading.Thread | None = None


def watch_memory() -> None:
    """Begin to look once a second; later calls do nothing."""
    global _watcher
    if _watcher is None:
        _watcher = threading.Thread(target=_watch, name="memory", daemon=True)
        _watcher.start()


def peak_memory_mb() -> float | None:
    """Resident memory of the whole process tree at its highest since `watch_memory`; shared pages count for each."""
    return _peak_mb or None


def _watch() -> None:
    global _peak_mb
    while True:
        _peak_mb = max(_peak_mb, resident_mb(os.getpid()))
        time.sleep(1)
