"""Expressions: what is refused, as which error, and with which advice."""

import pytest

from definitions.errors import DefinitionError, UnknownName
from definitions.expressions import parse_expression

SCHEMA = {
    "n": "int",
    "big": "bigint",
    "x": "double",
    "price": "decimal(10,2)",
    "wide": "decimal(38,10)",
    "brand": "string",
    "at": "timestamp",
    "day": "date",
    "is_a": "boolean",
    "is_b": "boolean",
    "tags": "array<string>",
    "single": "float",
}
WHERE = "view 'basket_lines' v1, feature 'unit_price'"


def refusal(text: str) -> DefinitionError:
    with pytest.raises(DefinitionError) as caught:
        parse_expression(text, SCHEMA, where=WHERE)
    return caught.value


ATTACKS = [
    "reflect('java.lang.Runtime', 'getRuntime')",
    "java_method('java.lang.System', 'getenv', 'PATH')",
    "try_reflect('java.lang.System', 'getenv', 'PATH')",
    "REFLECT('java.lang.System', 'exit')",
    "`reflect`('java.lang.System', 'exit')",
    "{fn reflect('java.lang.System', 'exit')}",
    "system.builtin.reflect('a', 'b')",
    "(select max(v) from csv.`/etc/passwd`)",
    "n in (select 1)",
    "exists(select 1)",
    "coalesce(n, (select 1))",
    "n from t",
    "n; drop table t",
    "n;",
    ";",
    "n -- and more",
    "n /* and more */",
    "/*+ broadcast(t) */ n",
    "'${env:PATH}'",
    "`${env:PATH}`",
    "brand = '\\' or 1 = 1 --'",
    "'a\u0000b'",
    "'a\nb'",
    "rand()",
    "uuid()",
    "now()",
    "current_timestamp()",
    "current_timestamp",
    "current_date",
    "current_user()",
    "unix_timestamp()",
    "monotonically_increasing_id()",
    "spark_partition_id()",
    "input_file_name()",
    "sum(n)",
    "count(*)",
    "max(n)",
    "sum(n) over (partition by brand)",
    "row_number() over (order by n)",
    "lag(n, 1)",
    "coalesce(n, 1) filter (where is_a)",
    "upper(distinct brand)",
    "greatest(n order by n)",
    "coalesce(n, 1) ignore nulls",
    "explode(tags)",
    "transform(tags, t -> t)",
    "filter(tags, t -> true)",
    "n -> n + 1",
    "pow(a => x, b => 2)",
    "*",
    "n.*",
    "t.n",
    "db.t.n",
    "tags[0]",
    "n:field",
    ":n",
    "?",
    "@n",
    "$n",
    "{{ n }}",
    "n as m",
    "n m",
    "n, x",
    "(n, x)",
    "n % 2",
    "n div 2",
    "n & 1",
    "~n",
    "brand || brand",
    "brand rlike 'a'",
    "brand ilike 'a'",
    "brand like 'a!%' escape '!'",
    "brand like any ('a', 'b')",
    "brand collate UNICODE",
    "interval '1' day",
    "at at time zone 'UTC'",
    "x'1F'",
    "N'abc'",
    "'a' 'b'",
    "1L",
    "0.5BD",
    "5.",
    "1_000",
    "if n then 1",
    "case n when 1 then 2 end",
    "case end",
    "is_a is true",
    "n is distinct from 1",
    "n in ()",
    "n in (big)",
    "n in (1, null)",
    "brand like brand",
    "extract(year from day)",
    "trim(both 'a' from brand)",
    "from_json(brand, 'a int')",
    "get_json_object(brand, '$.a')",
    "java.lang.System.exit(1)",
    "",
    "   ",
    "(",
    "n +",
    "'open",
    "`open",
    "not " * 200 + "is_a",
    "(" * 300 + "n" + ")" * 300,
    "n + " * 990 + "n",
    "n + " * 3000 + "n",
]


@pytest.mark.parametrize("text", ATTACKS, ids=lambda text: text[:40])
def test_whatever_is_not_a_scalar_of_listed_parts_is_refused(text: str) -> None:
    error = refusal(text)
    assert str(error).startswith(f"{WHERE}: ")
    assert "Found: " in str(error)
    assert error.exit_code in (10, 11)


