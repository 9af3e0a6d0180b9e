"""DuckDB's ASOF join with event time and seq in one 128-bit number: the same answer without resolving ties first."""

from pathlib import Path

from benchmarks.pit.cases import FEATURES
from benchmarks.pit.engines.duckdb_asof import DuckDb

_ROOM = 10**9  # more than any seq


class PackedDuckDb(DuckDb):
    def join(self, facts: str, name: str) -> str:
        return (
            f"ASOF LEFT JOIN (SELECT entity_id, epoch_us(event_time)::HUGEINT * {_ROOM} + seq AS at, "
            f"{', '.join(FEATURES)} FROM {facts}) {name} "
            f"ON s.entity_id = {name}.entity_id AND epoch_us(s.label_time)::HUGEINT * {_ROOM} > {name}.at"
        )


def start(scratch: Path, shuffle_partitions: int) -> PackedDuckDb:
    return PackedDuckDb(scratch)
