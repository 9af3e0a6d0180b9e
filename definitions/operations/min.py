"""`minimum`: the smallest value; text by its unsigned bytes."""

from definitions.aggregations import aggregation
from definitions.operations.declared import Reads, Result, WindowOperation

OPERATION = WindowOperation(
    name="min",
    word="minimum",
    reads=Reads.VALUES,
    result=Result.INPUT,
    empty=None,
    version=1,
)
minimum = aggregation(OPERATION)