MIXED = [
    "n = '1'",
    "brand > 1",
    "brand = day",
    "day = at",
    "day = '2017-01-01'",
    "at > '2017-01-01'",
    "at - at",
    "day + 1",
    "n and is_a",
    "not n",
    "is_a + 1",
    "is_a < is_b",
    "is_a between is_a and is_b",
    "greatest(is_a, is_b)",
    "coalesce(n, 'none')",
    "if(n, 1, 2)",
    "if(is_a, 1, 'two')",
    "case when is_a then day else at end",
    "nullif(brand, 0)",
    "upper(n)",
    "concat(brand, n)",
    "length(n)",
    "abs(brand)",
    "sqrt(brand)",
    "try_divide(brand, 2)",
    "bround(x, n)",
    "bround(x, -1)",
    "substring(brand, x)",
    "date_add(at, 1)",
    "date_add('2017-01-01', 1)",
    "datediff(at, day)",
    "seconds_between(day, day)",
    "local_hour(day, 'UTC')",
    "local_hour(at, brand)",
    "local_hour(at)",
    "coalesce(n)",
    "abs(n, n)",
    "n = null",
    "null <=> n",
    "n between null and 2",
    "n + null",
    "null",
    "coalesce(null, null)",
    "wide * wide",
    "coalesce(wide, 0.12345678901)",
    "99999999999999999999",
    "1e400",
    "0.123456789012345678901234567890123456789",
    "is_a = n > 1",
    "is_a = n in (1)",
    "is_a = not is_b",
    "tags is null",
    "single + 1",
]


@pytest.mark.parametrize("text", MIXED)
def test_operands_that_do_not_fit_are_refused_before_spark_converts_them(text: str) -> None:
    assert not isinstance(refusal(text), UnknownName)


CASTS = [
    "cast(at as string)",
    "cast(brand as timestamp)",
    "try_cast(brand as timestamp)",
    "cast('2017-01-01T00:00:00Z' as timestamp)",
    "cast(at as date)",
    "cast(day as timestamp)",
    "cast(at as bigint)",
    "cast(n as timestamp)",
    "cast(n as date)",
    "cast(day as int)",
    "cast(n as boolean)",
    "cast(n as decimal)",
    "cast(n as decimal(39,0))",
    "cast(n as decimal(2,3))",
    "cast(x as float)",
    "cast(n as smallint)",
    "cast(n as binary)",
    "cast(n as array<int>)",
    "cast(n as varchar(3))",
    "cast(n as char(3))",
    "cast(at as timestamp_ntz)",
    "cast(n as nonsense)",
    "cast(n as int format 'x')",
]


@pytest.mark.parametrize("text", CASTS)
def test_casts_stay_among_the_known_types_and_away_from_time(text: str) -> None:
    refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "timestamp'2017-11-30'",
        "timestamp'2017-11-30 00:00:00'",
        "timestamp'2017-11-30 00:00:00 America/New_York'",
        "timestamp'now'",
        "timestamp'2017-13-01T00:00:00Z'",
        "timestamp'1899-01-01T00:00:00Z'",
        "timestamp'0001-01-01T00:00:00+10:00'",
        "timestamp_ntz'2017-11-30 00:00:00'",
        "date'today'",
        "date'2017-1-1'",
        "date'2017-02-30'",
        "int'5'",
    ],
)
def test_a_time_literal_is_one_fixed_day_or_instant_or_refused(text: str) -> None:
    refusal(f"coalesce({text}, null)")


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("price / n", "try_divide(a, b)"),
        ("round(x, 2)", "bround(number, places)"),
        ("hour(at)", "local_hour"),
        ("from_utc_timestamp(at, 'UTC')", "local_hour"),
        ("sum(n)", "AggregateView"),
        ("brand || 'a'", "concat(a, b)"),
        ("cast(at as date)", "local_date"),
        ("cast(brand as timestamp)", "time is never text"),
        ("timestamp'2017-11-30 00:00:00'", "names no zone"),
        ("n = null", "is null"),
        ("n = '1'", "n is int, '1' is string"),
        ("wide * wide", "would lose decimals"),
        ("is_a = n > 1", "brackets"),
        ("tags is null", "array<string>"),
    ],
)
def test_a_refusal_says_what_to_write_instead(text: str, advice: str) -> None:
    assert advice in str(refusal(text))


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("prise + 1", "Did you mean 'price'?"),
        ("Price + 1", "Did you mean 'price'?"),
        ("DAY", "Did you mean 'day'?"),
        ("uper(brand)", "Did you mean 'upper'?"),
        ("local_hour(at, 'America/NewYork')", "Did you mean 'America/New_York'?"),
        ("local_hour(at, 'EST')", "no IANA zone"),
        ("current_date", "there is no column 'current_date'"),
        ("monotonically_increasing_id()", "not on the list"),
    ],
)
def test_an_unknown_name_gets_the_nearest_known_one(text: str, hint: str) -> None:
    error = refusal(text)
    assert isinstance(error, UnknownName)
    assert hint in str(error)
