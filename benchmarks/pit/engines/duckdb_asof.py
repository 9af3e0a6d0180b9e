"""DuckDB's ASOF join, with ties resolved."""

from pathlib import Path

import duckdb

from benchmarks.pit.cases import FEATURES, Question


class DuckDb:
    def __init__(self, scratch: Path) -> None:
        self._connection = duckdb.connect()
        self._connection.execute(f"SET temp_directory = '{scratch}'; SET preserve_insertion_order = false")

    def answer(self, question: Question, output: Path) -> None:
        joins, columns = [], []
        for number, history in enumerate(question.histories):
            latest = ", ".join(f"arg_max_null({name}, seq) AS {name}" for name in FEATURES)
            joins.append(
                f"ASOF LEFT JOIN (SELECT entity_id, event_time, {latest} FROM read_parquet('{history}/*.parquet') "
                f"GROUP BY entity_id, event_time) h{number} "
                f"ON s.entity_id = h{number}.entity_id AND s.label_time > h{number}.event_time"
            )
            columns += [f"h{number}.{name} AS h{number}__{name}" for name in FEATURES]
        self._connection.execute(
            f"COPY (SELECT s.*, {', '.join(columns)} FROM read_parquet('{question.spine}/*.parquet') s "
            f"{' '.join(joins)}) TO '{output}' (FORMAT parquet, COMPRESSION snappy)"
        )


def start(scratch: Path, shuffle_partitions: int) -> DuckDb:
    return DuckDb(scratch)
