"""`sum_of`: the exact sum of the values (S24)."""

from definitions.aggregations import aggregation
from definitions.operations.declared import Accepts, Reads, Result, WindowOperation

OPERATION = WindowOperation(
    name="sum",
    word="sum_of",
    accepts=Accepts.NUMBERS,
    reads=Reads.QUANTA,
    result=Result.SUM,
    empty=0,
    version=1,
)
sum_of = aggregation(OPERATION)
