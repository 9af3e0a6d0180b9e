"""Numbers that may be published: finite, else null (S23)."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from definitions.expressions import Expression


def expressed(expression: Expression) -> Column:
    """The expression's value in a row; a double is finite, or null."""
    value = F.expr(expression.sql)
    return finite(value) if expression.type == "double" else value


def finite(value: Column) -> Column:
    """NaN and infinity become null, −0.0 becomes 0.0."""
    # Spark orders NaN above every number, so one comparison finds both.
    return F.when(F.abs(value) < F.lit(float("inf")), value + F.lit(0.0))


def finite_sql(expression: Expression) -> str:
    """The same as text; null where the double is not finite, every other type as it is."""
    sql = expression.sql
    return f"if(abs({sql}) < double('Infinity'), {sql}, null)" if expression.type == "double" else sql
