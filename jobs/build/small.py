"""Small inputs are worked on in this process: a job and a commit less per table, and no Python workers to start."""

from collections.abc import Iterable, Sequence

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import types as T

from jobs.run.context import Job
from lakehouse.commits import crash_point, stage
from lakehouse.tables import read
from lakehouse.writer import MOST_ROWS


def is_small(job: Job, tables: Iterable[str], *, slices: Sequence[int] = (0,)) -> bool:
    """Whether these tables have few rows, for each of the slices that are made of them."""
    return sum(job.published.rows(table) for table in tables) * len(slices) <= MOST_ROWS


def collected(frame: DataFrame, view: str) -> pa.Table | None:
    """The rows, in place of a staged copy; None where they are more than expected, and have to be staged."""
    crash_point("before_stage", view)
    table = frame.limit(MOST_ROWS + 1).toArrow()
    crash_point("after_stage", view)
    return table if table.num_rows <= MOST_ROWS else None


def kept(frame: DataFrame, path: str, *, may_be_few: bool) -> tuple[DataFrame, bool]:
    """The rows as they are now, and whether they are held in memory: few are, others are staged at the path."""
    rows = _held(frame, path.rpartition("/")[2]) if may_be_few else None
    if rows is not None:
        return rows, True
    staged = stage(frame, path, partition_by=[])
    return read(frame.sparkSession, staged.path, version=staged.version), False


def _held(frame: DataFrame, view: str) -> DataFrame | None:
    """The frame with its rows collected; None where they are too many, or their types might not come back the same."""
    if not all(_is_plain(field.dataType) for field in frame.schema):
        return None
    rows = collected(frame, view)
    schema = T.StructType([T.StructField(field.name, field.dataType) for field in frame.schema])
    return None if rows is None else frame.sparkSession.createDataFrame(rows, schema=schema)


def _is_plain(type_: T.DataType) -> bool:
    if isinstance(type_, T.StructType):
        return all(_is_plain(field.dataType) for field in type_)
    if isinstance(type_, T.ArrayType):
        return _is_plain(type_.elementType)
    return isinstance(type_, _PLAIN)


_PLAIN = (T.StringType, T.BooleanType, T.NumericType, T.DateType, T.TimestampType, T.TimestampNTZType, T.BinaryType)
