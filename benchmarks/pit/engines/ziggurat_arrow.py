"""Ours, by the shuffling Arrow strategy."""

from pathlib import Path

from benchmarks.pit.engines.spark import opened
from benchmarks.pit.engines.ziggurat_sql import Ziggurat


def start(scratch: Path, shuffle_partitions: int) -> Ziggurat:
    return Ziggurat(opened(scratch, shuffle_partitions), "arrow")
