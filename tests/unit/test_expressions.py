"""Expressions: what is read, in which type, how it is written for Spark, and that it reads itself back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from definitions.errors import DefinitionError
from definitions.expressions import Expression, parse_expression

SCHEMA = {
    "n": "int",
    "big": "bigint",
    "x": "double",
    "price": "decimal(10,2)",
    "rate": "decimal(12,4)",
    "brand": "string",
    "at": "timestamp",
    "until": "timestamp",
    "day": "date",
    "is_a": "boolean",
    "is_b": "boolean",
    "date": "date",
    "two words": "int",
    "tick`ed": "int",
    "user": "string",
}


def parse(text: str) -> Expression:
    return parse_expression(text, SCHEMA, where="view 'v' v1, feature 'f'")


WRITTEN = [
    ("n + 1", "bigint", "cast(n as bigint) + 1L"),
    ("big - n", "bigint", "big - cast(n as bigint)"),
    ("-n", "bigint", "-cast(n as bigint)"),
    ("-(-1)", "bigint", "-(-1L)"),
    ("big * 0.5", "decimal(22,1)", "cast(big as decimal(20,0)) * 0.5"),
    ("price + 1", "decimal(13,2)", "price + cast(1 as decimal(10,0))"),
    ("price - rate", "decimal(13,4)", "price - rate"),
    ("price * rate", "decimal(23,6)", "price * rate"),
    ("x * 0.5", "double", "x * 0.5D"),
    ("x + price", "double", "x + cast(price as double)"),
    ("x + -1", "double", "x + -1D"),
    ("(n + 1) * big", "bigint", "(cast(n as bigint) + 1L) * big"),
    ("big + big + big", "bigint", "big + big + big"),
    ("big - (big - big)", "bigint", "big - (big - big)"),
    ("1e+6", "double", "1e+6"),
    ("2147483648", "bigint", "2147483648"),
    ("-2147483648", "int", "-2147483648"),
    ("0.05", "decimal(2,2)", "0.05"),
    ("12.50", "decimal(4,2)", "12.50"),
    ("price > 0", "boolean", "cast(price as decimal(12,2)) > cast(0 as decimal(12,2))"),
    ("n = big", "boolean", "cast(n as bigint) = big"),
    ("big <=> n", "boolean", "big <=> cast(n as bigint)"),
    ("x >= 1", "boolean", "x >= 1D"),
    ("brand <> 'it''s'", "boolean", r"brand <> 'it\'s'"),
    ("n not in (1, -2)", "boolean", "n not in (1, -2)"),
    ("big between 1 and n", "boolean", "big between 1L and cast(n as bigint)"),
    ("brand like 'a_%'", "boolean", "brand like 'a_%'"),
    ("brand is not null", "boolean", "brand is not null"),
    ("(is_a and (not is_b)) or is_b", "boolean", "(is_a and (not is_b)) or is_b"),
    ("is_a or is_b or is_a", "boolean", "is_a or is_b or is_a"),
    ("is_a and null", "boolean", "is_a and cast(null as boolean)"),
    ("case when is_a then 1 else 2.5 end", "decimal(11,1)",
     "case when is_a then cast(1 as decimal(11,1)) else cast(2.5 as decimal(11,1)) end"),
    ("case when is_a then x when is_b then 1 end", "double", "case when is_a then x when is_b then 1D end"),
    ("if(is_a, null, brand)", "string", "if(is_a, cast(null as string), brand)"),
    ("coalesce(price, 0.00)", "decimal(10,2)", "coalesce(price, cast(0.00 as decimal(10,2)))"),
    ("nullif(n, 0)", "int", "nullif(n, 0)"),
    ("greatest(n, big, x)", "double", "greatest(cast(n as double), cast(big as double), x)"),
    ("least(day, date'2017-11-30')", "date", "least(day, date'2017-11-30')"),
    ("try_divide(price, n)", "double", "try_divide(cast(price as double), cast(n as double))"),
    ("try_add(n, big)", "bigint", "try_add(cast(n as bigint), big)"),
    ("try_multiply(price, 2)", "decimal(21,2)", "try_multiply(price, cast(2 as decimal(10,0)))"),
    ("abs(n)", "bigint", "abs(cast(n as bigint))"),
    ("bround(price, 1)", "decimal(10,1)", "bround(price, 1)"),
    ("bround(x, 2)", "double", "bround(x, 2)"),
    ("floor(price)", "decimal(9,0)", "floor(price)"),
    ("ceil(x)", "bigint", "ceil(x)"),
    ("sqrt(n)", "double", "sqrt(cast(n as double))"),
    ("pow(x, 2)", "double", "pow(x, 2D)"),
    ("substring(brand, 1, length(brand) - 1)", "string",
     "substring(brand, 1, cast(cast(length(brand) as bigint) - 1L as int))"),
    ("concat(upper(brand), '-', cast(n as string))", "string", "concat(upper(brand), '-', cast(n as string))"),
    ("contains(brand, 'a')", "boolean", "contains(brand, 'a')"),
    ("try_cast(brand as double)", "double", "try_cast(brand as double)"),
    ("cast(x as decimal(10,2))", "decimal(10,2)", "cast(bround(x, 2) as decimal(10,2))"),
    ("cast(rate as decimal(12,2))", "decimal(12,2)", "cast(bround(rate, 2) as decimal(12,2))"),
    ("cast(price as decimal(12,4))", "decimal(12,4)", "cast(price as decimal(12,4))"),
    ("cast(x as int)", "int", "cast(x as int)"),
    ("cast(null as timestamp)", "timestamp", "cast(null as timestamp)"),
    ("date_add(day, n)", "date", "date_add(day, n)"),
    ("datediff(day, `date`)", "int", "datediff(day, `date`)"),
    ("at < timestamp'2017-11-30T05:00:00Z'", "boolean", "at < timestamp'2017-11-30T05:00:00Z'"),
    ("local_hour(at, 'America/New_York')", "int", "hour(from_utc_timestamp(at, 'America/New_York'))"),
    ("local_weekday(at, 'UTC')", "int", "(weekday(to_date(from_utc_timestamp(at, 'UTC'))) + 1)"),
    ("local_date(at, 'Asia/Tokyo')", "date", "to_date(from_utc_timestamp(at, 'Asia/Tokyo'))"),
    ("seconds_between(at, until)", "double", "((unix_micros(at) - unix_micros(until)) / 1000000D)"),
    ("days_between(at, until)", "double", "((unix_micros(at) - unix_micros(until)) / 86400000000D)"),
    ("upper(`user`)", "string", "upper(`user`)"),
    ("`two words` + `tick``ed`", "bigint", "cast(`two words` as bigint) + cast(`tick``ed` as bigint)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind", "sql"), WRITTEN, ids=[text for text, _, _ in WRITTEN])
def test_a_canonical_definition_has_its_type_and_one_spark_text(text: str, kind: str, sql: str) -> None:
    e = parse(text)
    assert (e.text, e.type, e.sql) == (text, kind, sql)


@pytest.mark.parametrize(
    ("formatted", "canonical"),
    [
        ("  n  +\n1", "n + 1"),
        ("((n)) + (1)", "n + 1"),
        ("n+n*2", "n + (n * 2)"),
        ("NOT is_a AND is_b", "(not is_a) and is_b"),
        ("!is_a", "not is_a"),
        ("n == 1", "n = 1"),
        ("n != 1", "n <> 1"),
        ("not n in (1)", "n not in (1)"),
        ("not (brand is null)", "brand is not null"),
        ("NOT brand LIKE 'a%'", "brand not like 'a%'"),
        ("not (brand not like 'a%')", "brand like 'a%'"),
        ("not (n not in (1))", "n in (1)"),
        ("not not (not is_a)", "not is_a"),
        ("IFF(is_a, 1, 2)", "if(is_a, 1, 2)"),
        ("Power(x, 2)", "pow(x, 2)"),
        ("starts_with(brand, 'a')", "startswith(brand, 'a')"),
        ("n::string", "cast(n as string)"),
        ("CAST(n AS Decimal( 10 , 2 ))", "cast(n as decimal(10,2))"),
        ('brand = "a"', "brand = 'a'"),
        (".5", "0.5"),
        ("007", "7"),
        ("1E6", "1e+6"),
        ("1000000.0e0", "1e+6"),
        ("-0e0", "0e+0"),
        ("-(1)", "-1"),
        ("`n`", "n"),
        ("date '2017-11-30'", "date'2017-11-30'"),
        ("timestamp '2017-11-30 00:00:00.25-05:00'", "timestamp'2017-11-30T05:00:00.250000Z'"),
        ("case when is_a then 1 else 0 end + 1", "(case when is_a then 1 else 0 end) + 1"),
    ],
)
def test_formatting_synonyms_and_needless_brackets_change_nothing(formatted: str, canonical: str) -> None:
    assert parse(formatted) == parse(canonical)
    assert parse(formatted).text == canonical


def test_the_columns_read_are_named_once_and_sorted() -> None:
    assert parse("x + n * x + length(brand)").columns == ("brand", "n", "x")
    assert parse("1").columns == ()


def test_schema_types_may_be_spelled_as_spark_allows() -> None:
    spelled = {"a": "Long", "b": "INTEGER", "c": "decimal( 10, 2 )"}
    assert [parse_expression(c, spelled, where="here").type for c in spelled] == [
        "bigint",
        "int",
        "decimal(10,2)",
    ]


def test_long_chains_stay_flat_and_read_themselves_back() -> None:
    many = parse(" or ".join(["is_a"] * 100))
    assert "(" not in many.text
    assert parse(many.text) == many


Texts = st.SearchStrategy[str]


def _grown(numbers: Texts, booleans: Texts) -> tuple[Texts, Texts]:
    """One level more of every kind of nesting, with and without brackets."""
    arithmetic, order = st.sampled_from("+-*"), st.sampled_from(["=", "<", ">=", "<=>"])
    more_numbers = st.one_of(
        st.builds("({} {} {})".format, numbers, arithmetic, numbers),
        st.builds("{} {} {}".format, numbers, arithmetic, numbers),
        st.builds("-({})".format, numbers),
        st.builds("try_divide({}, {})".format, numbers, numbers),
        st.builds("try_{}({}, {})".format, st.sampled_from(["add", "subtract", "multiply"]), numbers, numbers),
        st.builds("case when {} then {} else {} end".format, booleans, numbers, numbers),
        st.builds("coalesce({}, {}, null)".format, numbers, numbers),
    )
    more_booleans = st.one_of(
        st.builds("({}) {} ({})".format, numbers, order, numbers),
        st.builds("{} {} {}".format, booleans, st.sampled_from(["and", "or"]), booleans),
        st.builds("not ({})".format, booleans),
        st.builds("({}) between ({}) and ({})".format, numbers, numbers, numbers),
    )
    return numbers | more_numbers, booleans | more_booleans


_LEAVES: tuple[Texts, Texts] = (
    st.sampled_from(["n", "big", "x", "`two words`", "1", "-3", "2.5", "1e-3", "local_hour(at, 'UTC')"]),
    st.sampled_from(["is_a", "true", "brand like 'a%'", "brand in ('it''s')", "not is_b", "day is null"]),
)
_NUMBERS, _BOOLEANS = _grown(*_grown(*_LEAVES))


@settings(max_examples=200, deadline=None)
@given(text=_NUMBERS | _BOOLEANS)
def test_whatever_is_accepted_reads_itself_back(text: str) -> None:
    try:
        e = parse(text)
    except DefinitionError:
        return
    assert parse(e.text) == e
