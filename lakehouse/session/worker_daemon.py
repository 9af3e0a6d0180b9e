"""Spark's own daemon of Python workers, with less to do for each task. Spark starts it: `spark.python.daemon.module`.

Before each task a worker looks again for modules in every archive that it ever imported from: Spark's own, and the jar
of its core, which has none. That is 80 ms a task. Then it walks through all objects that it has imported: 25 ms.
Workers are forked from here, so they share what is imported here, too.
"""

import gc
import sys
from pathlib import Path
from zipimport import zipimporter

import pandas  # noqa: F401  pyspark's readers of Arrow import it
import pyarrow  # noqa: F401
from pyspark.daemon import manager


def main() -> None:
    sys.path[:] = [path for path in sys.path if not Path(path).name.startswith("spark-core_")]
    for path, finder in list(sys.path_importer_cache.items()):
        if isinstance(finder, zipimporter):
            del sys.path_importer_cache[path]
    gc.freeze()
    manager()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
