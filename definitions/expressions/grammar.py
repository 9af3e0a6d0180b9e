"""From text to a syntax tree of nodes that are on the closed list; a message names any other node and refuses it."""

from typing import ClassVar

from sqlglot import TokenType, exp
from sqlglot.dialects.spark import Spark
from sqlglot.errors import SqlglotError
from sqlglot.parsers.spark import SparkParser

from definitions.errors import DefinitionError

MAX_LENGTH = 4000
MAX_NESTING = 20  # the parser recurses about twenty frames per bracket


class _Definitions(Spark):
    """Spark's syntax without its functions: each call stays a bare name with arguments, for our own list.

    A second quote escapes a quote (backslashes are refused before), and numbers have no suffixes, because
    `0.5BD` would come back as decimal(10,0)."""

    class Tokenizer(Spark.Tokenizer):
        STRING_ESCAPES: ClassVar = ["'"]
        NUMERIC_LITERALS: ClassVar = {}
        IDENTIFIERS_CAN_START_WITH_DIGIT = False

    class Parser(SparkParser):
        FUNCTIONS: ClassVar = {}
        FUNCTION_PARSERS: ClassVar = {name: SparkParser.FUNCTION_PARSERS[name] for name in ("CAST", "TRY_CAST")}
        NO_PAREN_FUNCTIONS: ClassVar = {}


_DIALECT = _Definitions()

_TWO_SIDED = (
    *(exp.Add, exp.Sub, exp.Mul, exp.And, exp.Or),
    *(exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ),
)

# Every node that a tree may have, with the arguments that are read. Another argument (an escape, a filter, a
# table) has a meaning that would be lost silently, so it is refused.
_ALLOWED: dict[type[exp.Expr], frozenset[str]] = {
    exp.Paren: frozenset({"this"}),
    exp.Column: frozenset({"this"}),
    exp.Identifier: frozenset({"this", "quoted"}),
    exp.Literal: frozenset({"this", "is_string"}),
    exp.Boolean: frozenset({"this"}),
    exp.Null: frozenset(),
    exp.Neg: frozenset({"this"}),
    exp.Not: frozenset({"this"}),
    exp.Is: frozenset({"this", "expression"}),
    exp.In: frozenset({"this", "expressions"}),
    exp.Between: frozenset({"this", "low", "high"}),
    exp.Case: frozenset({"ifs", "default"}),
    exp.If: frozenset({"this", "true", "false"}),
    exp.Anonymous: frozenset({"this", "expressions"}),
    exp.Cast: frozenset({"this", "to"}),
    exp.TryCast: frozenset({"this", "to", "safe"}),
    exp.DataType: frozenset({"this", "expressions"}),
    exp.DataTypeParam: frozenset({"this"}),
    exp.Like: frozenset({"this", "expression", "negate"}),
    **dict.fromkeys(_TWO_SIDED, frozenset({"this", "expression"})),
}

_REFUSED: dict[type[exp.Expr], tuple[str, str]] = {
    exp.Div: ("the operator /", "it fails the run where the divisor is 0: write try_divide(a, b)"),
    exp.DPipe: ("the operator ||", "write concat(a, b)"),
    exp.Window: ("a window function", "windows are declared in an AggregateView"),
    exp.Star: ("a star", "name the columns"),
    exp.Lambda: ("a lambda", "expressions are scalar"),
    exp.Transform: ("a lambda", "expressions are scalar"),
    exp.Bracket: ("an element access", "expressions read plain columns"),
    exp.Placeholder: ("a parameter", "write the value"),
    exp.Parameter: ("a parameter", "write the value"),
    exp.Interval: ("an interval", "use date_add or seconds_between"),
    exp.Escape: ("like … escape", "use startswith or contains"),
    exp.Dot: ("a qualified name", "name the column or function alone"),
    exp.RegexpLike: ("a regular expression", "use like, startswith or contains"),
}

_NOT_SCALAR = {TokenType.SEMICOLON: "a semicolon", TokenType.HINT: "a hint", TokenType.SELECT: "a subquery"}
_DROPPED_LENGTH = {TokenType.CHAR, TokenType.VARCHAR, TokenType.NCHAR, TokenType.NVARCHAR}


def syntax_tree(text: str) -> exp.Expr:
    """The tree of one scalar expression, all of its nodes on the closed list; else DefinitionError."""
    _refuse_characters(text)
    try:
        _refuse_tokens(text)
        trees = _DIALECT.parse_into(exp.Condition, text)
    except RecursionError:
        raise DefinitionError("it is nested too deeply; split it into several features") from None
    except SqlglotError as error:
        raise DefinitionError(f"it does not parse{_near_text(error)}; write one Spark SQL scalar expression") from None
    tree = trees[0] if len(trees) == 1 else None
    if tree is None:
        raise DefinitionError("it is empty; write one Spark SQL scalar expression")
    for node in tree.walk():
        _refuse_node(node)
    return tree


def is_plain_word(name: str) -> bool:
    """Whether the name, written bare, is read as one name and no keyword."""
    try:
        return [token.token_type for token in _DIALECT.tokenize(name)] == [TokenType.VAR]
    except SqlglotError:
        return False


def refuse_deep(text: str) -> None:
    """DefinitionError if brackets and cases stand so deep that the text might not parse again."""
    depth = 0
    for token in _DIALECT.tokenize(text):
        depth += token.token_type in (TokenType.L_PAREN, TokenType.CASE)
        depth -= token.token_type in (TokenType.R_PAREN, TokenType.END)
        if depth > MAX_NESTING:
            raise DefinitionError(f"it nests more than {MAX_NESTING} levels; split it into several features")


def _refuse_characters(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise DefinitionError(f"it has {len(text)} characters, at most {MAX_LENGTH} are read; split it")
    if "\\" in text:
        raise DefinitionError("it holds a backslash; double a quote to write one: 'it''s'")
    if "${" in text:  # Spark replaces it by a variable or an environment variable, also inside a string
        raise DefinitionError("it holds ${, which Spark replaces by variables; write the value")


def _refuse_tokens(text: str) -> None:
    for token in _DIALECT.tokenize(text):
        if token.comments:
            raise DefinitionError("it holds a comment; say it in the feature's documentation")
        if token.token_type in _NOT_SCALAR:
            raise DefinitionError(f"{_NOT_SCALAR[token.token_type]} is not allowed; write one scalar expression")
        if token.token_type in _DROPPED_LENGTH:
            raise DefinitionError(f"the type {token.text} is not allowed; write string")


def _refuse_node(node: exp.Expr) -> None:
    if isinstance(node, exp.Column) and node.args.get("table"):
        raise DefinitionError(f"the qualified column {node.sql()} is not allowed; name the column alone")
    allowed = _ALLOWED.get(type(node))
    if allowed is None:
        what, remedy = _REFUSED.get(type(node), (f"{node.key} syntax", "use the listed operators and functions"))
        raise DefinitionError(f"{what} is not allowed; {remedy}")
    extra = sorted(name for name, value in node.args.items() if value and name not in allowed)
    # Each type states whether it is nested; nested types are refused by their names.
    if extra and not (isinstance(node, exp.DataType) and extra == ["nested"]):
        raise DefinitionError(f"{node.key} with {', '.join(extra)} is not allowed; write it plainly")


def _near_text(error: SqlglotError) -> str:
    details = getattr(error, "errors", None) or [{}]
    near = str(details[0].get("highlight") or "")
    return f" near '{near}'" if near else ""
