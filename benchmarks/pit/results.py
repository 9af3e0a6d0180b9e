"""The results file: every run's figures, the machine and the versions, written after each engine."""

import json
import os
import platform
import statistics
import subprocess
from collections import Counter
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.pit.engines import ENGINES

RESULTS = Path(__file__).parent / "results.json"
_LIBRARIES = ("pyspark", "delta-spark", "numpy", "pyarrow", "pandas", "polars", "duckdb", "dbl-tempo", "feast")


def key_of(case: str, engine: str, *, is_sorted: bool = False) -> str:
    return f"{case}/{engine}{' sorted' if is_sorted else ''}"


def read(path: Path = RESULTS) -> dict[str, Any]:
    """`machine`, `versions`, `cases` and `entries`; empty if there is no such file."""
    empty: dict[str, Any] = {"machine": {}, "versions": {}, "cases": {}, "entries": {}}
    if not path.is_file():
        return empty
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return empty | content


def write(results: dict[str, Any], path: Path = RESULTS) -> None:
    half = path.with_suffix(".half")
    half.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", "utf-8")
    half.replace(path)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def machine() -> dict[str, Any]:
    """What figures depend on; nothing that identifies this machine."""
    from lakehouse.session.java import find_java

    processor = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "memory_gb": round(memory / 1e9),
        "system": platform.system(),
        "java": find_java().version,
        "python": platform.python_version(),
    }


def versions() -> dict[str, str]:
    return {name: version(name) for name in _LIBRARIES}


def commit() -> str:
    """The checkout's, if it is one."""
    git = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return git.stdout.strip()


def median(entry: dict[str, Any], figure: str) -> float | None:
    """Of `wall`, `cpu` or `peak_mb` over the entry's runs; peak memory: the highest."""
    values: list[float] = [run[figure] for run in entry["runs"]]
    if not values:
        return None
    return float(max(values) if figure == "peak_mb" else statistics.median(values))


def of_case(results: dict[str, Any], case: str) -> dict[str, dict[str, Any]]:
    """The case's entries by engine (`duckdb`, `duckdb sorted`), in the order of the table of engines."""
    parts = {(*key.partition("/"),): entry for key, entry in results["entries"].items()}
    entries = {engine: entry for (name, _, engine), entry in parts.items() if name == case}
    order = list(ENGINES)
    return dict(sorted(entries.items(), key=lambda item: (order.index(item[0].split()[0]), item[0])))


def differing(results: dict[str, Any], case: str) -> set[str]:
    """The engines whose rows differ from those that most engines returned for the same question."""
    wrong: set[str] = set()
    entries = {name: entry for name, entry in of_case(results, case).items() if "hash" in entry and name != "limit"}
    for question in {entry["question"] for entry in entries.values()}:
        same = {name: entry for name, entry in entries.items() if entry["question"] == question}
        usual = Counter(entry["hash"] for entry in same.values()).most_common(1)[0][0]
        wrong |= {name for name, entry in same.items() if entry["hash"] != usual}
    return wrong
