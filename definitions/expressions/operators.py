"""Operators: arithmetic, comparison, membership, logic and case.

Each takes the terms as they are written, converts them for Spark, and brackets what stands inside."""

from collections.abc import Sequence

from definitions.errors import DefinitionError
from definitions.expressions.terms import Term, converted, fitted, fitted_number, united, widened_to_decimal
from definitions.expressions.widening import arithmetic_type
from definitions.types import BIGINT, BOOLEAN, STRING, VOID, SqlType


def arithmetic(symbol: str, left: Term, right: Term) -> Term:
    """`+ - *` of two numbers in the type of `arithmetic_type`, which is Spark's once converted."""
    sides, result = arithmetic_sides(symbol, left, right, of=f"the operator {symbol}")
    first, second = left.operand(symbol), right.operand()
    sql = f"{sides[0].operand(symbol).sql} {symbol} {sides[1].operand().sql}"
    return Term(f"{first.text} {symbol} {second.text}", sql, result, operator=symbol)


def arithmetic_sides(symbol: str, left: Term, right: Term, *, of: str) -> tuple[list[Term], SqlType]:
    """Both sides of `+ - *` as Spark computes them, and the type of the result."""
    for side in (left, right):
        fitted_number(side, of=of)
    result = arithmetic_type(symbol, left.type, right.type)
    if result.is_decimal:
        return [widened_to_decimal(side) for side in (left, right)], result
    return [converted(side, result) for side in (left, right)], result


def negative(term: Term) -> Term:
    """`-x`; of a whole number it is a bigint, as all arithmetic."""
    number = fitted_number(term, of="the operator -")
    signed = converted(number, BIGINT) if number.type.is_whole else number
    # Two minus signs side by side would begin a comment.
    text, sql = (f"({t})" if t.startswith("-") else t for t in (number.operand().text, signed.operand().sql))
    return Term(f"-{text}", f"-{sql}", signed.type, operator="neg")


def comparison(symbol: str, left: Term, right: Term) -> Term:
    """`= <> < <= > >= <=>` of two values in their common type; booleans have no order, nulls no equal."""
    _refuse_null((left, right), symbol)
    operands = united((left, right), of=f"the operator {symbol}")
    if operands[0].type == BOOLEAN and symbol not in ("=", "<>", "<=>"):
        raise DefinitionError(f"the operator {symbol} needs values with an order, found boolean; write and / or / not")
    text = f"{left.operand().text} {symbol} {right.operand().text}"
    return Term(text, f"{operands[0].operand().sql} {symbol} {operands[1].operand().sql}", BOOLEAN, operator=symbol)


def is_null(term: Term, *, negated: bool) -> Term:
    """`x is [not] null` of any type."""
    inside, words = term.operand(), "is not null" if negated else "is null"
    return Term(f"{inside.text} {words}", f"{inside.sql} {words}", BOOLEAN, operator="is")


def is_in(term: Term, values: Sequence[Term], *, negated: bool) -> Term:
    """`x [not] in (…)` over literals that share a type with x; null among them is refused."""
    if not values or any(v.literal is None for v in values):
        raise DefinitionError("in (…) takes literals, at least one and no null; compare columns with = and or")
    _refuse_null((term,), "in")
    operands = united((term, *values), of="in (…)")
    words = "not in" if negated else "in"
    text = f"{term.operand().text} {words} ({', '.join(v.text for v in values)})"
    sql = f"{operands[0].operand().sql} {words} ({', '.join(v.sql for v in operands[1:])})"
    return Term(text, sql, BOOLEAN, operator="in")


def is_between(term: Term, low: Term, high: Term, *, negated: bool) -> Term:
    """`x [not] between low and high`, both edges included, all three in their common type."""
    _refuse_null((term, low, high), "between")
    operands = united((term, low, high), of="between")
    if operands[0].type == BOOLEAN:
        raise DefinitionError("between needs values with an order, found boolean")
    words = "not between" if negated else "between"
    text = [t.operand().text for t in (term, low, high)]
    sql = [t.operand().sql for t in operands]
    texts = (f"{subject} {words} {first} and {last}" for subject, first, last in (text, sql))
    return Term(next(texts), next(texts), BOOLEAN, operator="between")


def is_like(term: Term, pattern: Term, *, negated: bool) -> Term:
    """`x [not] like 'a%'`: % any characters, _ one; the pattern is a literal."""
    if pattern.type != STRING or pattern.literal is None:
        raise DefinitionError(f"like needs a literal pattern such as 'a%', found {pattern.text}")
    inside = fitted(term, STRING, of="like").operand()
    words = "not like" if negated else "like"
    return Term(
        f"{inside.text} {words} {pattern.text}",
        f"{inside.sql} {words} {pattern.sql}",
        BOOLEAN,
        operator="like",
    )


def connective(word: str, left: Term, right: Term) -> Term:
    """`and`, `or` in three-valued logic."""
    operands = [fitted(side, BOOLEAN, of=word) for side in (left, right)]
    text = f"{left.operand(word).text} {word} {right.operand().text}"
    sql = f"{operands[0].operand(word).sql} {word} {operands[1].operand().sql}"
    return Term(text, sql, BOOLEAN, operator=word)


def negation(term: Term) -> Term:
    """`not x`; null stays null."""
    condition = fitted(term, BOOLEAN, of="not")
    return Term(f"not {term.operand().text}", f"not {condition.operand().sql}", BOOLEAN, operator="not")


def case(branches: Sequence[tuple[Term, Term]], otherwise: Term | None) -> Term:
    """`case when … then … else … end`; the values in their common type, null where no branch holds."""
    conditions = [fitted(condition, BOOLEAN, of="when") for condition, _ in branches]
    values = [value for _, value in branches] + ([otherwise] if otherwise else [])
    operands = united(values, of="case")
    pairs = list(zip(conditions, operands, strict=False))  # the last operand may be the else
    text = " ".join(f"when {when.text} then {then.text}" for when, then in pairs)
    sql = " ".join(f"when {when.sql} then {then.sql}" for when, then in pairs)
    if otherwise:
        text, sql = f"{text} else {operands[-1].text}", f"{sql} else {operands[-1].sql}"
    return Term(f"case {text} end", f"case {sql} end", operands[0].type, operator="case")


def _refuse_null(terms: Sequence[Term], of: str) -> None:
    if any(term.type == VOID for term in terms):
        raise DefinitionError(f"{of} with a bare null is never true; write … is null or … is not null")
