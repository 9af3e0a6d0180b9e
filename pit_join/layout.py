"""The layout of a history: its facts in hash buckets, as a join reads them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame

from lakehouse.layouts import Span, StoredLayout


@dataclass(frozen=True)
class Layout:
    """`laid`: the stored files. `column_of`: by feature the column of the files that holds it.

    `tail`: rows that are not in the files yet, with the columns of the history's own frame; None: all rows are.
    `masked`: spans of event time that don't count in the files, since the tail has their current rows.
    """

    laid: StoredLayout
    column_of: Mapping[str, str]
    tail: DataFrame | None = None
    masked: Sequence[Span] = ()

    @property
    def buckets(self) -> int:
        return self.laid.note.buckets

    @property
    def rows(self) -> int:
        return self.laid.note.rows

    @property
    def is_one_run(self) -> bool:
        """Whether a bucket's files follow each other in order: one run, nothing masked, no tail."""
        return self.tail is None and len(self.laid.note.runs) == 1 and not self.masked

    def files(self, bucket: int) -> list[tuple[str, Sequence[Span]]]:
        """The bucket's files, oldest run first, each with the spans of event time that don't count in it."""
        return [(path, (*spans, *self.masked)) for path, spans in self.laid.files.get(bucket, ())]
