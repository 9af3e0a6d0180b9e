"""Columns that are computed once, however often they are used."""

from pyspark.sql import Column
from pyspark.sql import functions as F


def once(column: Column) -> Column:
    """The same value. Spark copies an expression into every place that uses it, but not one that may differ each time.

    A filter on such a column is not moved below it. Not for conditions of joins, where Spark allows no such column.
    """
    return F.when(F.spark_partition_id() >= 0, column)
