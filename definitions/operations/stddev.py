"""`deviation`: the sample standard deviation; null with fewer than two values."""

from definitions.aggregations import aggregation
from definitions.operations.declared import Accepts, Reads, Result, WindowOperation

OPERATION = WindowOperation(
    name="stddev",
    word="deviation",
    accepts=Accepts.NUMBERS,
    reads=Reads.QUANTA,
    result=Result.DOUBLE,
    empty=None,
    version=1,
)
deviation = aggregation(OPERATION)
