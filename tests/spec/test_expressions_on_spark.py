"""Spark agrees with us: each canonical text has the type that we inferred, and the value that was meant."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from definitions.errors import DefinitionError
from definitions.expressions import parse_expression
from definitions.types import arrow_type

# pyspark leaves its result sockets to the garbage collector
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

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
    "week": "int",
    "date": "date",
    "user": "string",
    "two words": "int",
    "tick`ed": "int",
}
# the last second of 2017-11-05 01:59 EST, the night on which New York's clocks went back
LATE = datetime(2017, 11, 5, 6, 59, 59, 999999, tzinfo=UTC)
EARLY = datetime(2017, 11, 5, 4, 0, tzinfo=UTC)
SUNDAY, MONDAY = date(2017, 11, 5), date(2017, 11, 6)
FULL = (7, 2**40, 2.5, Decimal("2.45"), Decimal("1.0050"), "it's", LATE, EARLY, SUNDAY, True, False)
ZERO = (0, 0, 0.0, Decimal("0.00"), Decimal("0.0000"), "", EARLY, EARLY, SUNDAY, False, False)
ROWS = [
    (*FULL, 45, MONDAY, "someone", 1, 2),
    (*ZERO, 0, SUNDAY, "", 0, 0),
    (None,) * len(SCHEMA),
]

# in the row FULL, in the row ZERO; the row of nulls only must not fail
VALUES = [
    ("n + 1", 8, 1),
    ("n + big * 2 - -3", 7 + 2**41 + 3, 3),
    ("-n", -7, 0),
    ("-(-1)", 1, 1),
    ("-2147483648", -(2**31), -(2**31)),
    ("2147483648", 2**31, 2**31),
    ("0.05", Decimal("0.05"), Decimal("0.05")),
    ("0.00", Decimal("0.00"), Decimal("0.00")),
    ("100.0", Decimal("100.0"), Decimal("100.0")),
    ("2.5e-3", 0.0025, 0.0025),
    ("price + 1", Decimal("3.45"), Decimal("1.00")),
    ("price + rate", Decimal("3.4550"), Decimal("0.0000")),
    ("price - big", Decimal("2.45") - 2**40, Decimal("0.00")),
    ("price * rate", Decimal("2.462250"), Decimal("0.000000")),
    ("price * n", Decimal("17.15"), Decimal("0.00")),
    ("price * 0.5", Decimal("1.225"), Decimal("0.000")),
    ("x * price + n", 13.125, 0.0),
    ("try_divide(price, n)", 2.45 / 7, None),
    ("try_add(n, 9223372036854775805)", None, 2**63 - 3),
    ("try_subtract(-n, 9223372036854775807)", None, -(2**63) + 1),
    ("try_multiply(big, 8388608)", None, 0),
    ("try_multiply(price, rate)", Decimal("2.462250"), Decimal("0.000000")),
    ("try_add(x, 1)", 3.5, 1.0),
    ("try_divide(1, 3)", 1 / 3, 1 / 3),
    ("abs(-n)", 7, 0),
    ("abs(price - 3)", Decimal("0.55"), Decimal("3.00")),
    ("bround(price, 1)", Decimal("2.4"), Decimal("0.0")),
    ("bround(price)", Decimal("2"), Decimal("0")),
    ("bround(x)", 2.0, 0.0),
    ("bround(n, 0)", 7, 0),
    ("rint(x)", 2.0, 0.0),
    ("floor(price)", 2, 0),
    ("floor(x)", 2, 0),
    ("ceil(rate)", 2, 0),
    ("ceil(n)", 7, 0),
    ("sqrt(x * 10)", 5.0, 0.0),
    ("ln(exp(1))", 1.0, 1.0),
    ("log10(1000)", 3.0, 3.0),
    ("pow(x, 2)", 6.25, 0.0),
    ("sign(n)", 1.0, 0.0),
    ("greatest(n, big, price)", Decimal(2**40), Decimal("0.00")),
    ("least(day, `date`)", SUNDAY, SUNDAY),
    ("coalesce(price, 0)", Decimal("2.45"), Decimal("0.00")),
    ("coalesce(null, x, 1)", 2.5, 0.0),
    ("nullif(n, 0)", 7, None),
    ("if(is_a, n, 0.5)", Decimal("7.0"), Decimal("0.5")),
    ("if(is_a, null, brand)", None, ""),
    ("case when n > 5 then 'many' when n > 0 then 'few' else 'none' end", "many", "none"),
    ("case when is_a then x end", 2.5, None),
    ("n = 7 and not is_b or null", True, None),
    ("price > 2.449", True, False),
    ("price = 2.45", True, False),
    ("n <=> week", False, True),
    ("big <> n", True, False),
    ("n in (7, 8) or price in (1, 2.45)", True, False),
    ("n not in (7)", False, True),
    ("x between 2 and 2.5", True, False),
    ("not price between 1 and 3", False, True),
    ("brand like 'i_''%'", True, False),
    ("brand = 'it''s'", True, False),
    ("brand not like '%s'", False, True),
    ("brand is not null and day is null", False, False),
    ("upper(concat(trim('  a '), lower('B'), brand))", "ABIT'S", "AB"),
    ("substring(brand, 1, length(brand) - 1)", "it'", ""),
    ("replace(brand, '''', '')", "its", ""),
    ("startswith(brand, 'it') and contains(brand, 't''')", True, False),
    ("cast(x as decimal(10,0))", Decimal("2"), Decimal("0")),
    ("cast(price as decimal(10,1))", Decimal("2.4"), Decimal("0.0")),
    ("cast(rate as decimal(5,2))", Decimal("1.00"), Decimal("0.00")),
    ("cast(x as int)", 2, 0),
    ("cast(n as string)", "7", "0"),
    ("try_cast(brand as double)", None, None),
    ("cast('2017-11-05' as date) = day", True, True),
    ("cast(is_a as int)", 1, 0),
    ("cast(null as decimal(5,2))", None, None),
    ("date_add(day, 1)", MONDAY, MONDAY),
    ("datediff(`date`, day)", 1, 0),
    ("date'2017-11-05'", SUNDAY, SUNDAY),
    ("at > timestamp'2017-11-05T01:59:59.999998-05:00'", True, False),
    ("timestamp'2017-11-05T00:00:00-04:00' = until", True, True),
    ("local_hour(at, 'America/New_York')", 1, 0),
    ("local_hour(at, 'Asia/Kolkata')", 12, 9),
    ("local_weekday(at, 'America/New_York')", 7, 7),
    ("local_weekday(at, 'America/Chicago') >= 6", True, True),
    ("local_date(until, 'America/Chicago')", date(2017, 11, 4), date(2017, 11, 4)),
    ("seconds_between(at, until)", 10799.999999, 0.0),
    ("days_between(at, until)", 10799.999999 / 86400, 0.0),
    ("`two words` + week * `tick``ed`", 91, 0),
    ("user", "someone", ""),
]


@pytest.fixture
def answers(spark) -> dict[str, tuple[str, list[object]]]:
    """Of each definition: Spark's type and its values in ROWS, all in one select."""
    columns = [
        pa.array(values, arrow_type(kind))
        for values, kind in zip(zip(*ROWS, strict=True), SCHEMA.values(), strict=True)
    ]
    frame = spark.createDataFrame(pa.table(columns, names=list(SCHEMA)))
    texts = [text for text, *_ in VALUES]
    parsed = [parse_expression(text, SCHEMA, where="here") for text in texts]
    answered = frame.selectExpr(*(f"{e.sql} as c{i}" for i, e in enumerate(parsed)))
    types = [field.dataType.simpleString() for field in answered.schema]
    values = list(zip(*answered.collect(), strict=True))
    return {text: (types[i], list(values[i])) for i, text in enumerate(texts)}


