"""`maximum`: the largest value; text by its unsigned bytes."""

from definitions.aggregations import aggregation
from definitions.operations.declared import Reads, Result, WindowOperation

OPERATION = WindowOperation(
    name="max",
    word="maximum",
    reads=Reads.VALUES,
    result=Result.INPUT,
    empty=None,
    version=1,
)
maximum = aggregation(OPERATION)
