"""pandas' merge_asof. It wants both sides sorted by time alone, and takes the last of equal event times."""

from pathlib import Path

import pandas as pd

from benchmarks.pit.cases import FEATURES, Question


class Pandas:
    def answer(self, question: Question, output: Path) -> None:
        joined = pd.read_parquet(question.spine).sort_values("label_time")
        for number, path in enumerate(question.histories):
            history = pd.read_parquet(path, columns=["entity_id", "event_time", "seq", *FEATURES])
            history = history.sort_values(["event_time", "seq"]).drop(columns="seq")
            joined = pd.merge_asof(
                joined,
                history.rename(columns={name: f"h{number}__{name}" for name in FEATURES}),
                left_on="label_time",
                right_on="event_time",
                by="entity_id",
                allow_exact_matches=False,
            ).drop(columns="event_time")
        joined.to_parquet(output, compression="snappy", index=False)


def start(scratch: Path, shuffle_partitions: int) -> Pandas:
    return Pandas()
