"""Expressions: Spark SQL scalar text that was parsed, allow-listed, typed and written anew.

    parse_expression("quantity>0 AND brand = 'Private'", schema, where="view 'basket_lines' v1, feature 'x'")

The text of a definition never reaches Spark as it was written: it is parsed, every node and function must be
on a closed list, every operand's type is checked against the declared schema, and the text is regenerated
from the tree. Two texts come out: `text`, in the language of definitions (it re-parses to the same expression
and is what fingerprints cover), and `sql`, for Spark, where every conversion of types is written out.

The language
    values        1, 0.5, 1e6, 'text', true, null, date'2017-11-30', timestamp'2017-11-30T00:00:00Z'
    operators     + - *  = <> < <= > >= <=>  and or not  is null, in (literals), between, like, case when
    functions     the keys of `definitions.expressions.functions.FUNCTIONS`, and cast / try_cast
    time          local_hour, local_weekday, local_date (always with a zone), seconds_between, days_between

Types: boolean, int, bigint, double, decimal(p,s), string, date, timestamp. Arithmetic of whole numbers is
bigint, with a double anything is double, decimals follow Spark's rule as long as no digit of scale is lost.
There is no `/`: `try_divide` is null where the divisor is 0, and always double. A cast that drops decimals
rounds half-even. Null literals fit every branch; a comparison with null is refused, since it is never true.
"""

from definitions.expressions.parse import Expression, parse_expression

__all__ = ["Expression", "parse_expression"]
