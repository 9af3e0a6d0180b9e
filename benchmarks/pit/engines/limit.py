"""The limit: read both, write an output of the spine's size with the same columns. Nothing is joined."""

from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.pit.cases import FEATURES, Question


class Limit:
    def answer(self, question: Question, output: Path) -> None:
        table = pq.read_table(question.spine)
        for number, path in enumerate(question.histories):
            history = pq.read_table(path, columns=["entity_id", "event_time", "seq", *FEATURES]).slice(
                0, table.num_rows
            )
            for name in FEATURES:
                table = table.append_column(f"h{number}__{name}", history[name])
        pq.write_table(table, output, compression="snappy")


def start(scratch: Path, shuffle_partitions: int) -> Limit:
    return Limit()
