"""DuckDB's ASOF join with event time and seq in one 128-bit number: the same answer without resolving ties first."""

from pathlib import Path

import duckdb

from benchmarks.pit.cases import FEATURES, Question

_ROOM = 10**9  # more than any seq


class PackedDuckDb:
    def __init__(self, scratch: Path) -> None:
        self._connection = duckdb.connect()
        self._connection.execute(f"SET temp_directory = '{scratch}'; SET preserve_insertion_order = false")

    def answer(self, question: Question, output: Path) -> None:
        joins, columns = [], []
        for number, history in enumerate(question.histories):
            joins.append(
                f"ASOF LEFT JOIN (SELECT entity_id, epoch_us(event_time)::HUGEINT * {_ROOM} + seq AS at, "
                f"{', '.join(FEATURES)} FROM read_parquet('{history}/*.parquet')) h{number} "
                f"ON s.entity_id = h{number}.entity_id AND epoch_us(s.label_time)::HUGEINT * {_ROOM} > h{number}.at"
            )
            columns += [f"h{number}.{name} AS h{number}__{name}" for name in FEATURES]
        self._connection.execute(
            f"COPY (SELECT s.*, {', '.join(columns)} FROM read_parquet('{question.spine}/*.parquet') s "
            f"{' '.join(joins)}) TO '{output}' (FORMAT parquet, COMPRESSION snappy)"
        )


def start(scratch: Path, shuffle_partitions: int) -> PackedDuckDb:
    return PackedDuckDb(scratch)
