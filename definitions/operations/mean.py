"""`mean`: the exact sum, divided once by how many values there are (S24)."""

from definitions.aggregations import aggregation
from definitions.operations.declared import Accepts, Reads, Result, WindowOperation

OPERATION = WindowOperation(
    name="mean",
    word="mean",
    accepts=Accepts.NUMBERS,
    reads=Reads.QUANTA,
    result=Result.DOUBLE,
    empty=None,
    version=1,
)
mean = aggregation(OPERATION)
