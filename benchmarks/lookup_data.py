"""The data of `benchmarks.lookups`: made once, from fixed seeds, as parquet files."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FOLDER = Path(__file__).resolve().parents[1] / ".bench-lookups"
MILLION = 1_000_000
YEAR_US, START_US = 365 * 86_400_000_000, 1_735_689_600_000_000  # from 2025-01-01T00:00:00Z


@dataclass(frozen=True)
class Case:
    """late: the share of facts that became known up to a day late, after rows that would take them."""

    rows: int
    facts: int
    keys: int
    late: float = 0.0
    engines: tuple[str, ...] = ("ziggurat", "shuffled", "duckdb")

    @property
    def name(self) -> str:
        late = f", {self.late:.0%} late" if self.late else ""
        return f"{self.rows / MILLION:g} M × {self.facts / MILLION:g} M, {self.keys:,} keys{late}"


def rows_of(case: Case) -> Path:
    """The rows that look up."""
    return _made(f"rows-{case.keys}-{case.rows}", lambda: _table(case.keys, case.rows, "amount", seed=1, late=0.0))


def facts_of(case: Case) -> Path:
    """The facts that are looked up."""
    name = f"facts-{case.keys}-{case.facts}-{case.late:g}"
    return _made(name, lambda: _table(case.keys, case.facts, "level", seed=2, late=case.late))


def snapshots_of(entities: int) -> Path:
    """Half of them have spent nothing; of the others few have spent the same."""

    def table() -> pa.Table:
        random = np.random.default_rng(3)
        spent = np.where(random.random(entities) < 0.5, 0, random.integers(0, 10_000_000, entities)) / 100
        at = pa.array(np.full(entities, START_US), pa.timestamp("us", tz="UTC"))
        return pa.table({"id": np.arange(entities), "event_time": at, "value_sum_7d": spent})

    return _made(f"snapshots-{entities}", table)


def _table(keys: int, rows: int, value: str, *, seed: int, late: float) -> pa.Table:
    """In no order. No two of a key have one event time: DuckDB takes any of them."""
    random = np.random.default_rng((seed, keys, rows))
    event_us = START_US + random.choice(YEAR_US // MILLION, rows, replace=False) * MILLION
    delay_us = np.where(random.random(rows) < late, random.integers(1, 86_400_000_000, rows), 0)
    instant = pa.timestamp("us", tz="UTC")
    return pa.table(
        {
            "key": random.integers(0, keys, rows),
            "id": np.arange(rows),
            value: random.random(rows),
            "event_time": pa.array(event_us, instant),
            "available_time": pa.array(event_us + delay_us, instant),
        }
    )


def _made(name: str, table: Callable[[], pa.Table]) -> Path:
    path = FOLDER / f"{name}.parquet"
    if not path.exists():
        part = path.with_suffix(".part")
        pq.write_table(table(), part, row_group_size=MILLION // 4)
        part.rename(path)
    return path
