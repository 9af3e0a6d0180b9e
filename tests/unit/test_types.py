"""One table of types: whatever can be declared has an Arrow type, a form online and a form as text."""

import pyarrow as pa
import pytest

from definitions.errors import DefinitionError
from definitions.types import BIGINT, DOUBLE, KNOWN, SqlType, arrow_type, check_type, find_type, parse_type, type_named
from online_store.values import form_of

DECLARED = [name.replace("decimal(p,s)", "decimal(8,2)") for name in KNOWN.split(", ")]
ARROW = {
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "decimal(8,2)": pa.decimal128(8, 2),
    "string": pa.string(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}


def test_the_table_holds_exactly_the_types_of_the_contract() -> None:
    assert ARROW.keys() == set(DECLARED)


@pytest.mark.parametrize("name", DECLARED)
def test_a_type_that_can_be_declared_is_known_everywhere(name: str) -> None:
    check_type(name, "here")
    assert str(type_named(name)) == name
    assert find_type(name) == parse_type(name) == type_named(name)
    assert arrow_type(name) == ARROW[name]
    assert form_of(name).tag > 0
    assert type_named(name).text_form
    assert type_named(name).name in type_named(name).delivered_as


def test_binary_can_be_stored_but_neither_declared_nor_computed() -> None:
    assert arrow_type("binary") == pa.binary()
    assert form_of("binary").tag == 6
    assert parse_type("binary") is None
    with pytest.raises(DefinitionError, match="here: type 'binary' is unknown; use boolean, int, bigint"):
        check_type("binary", "here")


@pytest.mark.parametrize(
    "name", ["decimal", "decimal(39,2)", "decimal(4,5)", "decimal(8, 2)", "long", "BIGINT", "void"]
)
def test_a_column_has_no_other_spelling_of_a_type(name: str) -> None:
    assert find_type(name) is None
    with pytest.raises(DefinitionError):
        check_type(name, "here")


def test_an_expression_may_write_a_type_as_spark_does() -> None:
    assert parse_type(" Long ") == BIGINT
    assert parse_type("decimal( 8 , 2 )") == SqlType("decimal", 8, 2)


def test_numbers_fractions_times_and_keys_are_different() -> None:
    names = {name.partition("(")[0] for name in DECLARED}
    types = [type_named(name) for name in DECLARED]
    assert {t.name for t in types if t.is_number} == {"int", "bigint", "double", "decimal"}
    assert {t.name for t in types if t.is_fraction} == {"double", "decimal"}
    assert {t.name for t in types if t.is_time} == {"date", "timestamp"}
    assert {t.name for t in types if t.may_be_key} == names - {str(DOUBLE)}
