"""Imports Great Expectations: late, once, without its output, and beside other work."""

import importlib
import logging
import os
import threading
import warnings
from typing import Any

_turn = threading.Lock()
_import: threading.Thread | None = None


def preload() -> None:
    """Begins to import Great Expectations in a daemon thread and returns at once; later calls do nothing.

    Best called when the process's own imports (pyspark, pandas) are done: two threads that import the same
    packages wait for each other. The first `judge` reports an import that fails.
    """
    global _import
    with _turn:
        if _import is None:
            _import = threading.Thread(target=_try_import, name="import-great-expectations", daemon=True)
            _import.start()


def great_expectations() -> Any:
    """The package, after the import that `preload` began, if it did; costs 3 to 8 s the first time."""
    with _turn:
        if _import is not None:
            _import.join()
        return _quiet_import()


def _try_import() -> None:
    try:
        _quiet_import()
    except Exception:  # not swallowed: great_expectations() imports again and meets the same error
        logging.getLogger(__name__).debug("The import ahead of time failed", exc_info=True)


def _quiet_import() -> Any:
    """Imports it without telemetry (older releases had some), logging or warnings about its own code.

    The filter names its module and stays: `catch_warnings` restores the filters of all threads.
    """
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    warnings.filterwarnings("ignore", category=DeprecationWarning, module="great_expectations")
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)  # errors come back in its results
    return importlib.import_module("great_expectations")
