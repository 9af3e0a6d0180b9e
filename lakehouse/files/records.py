"""Delivered records as a frame, whatever names and formats they were delivered in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

PROBLEM, ORIGINAL, FILE = "_problem", "_original", "_file"
FOLDER_TEXT = "text"  # the type of a column in the name of a folder: its text, whatever is declared
LOCAL_TIME = "yyyy-MM-dd'T'HH:mm:ss.SSSSSS"  # to the microsecond
_JSON = {"ignoreNullFields": "false", "timestampFormat": f"{LOCAL_TIME}XXX", "timestampNTZFormat": LOCAL_TIME}


@dataclass(frozen=True, kw_only=True)
class Records:
    """Records of files of one schema.

    types: the Spark type of each column by the name it was delivered with, in order; `string` for all of text formats,
    `text` for those in the names of folders.
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
    readable = [as_readable(column, types[name]).alias(name) for name, column in zip(types, columns, strict=True)]
    frame = delivered.select(
        *[column.alias(internal_name(index)) for index, column in enumerate(columns)],
        problem.alias(PROBLEM),
        as_json(readable).alias(ORIGINAL),
        file.alias(FILE),
    )
    return Records(frame=frame, types=types, path=path, is_text=False)


def as_json(columns: Sequence[Column]) -> Column:
    """All columns of a record as JSON, nulls and microseconds included; null where there are none."""
    return F.to_json(F.struct(*columns), _JSON) if columns else F.lit(None).cast("string")


def as_readable(value: Column, type_: str) -> Column:
    """Text as it is; text whose bytes are not UTF-8 as their hexadecimal digits: 0x4BFC7365."""
    if type_ != "string":
        return value
    return F.when(~F.is_valid_utf8(value), F.concat(F.lit("0x"), F.hex(value))).otherwise(value)


def quoted(name: str) -> str:
    return f"`{name.replace('`', '``')}`"