def test_spark_gives_the_inferred_types_and_the_meant_values(answers) -> None:
    inferred = {text: parse_expression(text, SCHEMA, where="here").type for text in answers}
    assert {text: kind for text, (kind, _) in answers.items()} == inferred
    found = {text: tuple(values[:2]) for text, (_, values) in answers.items()}
    assert found == {text: (full, zero) for text, full, zero in VALUES}


def test_brackets_say_what_spark_itself_would_have_read(spark) -> None:
    """Our parser's precedence is Spark's: the text as typed and our bracketed one agree on every row of truth."""
    truth = [(a, b, c) for a in (True, False, None) for b in (True, False, None) for c in (True, False, None)]
    frame = spark.createDataFrame(truth, "a boolean, b boolean, c boolean")
    texts = [
        "not a and b",
        "not a or b and c",
        "a or b and not c",
        "!a and b",
        "not a = b",
        "!a = b",
        "a = b = c",
        "a <=> b and c",
        "not a is null and b",
        "a = b is null",
        "a <> b or c is not null",
        "case when a then b else c end and a",
        "a and b in (true) or c",
    ]
    schema = {"a": "boolean", "b": "boolean", "c": "boolean"}
    ours, refused = {}, []
    for text in texts:
        try:
            ours[text] = parse_expression(text, schema, where="here").sql
        except DefinitionError:
            refused.append(text)
    pairs = [f"({text}) <=> ({sql}) as c{i}" for i, (text, sql) in enumerate(ours.items())]
    disagreeing = {
        text for row in frame.selectExpr(*pairs).collect() for text, same in zip(ours, row, strict=True) if not same
    }
    assert (disagreeing, refused) == (set(), ["a = b = c"])
