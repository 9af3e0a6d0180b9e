"""DuckDB over the published tables, read without Spark: ASOF joins written by hand, and a comparison of bits."""

from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from kernels.content_hash import combine, partial_sums

HERE = Path(__file__).parent
VIEWS = (
    "household_visits",
    "household_spend",
    "household_discounts",
    "household_departments",
    "household_coupons",
    "household_vs_cohort",
    "household_taste",
    "product_popularity",
)
SAW = "saw__"  # before a view's name: the event time of the row that was seen, which is no feature


class Published:
    """Every published table that the shipped services read.

    `out_at`: the first instant at which a row may be seen. Here each row of a view is out later than the one before, so
    that the newest that is out is the newest of those that are out, and one ASOF join asks both clocks.
    """

    def __init__(self, table: Callable[[str], DeltaTable]) -> None:
        self.duckdb = duckdb.connect()
        self.duckdb.execute("SET TimeZone = 'UTC'; SET threads = 2; SET memory_limit = '2GB'")
        for name in VIEWS:
            self._add(name, table(name), "* FROM {rows} WHERE superseded_at IS NULL")
        self._add("campaign_descriptions", table("campaign_descriptions"), "* FROM {rows}")
        self.duckdb.register("demographics", table("demographics").to_pyarrow_table())

    def _add(self, name: str, table: DeltaTable, rows: str) -> None:
        self.duckdb.register(f"all_of_{name}", table.to_pyarrow_table())
        taken = rows.format(rows=f"all_of_{name}")
        self.duckdb.execute(f"CREATE TABLE {name} AS SELECT greatest(event_time, available_time) AS out_at, {taken}")

    def joined(self, service: str, spine: pa.Table) -> pa.Table:
        """The spine, the service's features, and per view what was seen (`saw__{view}`)."""
        return self.ask((HERE / f"{service}.sql").read_text("utf-8"), spine=spine)

    def ask(self, sql: str, **tables: object) -> pa.Table:
        for name, table in tables.items():
            self.duckdb.register(name, table)
        return self.duckdb.sql(sql).to_arrow_table()


def without_evidence(joined: pa.Table) -> pa.Table:
    return joined.select([name for name in joined.column_names if not name.startswith(SAW)])


def stored_hash(rows: pa.Table) -> str:
    """S34's hash of a training set's rows, which are one slice."""
    slices = rows.add_column(0, "_slice", pa.array([0] * rows.num_rows, pa.int64()))
    return combine(partial_sums(slices, slice_column="_slice"))[0].hex


def unlike(found: pa.Table, expected: pa.Table, *, by: Sequence[str]) -> list[str]:
    """What differs, in words: names and their order, number of rows, types, nulls, bits.

    Rows meet in the order of `by`; those that it does not tell apart have to be equal.
    """
    if found.column_names != expected.column_names:
        return [f"columns {found.column_names}, expected {expected.column_names}"]
    if found.num_rows != expected.num_rows:
        return [f"{found.num_rows} rows, expected {expected.num_rows}"]
    order = [(name, "ascending") for name in by]
    found, expected = (table.sort_by(order).combine_chunks() for table in (found, expected))
    pairs = ((name, found[name], expected[name]) for name in found.column_names)
    return [told for name, ours, theirs in pairs if (told := _unlike(name, _bits(ours), _bits(theirs)))]


def _unlike(name: str, ours: pa.Array, theirs: pa.Array) -> str:
    if ours.type != theirs.type:
        return f"{name}: {ours.type}, expected {theirs.type}"
    nulls = pc.xor(ours.is_null(), theirs.is_null())
    wrong = pc.or_(nulls, pc.fill_null(pc.not_equal(ours, theirs), False))
    count = pc.sum(wrong).as_py()
    return f"{name}: {count} of {len(ours)} rows" if count else ""


def _bits(column: pa.ChunkedArray) -> pa.Array:
    """Doubles as their bits: −0.0 is not 0.0, and the last place counts. Text is text, however Arrow holds it."""
    whole = column.combine_chunks()
    if pa.types.is_float64(whole.type):
        return whole.view(pa.int64())
    is_text = pa.types.is_large_string(whole.type) or pa.types.is_string_view(whole.type)
    return whole.cast(pa.string()) if is_text else whole
