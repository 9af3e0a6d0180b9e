"""cast and try_cast: which types may become which, and what Spark runs for it."""

from definitions.errors import DefinitionError
from definitions.expressions.terms import Term
from definitions.types import DOUBLE, VOID, SqlType


def cast(term: Term, wanted: SqlType, *, attempt: bool = False) -> Term:
    """The term as `wanted`; with `attempt` null where the value does not fit, else that fails the run.

    Decimals that `wanted` has no room for are rounded half-even, where Spark's own cast rounds half-up; text
    is read by Spark's cast. A cast to a whole number cuts towards zero."""
    _refuse_time(term, wanted)
    if not _allowed(term.type, wanted):
        raise DefinitionError(f"{term.text} is {term.type} and can't be cast to {wanted}; compare it instead")
    verb = "try_cast" if attempt else "cast"
    return Term(f"{verb}({term.text} as {wanted})", f"{verb}({_rounded(term, wanted)} as {wanted})", wanted)


def _allowed(given: SqlType, wanted: SqlType) -> bool:
    if given in (VOID, wanted) or "string" in (given.name, wanted.name):
        return True
    return wanted.is_number and (given.is_number or given.name == "boolean")


def _rounded(term: Term, wanted: SqlType) -> str:
    drops = term.type == DOUBLE or (term.type.is_decimal and term.type.scale > wanted.scale)
    return f"bround({term.sql}, {wanted.scale})" if wanted.is_decimal and drops else term.sql


def _refuse_time(term: Term, wanted: SqlType) -> None:
    if term.type in (VOID, wanted) or "timestamp" not in (term.type.name, wanted.name):
        return
    remedy = {
        "string": "time is never text: declare the column's zone in its source",
        "date": "a day belongs to a zone: write local_date(instant, 'America/New_York')",
    }
    other = term.type.name if wanted.name == "timestamp" else wanted.name
    raise DefinitionError(
        f"{term.text} is {term.type} and can't be cast to {wanted}; "
        + remedy.get(other, "use seconds_between for durations")
    )
