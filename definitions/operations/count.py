"""`count`: how many rows the window holds; of an input, how many rows have a value (S23)."""

from definitions.aggregations import aggregation
from definitions.operations.declared import Reads, Result, WindowOperation

OPERATION = WindowOperation(
    name="count",
    word="count",
    reads=Reads.ROWS,
    result=Result.COUNT,
    empty=0,
    version=1,
)
count = aggregation(OPERATION)
