"""A history whose facts lie in hash buckets already: what a join needs to know of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame

from lakehouse.layouts import Span, StoredLayout


@dataclass(frozen=True)
class Layout:
    """`laid`: the files. `column_of`: which of their columns holds a feature. `tail`: rows not laid out yet, or None.

    `tail` has the columns of the history's own frame; what it replaces is masked in `laid`.
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
        """Whether a bucket's files follow each other in order, with nothing masked and nothing beside them."""
        return self.tail is None and len(self.laid.note.runs) == 1 and not self.masked

    def files(self, bucket: int) -> list[tuple[str, Sequence[Span]]]:
        """The bucket's files, oldest run first, each with the spans of event time that don't count in it."""
        return [(path, (*spans, *self.masked)) for path, spans in self.laid.files.get(bucket, ())]
