"""Whatever a published table can hold comes back from the embedded store as it was, for any keys (S32)."""

import datetime as dt
import tempfile
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from online_store.embedded.store import EmbeddedStore
from tests.online.examples import a_snapshot, a_view, batch_of


def decimals(precision, scale):
    most = 10**precision - 1
    return st.integers(-most, most).map(lambda n: Decimal((int(n < 0), tuple(map(int, str(abs(n)))), -scale)))


VALUES = {
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "string": st.text(st.characters(exclude_categories=["Cs"])),
    "binary": st.binary(),
    "date": st.dates(),
    "timestamp": st.datetimes(timezones=st.just(dt.UTC)),
    "decimal(10,2)": decimals(10, 2),
    "decimal(38,18)": decimals(38, 18),
}
KEYS = {**{type_: VALUES[type_] for type_ in VALUES if type_ != "double"}, "string": st.text('ab\x00,"é', max_size=700)}


@st.composite
def tables(draw):
    keys = draw(st.lists(st.sampled_from(sorted(KEYS)), min_size=1, max_size=3))
    columns = draw(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=4))
    entities = draw(st.lists(st.tuples(*(KEYS[type_] for type_ in keys)), max_size=6, unique=True))
    rows = [entity + draw(st.tuples(*(st.none() | VALUES[type_] for type_ in columns))) for entity in entities]
    return keys, columns, rows


def bits(row):
    return [(type(value).__name__, value.hex() if isinstance(value, float) else str(value)) for value in row]


@settings(max_examples=60, deadline=None)
@given(tables())
def test_every_row_of_every_table_comes_back_bit_for_bit(table):
    key_types, column_types, rows = table
    view = a_view(
        "aggregate/any/v1",
        keys={f"k{n}": type_ for n, type_ in enumerate(key_types)},
        columns={f"c{n}": type_ for n, type_ in enumerate(column_types)},
        rows=len(rows),
    )
    with tempfile.TemporaryDirectory() as folder:
        store = EmbeddedStore(folder)
        store.export(a_snapshot(view), {view.table: [batch_of(view, rows)]})
        with store.open() as reader:
            for row in rows:
                assert bits(reader.get(view.table, row[: len(key_types)]).values) == bits(row[len(key_types) :])
            stored = [bits(record.keys + record.values) for record in reader.records(view.table)]
            assert sorted(stored) == sorted(map(bits, rows))
