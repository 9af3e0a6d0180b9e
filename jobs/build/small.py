"""Small inputs are worked on in this process: a job and a commit less per table, and no Python workers to start."""

from collections.abc import Iterable, Sequence

import pyarrow as pa
from pyspark.sql import DataFrame

from jobs.run.context import Job
from lakehouse.commits import crash_point
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
