"""What the readers of text formats give: batches of records, each with its raw text and the line it begins at."""

from collections.abc import Sequence

import pyarrow as pa

from lakehouse.files.records import ORIGINAL, PROBLEM, internal_name

LINE = "_line"


def batch_schema(columns: int) -> pa.Schema:
    """Text in each of the columns, then the problem, the raw text and the line."""
    names = [*(internal_name(index) for index in range(columns)), PROBLEM, ORIGINAL]
    return pa.schema([*((name, pa.string()) for name in names), (LINE, pa.int64())])


def good_batch(columns: Sequence[pa.Array], raw: pa.Array, lines: pa.Array) -> pa.RecordBatch:
    nothing = pa.nulls(len(raw), pa.string())
    return pa.record_batch([*columns, nothing, raw, lines], batch_schema(len(columns)))


def problem_batch(columns: int, problems: Sequence[str], raw: Sequence[str], lines: Sequence[int]) -> pa.RecordBatch:
    """Records that can't be used; their columns are null."""
    nothing = pa.nulls(len(problems), pa.string())
    arrays = [pa.array(problems, pa.string()), pa.array(raw, pa.string()), pa.array(lines, pa.int64())]
    return pa.record_batch([*[nothing] * columns, *arrays], batch_schema(columns))
