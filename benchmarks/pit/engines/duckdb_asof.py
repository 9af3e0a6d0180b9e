"""DuckDB's ASOF join, with ties resolved."""

from pathlib import Path

import duckdb

from benchmarks.pit.cases import FEATURES, Question


class DuckDb:
    def __init__(self, scratch: Path) -> None:
        self._connection = duckdb.connect()
        self._connection.execute(f"SET temp_directory = '{scratch}'; SET preserve_insertion_order = false")

    def answer(self, question: Question, output: Path) -> None:
        joins = [self.join(f"read_parquet('{path}/*.parquet')", f"h{n}") for n, path in enumerate(question.histories)]
        columns = [f"h{n}.{name} AS h{n}__{name}" for n in range(len(joins)) for name in FEATURES]
        self._connection.execute(
            f"COPY (SELECT s.*, {', '.join(columns)} FROM read_parquet('{question.spine}/*.parquet') s "
            f"{' '.join(joins)}) TO '{output}' (FORMAT parquet, COMPRESSION snappy)"
        )

    def join(self, facts: str, name: str) -> str:
        latest = ", ".join(f"arg_max_null({feature}, seq) AS {feature}" for feature in FEATURES)
        return (
            f"ASOF LEFT JOIN (SELECT entity_id, event_time, {latest} FROM {facts} "
            f"GROUP BY entity_id, event_time) {name} "
            f"ON s.entity_id = {name}.entity_id AND s.label_time > {name}.event_time"
        )


def start(scratch: Path, shuffle_partitions: int) -> DuckDb:
    return DuckDb(scratch)
