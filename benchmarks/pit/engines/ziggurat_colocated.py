"""Ours, by the co-located strategy: histories lie in buckets sorted by key and time; only the spine moves."""

from pathlib import Path

from benchmarks.pit.cases import Question
from benchmarks.pit.engines.spark import opened
from benchmarks.pit.engines.ziggurat_sql import Ziggurat
from pit_join import History, lay_out, with_layout


class Colocated(Ziggurat):
    def lay_out(self, question: Question) -> None:
        for history in super().histories(question):
            lay_out(history, self.folder(history, question))

    def bare_history(self, question: Question) -> History:
        """The first, without its layout."""
        return super().histories(question)[0]

    def histories(self, question: Question) -> list[History]:
        return [with_layout(history, self.folder(history, question)) for history in super().histories(question)]

    def folder(self, history: History, question: Question) -> str:
        if question.layouts is None:
            raise ValueError("the co-located strategy needs a folder for its layouts; set `layouts` of the question")
        return str(question.layouts / history.name)


def start(scratch: Path, shuffle_partitions: int) -> Colocated:
    return Colocated(opened(scratch, shuffle_partitions), "colocated")
