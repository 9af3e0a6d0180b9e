"""Spark's own daemon of Python workers, with less to do for each task. Spark starts it: `spark.python.daemon.module`.

Before each task a worker looks again for modules in every archive that it ever imported from: Spark's own, and the jar
of its core, which has none. That is 80 ms a task. Then it walks through all objects that it has imported: 25 ms.
Workers are forked from here, so they share what is imported here, too.

When Spark needs no more rows of a worker (a limit, a task of a step that failed), it closes their socket, and the
daemon prints the trace of a BrokenPipeError in the middle of healthy progress. That trace is left out, and no other.
"""

import gc
import sys
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zipimport import zipimporter

import pandas  # noqa: F401  pyspark's readers of Arrow import it
import pyarrow  # noqa: F401
from pyspark import daemon
from pyspark.daemon import manager

_CLOSED = ("BrokenPipeError", "ConnectionResetError")


def print_but_closed_sockets(*values: object, **options: Any) -> None:
    """Stands in for `print` in pyspark's daemon."""
    text = str(values[0]) if values else ""
    if not (text.startswith("PySpark daemon failed to flush") and any(name in text for name in _CLOSED)):
        print(*values, **options)  # noqa: T201  what the daemon itself would do


def print_trace_but_of_closed_sockets() -> None:
    """Stands in for `traceback.print_exc` in pyspark's daemon, where a worker ends with the error that it met."""
    if type(sys.exception()).__name__ not in _CLOSED:
        traceback.print_exc()


daemon.print = print_but_closed_sockets  # type: ignore[attr-defined]
daemon.traceback = SimpleNamespace(  # type: ignore[attr-defined,assignment]
    format_exc=traceback.format_exc, print_exc=print_trace_but_of_closed_sockets
)


def main() -> None:
    sys.path[:] = [path for path in sys.path if not Path(path).name.startswith("spark-core_")]
    for path, finder in list(sys.path_importer_cache.items()):
        if isinstance(finder, zipimporter):
            del sys.path_importer_cache[path]
    gc.freeze()
    manager()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
