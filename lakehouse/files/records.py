"""Delivered records as a frame, whatever names and formats they were delivered in."""

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

PROBLEM, ORIGINAL, FILE = "_problem", "_original", "_file"
_TO_THE_MICROSECOND = {
    "ignoreNullFields": "false",
    "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    "timestampNTZFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSS",
}


@dataclass(frozen=True, kw_only=True)
class Records:
    """Records of files of one schema.

    types: the Spark type of each column by the name it was delivered with, in order; `string` for all of text formats.
    frame: internal columns only, so that no delivered name collides with one of ours: `column_0` and so on for the
    names of `types`; `_problem`, why the record can't be used (null: it can); `_original`, what was delivered, of text
    the raw text, of typed files JSON of all columns; `_file`, the path of its file, null where that is not known.
    path: that of the first of the files, or of the table; for messages.
    """

    frame: DataFrame
    types: Mapping[str, str]
    path: str
    is_text: bool

    def column(self, delivered_name: str) -> Column:
        return F.col(internal_name(list(self.types).index(delivered_name)))

    def named(self) -> DataFrame:
        """The columns alone, by the names they were delivered with."""
        return self.frame.select(*[self.column(name).alias(name) for name in self.types])


def internal_name(index: int) -> str:
    return f"column_{index}"


def typed_records(
    delivered: DataFrame, path: str, *, without: str = "", file: Column | None = None, problem: Column | None = None
) -> Records:
    """Rows of typed files as records.

    without: a column that was not delivered. file and problem: over the frame's columns.
    """
    nothing = F.lit(None).cast("string")
    file, problem = nothing if file is None else file, nothing if problem is None else problem
    types = {name: type_ for name, type_ in delivered.dtypes if name != without}
    columns = [F.col(quoted(name)) for name in types]
    original = F.to_json(F.struct(*columns), _TO_THE_MICROSECOND) if types else nothing
    frame = delivered.select(
        *[column.alias(internal_name(index)) for index, column in enumerate(columns)],
        problem.alias(PROBLEM),
        original.alias(ORIGINAL),
        file.alias(FILE),
    )
    return Records(frame=frame, types=types, path=path, is_text=False)


def quoted(name: str) -> str:
    return f"`{name.replace('`', '``')}`"
