"""Parse, check, type and rewrite one expression: a walk over the tree, from the leaves to the root."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlglot import exp

from definitions.errors import DefinitionError, UnknownName, did_you_mean
from definitions.expressions import literals, operators
from definitions.expressions.casts import cast
from definitions.expressions.functions import applied, function
from definitions.expressions.grammar import is_plain_word, refuse_deep, syntax_tree
from definitions.expressions.terms import Term
from definitions.types import BOOLEAN, KNOWN, VOID, SqlType, parse_type

_ZONE = re.compile(r", '([A-Za-z][A-Za-z0-9_+/-]*)'\)")


@dataclass(frozen=True)
class Expression:
    """One value per row. `parse_expression(e.text, schema) == e`, for every expression e.

    text: canonical in the language of definitions; formatting, case of words and needless brackets are gone.
    sql: canonical Spark SQL with all conversions written out; right in a session pinned to UTC (S2).
    type: the Spark type name of the value, which `sql` has exactly.
    columns: the columns read, sorted, each once."""

    text: str
    sql: str
    type: str
    columns: tuple[str, ...]

    @property
    def zones(self) -> frozenset[str]:
        """The time zones whose clocks it reads."""
        return frozenset(_ZONE.findall(self.sql)) if "from_utc_timestamp" in self.sql else frozenset()


def parse_expression(text: str, schema: Mapping[str, str], *, where: str) -> Expression:
    """The expression that `text` means over columns of `schema` (name -> Spark type name).

    Raises DefinitionError for what does not parse, is not on the closed list or mixes types, and UnknownName
    for an unknown column, function or zone; the message begins with `where`, which names the definition."""
    try:
        tree = syntax_tree(text)
        term = _Reading(schema).term(tree)
        refuse_deep(term.text)
        if term.type == VOID:
            raise DefinitionError("it is always null and has no type; write cast(null as <type>)")
    except DefinitionError as error:
        raise type(error)(f"{where}: {_sentence(str(error))} Found: {_shortened(text)}") from None
    except RecursionError:
        raise DefinitionError(
            f"{where}: it is too long a chain; split it into several features. Found: {_shortened(text)}"
        ) from None
    columns = tuple(sorted({column.name for column in tree.find_all(exp.Column)}))
    return Expression(term.text, term.sql, str(term.type), columns)


def _sentence(message: str) -> str:
    return message if message.endswith((".", "?")) else f"{message}."


def _shortened(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:200]}…"


_ARITHMETIC: Mapping[type[exp.Expr], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*"}
_COMPARISON: Mapping[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.NullSafeEQ: "<=>",
}
_CONNECTIVE: Mapping[type[exp.Expr], str] = {exp.And: "and", exp.Or: "or"}
_PREDICATES = (exp.Is, exp.In, exp.Between, exp.Like)


class _Reading:
    """One walk over one tree with one schema."""

    def __init__(self, schema: Mapping[str, str]) -> None:
        self.schema = schema

    def term(self, node: exp.Expr) -> Term:
        kind = type(node)
        if kind in _ARITHMETIC:
            return operators.arithmetic(_ARITHMETIC[kind], *self._sides(node))
        if kind in _COMPARISON:
            _refuse_ambiguous(node)
            return operators.comparison(_COMPARISON[kind], *self._sides(node))
        if kind in _CONNECTIVE:
            return operators.connective(_CONNECTIVE[kind], *self._sides(node))
        return self._readers[kind](self, node)

    def _sides(self, node: exp.Expr) -> tuple[Term, Term]:
        return self.term(node.this), self.term(node.expression)

    def _column(self, node: exp.Expr) -> Term:
        name = node.name
        declared = self.schema.get(name)
        if declared is None:
            same = [known for known in self.schema if known.lower() == name.lower()]
            hint = did_you_mean(same[0] if same else name, self.schema)
            raise UnknownName(f"there is no column '{name}' (names are case-sensitive).{hint}")
        type_ = parse_type(declared)
        if type_ is None:
            raise DefinitionError(f"the column {name} is {declared}; expressions read only {KNOWN}")
        text = literals.name(name, plain_word=is_plain_word(name))
        return Term(text, text, type_)

    def _negative(self, node: exp.Expr) -> Term:
        inner = node.this.unnest()
        if isinstance(inner, exp.Literal) and not inner.is_string:
            return literals.number(inner.name, negative=True)
        return operators.negative(self.term(inner))

    def _not(self, node: exp.Expr) -> Term:
        inner, negated = node, False
        while isinstance(inner, (exp.Not, exp.Paren)):  # Two nots cancel out, in three-valued logic, too.
            inner, negated = inner.this, negated != isinstance(inner, exp.Not)
        if isinstance(inner, _PREDICATES):
            return self._predicate(inner, negated=negated)
        term = operators.negation(self.term(inner))
        return term if negated else self.term(inner)

    def _predicate(self, node: exp.Expr, *, negated: bool = False) -> Term:
        _refuse_ambiguous(node)
        subject = self.term(node.this)
        if isinstance(node, exp.Is):
            if not isinstance(node.expression, exp.Null):
                raise DefinitionError("is goes with null only; a boolean stands for itself, or write = false")
            return operators.is_null(subject, negated=negated)
        if isinstance(node, exp.In):
            return operators.is_in(subject, [self.term(v) for v in node.expressions], negated=negated)
        if isinstance(node, exp.Between):
            low, high = self.term(node.args["low"]), self.term(node.args["high"])
            return operators.is_between(subject, low, high, negated=negated)
        # `not like` is one node; other predicates are below a Not.
        within = bool(node.args.get("negate"))
        return operators.is_like(subject, self.term(node.expression), negated=negated != within)

    def _case(self, node: exp.Expr) -> Term:
        branches = [(self.term(branch.this), self.term(branch.args["true"])) for branch in node.args["ifs"]]
        otherwise = node.args.get("default")
        return operators.case(branches, self.term(otherwise) if otherwise else None)

    def _if(self, node: exp.Expr) -> Term:
        parts = [node.this, node.args["true"], node.args.get("false")]
        return applied("if", [self.term(part) for part in parts if part])

    def _call(self, node: exp.Expr) -> Term:
        if not isinstance(node.this, str):
            raise DefinitionError(f"the quoted function name {node.name} is not allowed; write it bare")
        function(node.this)  # An unknown function is reported before an unknown column among its arguments.
        return applied(node.this, [self.term(argument) for argument in node.expressions])

    def _cast(self, node: exp.Expr) -> Term:
        return cast(self.term(node.this), _cast_type(node), attempt=bool(node.args.get("safe")))

    def _typed_literal(self, node: exp.Expr) -> Term:
        wanted = node.args["to"].sql("spark").upper()
        readers = {"DATE": literals.day, "TIMESTAMP": literals.instant}
        if wanted not in readers or not isinstance(node.this, exp.Literal):
            raise DefinitionError(f"the literal {wanted}'{node.name}' is not allowed; write date'…' or timestamp'…Z'")
        return readers[wanted](node.name)

    def _literal(self, node: exp.Expr) -> Term:
        return literals.string(node.name) if node.args["is_string"] else literals.number(node.name)

    _readers: Mapping[type[exp.Expr], Callable[["_Reading", exp.Expr], Term]] = {
        exp.Paren: lambda self, node: self.term(node.this),
        exp.Column: _column,
        exp.Literal: _literal,
        exp.Boolean: lambda self, node: _word(str(node.this).lower(), BOOLEAN, literal=True),
        exp.Null: lambda self, node: _word("null", VOID, literal=False),
        exp.Neg: _negative,
        exp.Not: _not,
        exp.Is: _predicate,
        exp.In: _predicate,
        exp.Between: _predicate,
        exp.Like: _predicate,
        exp.Case: _case,
        exp.If: _if,
        exp.Anonymous: _call,
        exp.TryCast: _cast,  # In the parser's tree `cast` is a TryCast, too; `safe` is set for try_cast alone.
        exp.Cast: _typed_literal,
    }


def _word(word: str, kind: SqlType, *, literal: bool) -> Term:
    return Term(word, word, kind, literal=word if literal else None)


def _cast_type(node: exp.Expr) -> SqlType:
    name = node.args["to"].sql("spark").lower()
    wanted = parse_type(name)
    if wanted is None:
        advice = "write decimal(p,s)" if name == "decimal" else f"known are {KNOWN}"
        raise DefinitionError(f"a cast to {name} is not allowed; {advice}")
    return wanted


def _refuse_ambiguous(node: exp.Expr) -> None:
    """`a = b in (1)` is read in one way by our parser and in another by Spark: brackets are required."""
    for operand in (node.this, node.args.get("expression")):
        if isinstance(operand, (exp.Not, *_PREDICATES)) or type(operand) in _COMPARISON:
            raise DefinitionError("two comparisons stand side by side; add brackets to show which is evaluated first")
