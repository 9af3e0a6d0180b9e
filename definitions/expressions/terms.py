"""A typed piece of an expression, written twice: in the language of definitions and in Spark SQL."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from definitions.errors import DefinitionError
from definitions.expressions.widening import as_decimal, common_type
from definitions.types import BIGINT, DOUBLE, INT, VOID, SqlType


@dataclass(frozen=True)
class Term:
    """`text` re-parses to this term, `sql` is what Spark runs, `type` is the type that `sql` has in Spark."""

    text: str
    sql: str
    type: SqlType
    literal: str | None = None  # of a literal: its bare value
    operator: str = ""  # of an operator's result: that operator, so that the term gets brackets inside another one

    def operand(self, within: str = "") -> "Term":
        """This term as it stands inside an operator; a chain `a + b + c` needs no brackets on its left."""
        if not self.operator or (within and within == self.operator):
            return self
        return replace(self, text=f"({self.text})", sql=f"({self.sql})", operator="")


def call(name: str, terms: Sequence[Term], result: SqlType, *, sql: str = "") -> Term:
    """`name(…)` in the definition's text; for Spark the same with converted terms, or `sql`."""
    text = ", ".join(t.text for t in terms)
    return Term(f"{name}({text})", sql or f"{name}({', '.join(t.sql for t in terms)})", result)


def _widens(given: SqlType, wanted: SqlType) -> bool:
    return given == VOID or (common_type((given, wanted)) == wanted)


def converted(term: Term, wanted: SqlType) -> Term:
    """The term with its Spark text cast to `wanted`; its own text stays. No check: see `fitted`."""
    if term.type == wanted:
        return term
    if term.literal is not None and wanted == DOUBLE and term.type.is_number:
        return replace(term, sql=f"{term.text}D", type=wanted)
    if term.literal is not None and wanted == BIGINT and term.type == INT:
        return replace(term, sql=f"{term.text}L", type=wanted)
    return replace(term, sql=f"cast({term.sql} as {wanted})", type=wanted, operator="")


def fitted(term: Term, wanted: SqlType, *, of: str) -> Term:
    """The term as `wanted`, widened if that loses nothing; else DefinitionError names `of`.

    A bigint is taken where an int is wanted (counts and positions): beyond its range the run fails."""
    if _widens(term.type, wanted) or (term.type == BIGINT and wanted == INT):
        return converted(term, wanted)
    raise DefinitionError(f"{of} needs {wanted}, found {term.type} in {term.text}; {_advice(term.type, wanted)}")


def fitted_number(term: Term, *, of: str) -> Term:
    """The term if it is a number (a null literal is not), else DefinitionError."""
    if not term.type.is_number:
        raise DefinitionError(f"{of} needs a number, found {term.type} in {term.text}; {_advice(term.type, DOUBLE)}")
    return term


def united(terms: Sequence[Term], *, of: str) -> list[Term]:
    """All terms in their common type, void if all are null literals; DefinitionError if they have none."""
    wanted = common_type(t.type for t in terms)
    if wanted is None:
        types = ", ".join(f"{t.text} is {t.type}" for t in terms)
        raise DefinitionError(f"{of} mixes types: {types}; make them one type, e.g. with cast(… as …)")
    return [converted(t, wanted) for t in terms]


def widened_to_decimal(term: Term) -> Term:
    """A whole number as the decimal that holds all of its type; other terms as they are."""
    return converted(term, as_decimal(term.type))


def _advice(given: SqlType, wanted: SqlType) -> str:
    if given == VOID:
        return f"write cast(null as {wanted})"
    if given.is_time or wanted.is_time:
        return "days and instants have their own functions: local_date, date_add, datediff, seconds_between"
    if wanted.name == "boolean":
        return "compare it with something"
    return f"write cast(… as {wanted}) if that is meant"
