"""`first`: the value of the oldest fact that has one, in the order of facts (S9)."""

from definitions.aggregations import aggregation
from definitions.operations.declared import Reads, Result, WindowOperation

OPERATION = WindowOperation(
    name="first",
    word="first",
    reads=Reads.VALUES,
    result=Result.INPUT,
    empty=None,
    goes_by_order=True,
    version=1,
)
first = aggregation(OPERATION)
