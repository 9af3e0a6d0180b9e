"""polars' join_asof. Among equal event times it takes the last row of the right side, so they come sorted by seq."""

from pathlib import Path

import polars as pl

from benchmarks.pit.cases import FEATURES, Question


class Polars:
    def answer(self, question: Question, output: Path) -> None:
        spine = pl.scan_parquet(question.spine)
        joined = spine if question.is_sorted else spine.sort("label_time")
        for number, path in enumerate(question.histories):
            names = {name: f"h{number}__{name}" for name in FEATURES}
            history = pl.scan_parquet(path).select("entity_id", "event_time", "seq", *FEATURES).rename(names)
            joined = joined.join_asof(
                # Sorted by key and time is sorted within each key, which is all that it needs.
                (history if question.is_sorted else history.sort("event_time", "seq")).drop("seq"),
                left_on="label_time",
                right_on="event_time",
                by="entity_id",
                strategy="backward",
                allow_exact_matches=False,
                check_sortedness=False,
                coalesce=False,
            ).drop("event_time")
        joined.collect().write_parquet(output, compression="snappy")


def start(scratch: Path, shuffle_partitions: int) -> Polars:
    return Polars()
