"""How far an export is: rows are counted as they pass, and reported a few times."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa

if TYPE_CHECKING:
    from jobs.export.views import ExportedView

EVERY_ROWS = 10_000
Report = Callable[[int, int, str], None]
"""Receives what is done, what there is to do in all, and the unit."""
Row = TypeVar("Row")


@dataclass
class RowCount:
    """Rows that have passed, of all that will."""

    total: int
    report: Report
    done: int = 0

    def add(self, rows: int) -> None:
        before, self.done = self.done, self.done + rows
        if before // EVERY_ROWS != self.done // EVERY_ROWS or self.done == self.total:
            self.report(self.done, self.total, "rows")

    def counted(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            yield row
            self.add(1)


def counted_batches(views: "Sequence[ExportedView]", report: Report) -> dict[str, Iterator[pa.RecordBatch]]:
    """The rows of each view by its table; all are counted together."""
    count = RowCount(sum(view.stored.rows for view in views), report)

    def passed(view: "ExportedView") -> Iterator[pa.RecordBatch]:
        for batch in view.batches():
            yield batch
            count.add(batch.num_rows)

    return {view.stored.table: passed(view) for view in views}
