"""`last`: the value of the latest fact that has one, in the order of facts (S9)."""

from definitions.aggregations import aggregation
from definitions.operations.declared import Reads, Result, WindowOperation

OPERATION = WindowOperation(
    name="last",
    word="last",
    reads=Reads.VALUES,
    result=Result.INPUT,
    empty=None,
    goes_by_order=True,
    version=1,
)
last = aggregation(OPERATION)
