"""The closed list of functions: another one is added here. A function that is not listed never reaches Spark."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from definitions.errors import DefinitionError, UnknownName, did_you_mean
from definitions.expressions.operators import arithmetic_sides
from definitions.expressions.terms import Term, call, converted, fitted, fitted_number, united
from definitions.types import BIGINT, BOOLEAN, DATE, DOUBLE, INT, MAX_PRECISION, STRING, TIMESTAMP, SqlType, decimal
from definitions.zones import zone_names

_Terms = Sequence[Term]


@dataclass(frozen=True)
class Function:
    """How a call reads, how many arguments it takes, and what typed term it makes of them."""

    reads: str
    at_least: int
    at_most: int
    term: Callable[[_Terms], Term]

    @property
    def name(self) -> str:
        return self.reads.partition("(")[0]


def _typed(reads: str, wanted: Sequence[SqlType], result: SqlType, *, optional: int = 0) -> Function:
    """A function of Spark with fixed argument types."""
    name = reads.partition("(")[0]

    def term(arguments: _Terms) -> Term:
        return call(name, [fitted(g, w, of=reads) for g, w in zip(arguments, wanted, strict=False)], result)

    return Function(reads, len(wanted) - optional, len(wanted), term)


def _attempt(reads: str, symbol: str) -> Function:
    """`+ - *` that is null where the operator would fail the run: where the result does not fit its type."""
    name = reads.partition("(")[0]

    def term(arguments: _Terms) -> Term:
        sides, result = arithmetic_sides(symbol, *arguments, of=reads)
        return call(name, arguments, result, sql=f"{name}({sides[0].sql}, {sides[1].sql})")

    return Function(reads, 2, 2, term)


def _concat(arguments: _Terms) -> Term:
    return call("concat", [fitted(g, STRING, of="concat(a, b, …)") for g in arguments], STRING)


def _branches(name: str) -> Callable[[_Terms], Term]:
    """coalesce and nullif: the common type of all arguments."""

    def term(arguments: _Terms) -> Term:
        terms = united(arguments, of=name)
        return call(name, terms, terms[0].type)

    return term


def _extreme(name: str) -> Callable[[_Terms], Term]:
    def term(arguments: _Terms) -> Term:
        terms = united(arguments, of=name)
        if terms[0].type == BOOLEAN:
            raise DefinitionError(f"{name} needs values with an order, found boolean; write and / or")
        return call(name, terms, terms[0].type)

    return term


def _choice(arguments: _Terms) -> Term:
    condition = fitted(arguments[0], BOOLEAN, of="the condition of if")
    terms = united(arguments[1:], of="if")
    return call("if", [condition, *terms], terms[0].type)


def _abs(arguments: _Terms) -> Term:
    number = fitted_number(arguments[0], of="abs(number)")
    number = converted(number, BIGINT) if number.type.is_whole else number
    return call("abs", [number], number.type)


def _bround(arguments: _Terms) -> Term:
    number = fitted_number(arguments[0], of="bround(number, places)")
    places = _places(arguments[1]) if len(arguments) > 1 else 0
    result = number.type
    if result.is_decimal:
        kept = min(places, result.scale)
        result = decimal(min(result.precision - result.scale + 1 + kept, MAX_PRECISION), kept)
    return call("bround", [number, *arguments[1:]], result)


def _places(term: Term) -> int:
    if term.literal is None or term.type != INT or not 0 <= int(term.literal) <= MAX_PRECISION:
        raise DefinitionError(f"bround needs a literal number of places from 0 to 38, found {term.text}")
    return int(term.literal)


def _whole_part(name: str) -> Callable[[_Terms], Term]:
    def term(arguments: _Terms) -> Term:
        number = fitted_number(arguments[0], of=f"{name}(number)")
        number = converted(number, BIGINT) if number.type.is_whole else number
        kind = number.type
        if not kind.is_decimal:
            return call(name, [number], BIGINT)
        digits = kind.precision - kind.scale + 1 if kind.scale else kind.precision
        return call(name, [number], decimal(digits, 0))

    return term


def _between_instants(name: str, microseconds: str) -> Function:
    def term(arguments: _Terms) -> Term:
        end, start = (fitted(g, TIMESTAMP, of=f"{name}(end, start)") for g in arguments)
        sql = f"((unix_micros({end.sql}) - unix_micros({start.sql})) / {microseconds})"
        return call(name, arguments, DOUBLE, sql=sql)

    return Function(f"{name}(end, start)", 2, 2, term)


def _local(name: str, spark: str, result: SqlType) -> Function:
    """A part of the local wall time in a named zone; right because sessions are pinned to UTC (S2)."""

    def term(arguments: _Terms) -> Term:
        instant = fitted(arguments[0], TIMESTAMP, of=f"{name}(instant, 'zone')")
        wall = f"from_utc_timestamp({instant.sql}, {_zone(arguments[1]).sql})"
        return call(name, arguments, result, sql=spark.format(wall))

    return Function(f"{name}(instant, 'zone')", 2, 2, term)


@cache
def _zones() -> frozenset[str]:
    # A zone without a region (EST, posixrules) is unknown to Java, or another zone there.
    return frozenset(z for z in zone_names() if z == "UTC" or "/" in z)


def _zone(term: Term) -> Term:
    if term.literal is None or term.type != STRING:
        raise DefinitionError(f"the zone must be a literal such as 'America/New_York', found {term.text}")
    if term.literal not in _zones():
        hint = did_you_mean(term.literal, _zones())
        raise UnknownName(f"'{term.literal}' is no IANA zone; write one such as 'America/New_York'.{hint}")
    return term


_ANY = 64

FUNCTIONS: Mapping[str, Function] = {
    f.name: f
    for f in (
        Function("coalesce(a, b, …)", 2, _ANY, _branches("coalesce")),
        Function("nullif(a, b)", 2, 2, _branches("nullif")),
        Function("if(condition, a, b)", 3, 3, _choice),
        Function("greatest(a, b, …)", 2, _ANY, _extreme("greatest")),
        Function("least(a, b, …)", 2, _ANY, _extreme("least")),
        Function("abs(number)", 1, 1, _abs),
        Function("bround(number, places)", 1, 2, _bround),
        Function("floor(number)", 1, 1, _whole_part("floor")),
        Function("ceil(number)", 1, 1, _whole_part("ceil")),
        _attempt("try_add(a, b)", "+"),
        _attempt("try_subtract(a, b)", "-"),
        _attempt("try_multiply(a, b)", "*"),
        _typed("try_divide(a, b)", (DOUBLE, DOUBLE), DOUBLE),
        _typed("rint(number)", (DOUBLE,), DOUBLE),
        _typed("sqrt(number)", (DOUBLE,), DOUBLE),
        _typed("ln(number)", (DOUBLE,), DOUBLE),
        _typed("log10(number)", (DOUBLE,), DOUBLE),
        _typed("exp(number)", (DOUBLE,), DOUBLE),
        _typed("pow(a, b)", (DOUBLE, DOUBLE), DOUBLE),
        _typed("sign(number)", (DOUBLE,), DOUBLE),
        _typed("upper(string)", (STRING,), STRING),
        _typed("lower(string)", (STRING,), STRING),
        _typed("trim(string)", (STRING,), STRING),
        _typed("length(string)", (STRING,), INT),
        Function("concat(a, b, …)", 2, _ANY, _concat),
        _typed("substring(string, position, length)", (STRING, INT, INT), STRING, optional=1),
        _typed("replace(string, search, by)", (STRING, STRING, STRING), STRING),
        _typed("startswith(string, start)", (STRING, STRING), BOOLEAN),
        _typed("contains(string, part)", (STRING, STRING), BOOLEAN),
        _typed("date_add(day, days)", (DATE, INT), DATE),
        _typed("datediff(end, start)", (DATE, DATE), INT),
        _between_instants("seconds_between", "1000000D"),
        _between_instants("days_between", "86400000000D"),
        _local("local_hour", "hour({})", INT),
        _local("local_weekday", "(weekday(to_date({})) + 1)", INT),
        _local("local_date", "to_date({})", DATE),
    )
}

SYNONYMS: Mapping[str, str] = {
    "iff": "if",
    "power": "pow",
    "starts_with": "startswith",
}

_LOCAL = "time parts need a zone: write local_hour, local_weekday or local_date(instant, 'America/New_York')"
_AGGREGATE = "an expression sees one row; aggregates are declared in an AggregateView"
_CLOCK = "a value must be the same in every run; compare with a column or a literal"
_ADVICE: Mapping[str, str] = {
    "round": "it rounds half-up, which biases sums; write bround(number, places), half-even",
    "from_utc_timestamp": _LOCAL,
    "to_utc_timestamp": _LOCAL,
    **dict.fromkeys(("hour", "dayofweek", "weekday", "day", "month", "year", "to_date", "date_trunc", "trunc"), _LOCAL),
    **dict.fromkeys(("sum", "count", "avg", "mean", "min", "max", "first", "last", "collect_list"), _AGGREGATE),
    **dict.fromkeys(("now", "current_timestamp", "current_date", "unix_timestamp", "rand", "randn", "uuid"), _CLOCK),
    **dict.fromkeys(
        ("reflect", "java_method", "try_reflect", "input_file_name", "current_user"),
        "expressions compute from columns alone",
    ),
}


def function(name: str) -> Function:
    """The function of that name in any case; unlisted: DefinitionError with advice, or UnknownName."""
    known = SYNONYMS.get(name.lower(), name.lower())
    if listed := FUNCTIONS.get(known):
        return listed
    if advice := _ADVICE.get(known):
        raise DefinitionError(f"the function {name} is not allowed: {advice}")
    hint = did_you_mean(known, [*FUNCTIONS, *SYNONYMS])
    raise UnknownName(f"the function '{name}' is not on the list of functions for expressions.{hint}")


def applied(name: str, arguments: _Terms) -> Term:
    """The call as a typed term; DefinitionError for a wrong number or type of arguments."""
    called = function(name)
    if not called.at_least <= len(arguments) <= called.at_most:
        raise DefinitionError(f"{called.reads} was given {len(arguments)} arguments")
    return called.term(arguments)
