"""What a layout costs to keep: built of all but the last ten days, a run appended for each of these, then compacted."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pyspark.sql import functions as F

from benchmarks.pit.cases import Question
from benchmarks.pit.data import START_US, YEAR_US
from benchmarks.pit.engines.spark import opened
from benchmarks.pit.engines.ziggurat_colocated import Colocated
from definitions.durations import to_us
from lakehouse.layouts import find_layout, write_run
from pit_join import History, lay_out
from pit_join.layout_writer import buckets_for, laid_rows

DAYS = 10
_END = datetime.fromtimestamp((START_US + YEAR_US) / 1e6, UTC)
JOIN = "join"  # the first word of the steps whose answers are hashed


class Upkeep(Colocated):
    def steps(self, question: Question, output: Path) -> Iterator[tuple[str, Callable[[], None]]]:
        """Each step's name and its work, to be done in this order."""
        yield f"build, {365 - DAYS} days", lambda: self._build(question)
        yield f"{JOIN}, 1 run", lambda: self.answer(question, output)
        for day in range(1, DAYS + 1):
            yield f"append day {day}", lambda day=day: self._append(question, day)  # type: ignore[misc]
        yield f"{JOIN}, {DAYS + 1} runs", lambda: self.answer(question, output)
        yield "compact", lambda: self.lay_out(question)
        yield f"{JOIN}, compacted", lambda: self.answer(question, output)

    def _build(self, question: Question) -> None:
        """In as many buckets as the whole year gets, so that appended and compacted are read alike."""
        whole = self.bare_history(question)
        old = _between(whole, None, _END - timedelta(days=DAYS))
        lay_out(old, self.folder(whole, question), buckets=buckets_for(whole.frame.count()))

    def _append(self, question: Question, day: int) -> None:
        whole = self.bare_history(question)
        path = self.folder(whole, question)
        laid = find_layout(path)
        if laid is None:
            raise ValueError(f"{path} was built, but holds no layout")
        begin = _END - timedelta(days=DAYS + 1 - day)
        fresh = _between(whole, begin, begin + timedelta(days=1))
        rows = laid_rows(fresh, buckets=laid.note.buckets)
        write_run(rows, path, laid.note, is_first=False, clock=lambda: to_us(datetime.now(UTC)))


def start(scratch: Path, shuffle_partitions: int) -> Upkeep:
    return Upkeep(opened(scratch, shuffle_partitions), "colocated")


def _between(history: History, begin: datetime | None, end: datetime) -> History:
    is_there = F.col("event_time") < F.lit(end)
    if begin is not None:
        is_there = is_there & (F.col("event_time") >= F.lit(begin))
    return replace(history, frame=history.frame.where(is_there))
