"""`count_distinct`: how many different values the window holds, exactly (S25)."""

from definitions.aggregations import aggregation
from definitions.operations.declared import Reads, Result, WindowOperation

OPERATION = WindowOperation(
    name="count_distinct",
    word="count_distinct",
    reads=Reads.VALUES,
    result=Result.COUNT,
    empty=0,
    version=1,
)
count_distinct = aggregation(OPERATION)
