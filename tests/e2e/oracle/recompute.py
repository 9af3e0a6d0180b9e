"""DuckDB over the delivered files: plain SQL per view, written by hand, that knows nothing of our tables or code."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from definitions.durations import instant_us
from ziggurat.cli.demo.data import TABLES

HERE = Path(__file__).parent
INSTANT = pa.timestamp("us", tz="UTC")

# Every aggregate and cross-entity view; one that is compared comes before the comparison.
SNAPSHOTS = (
    "household_spend",
    "household_visits",
    "household_discounts",
    "household_departments",
    "household_coupons",
    "product_sales",
    "product_exposure",
    "household_vs_cohort",
    "household_taste",
    "product_in_category",
    "product_popularity",
)

# Chosen to hurt. At the first instant of August a basket stands at the end and others at the start of the windows of 7
# and 90 days; at the second, of 1 and 30 days: whoever mistakes an edge counts a basket too many or too few. November's
# first instant is a midnight of the stores, the very end of a day of redemptions; the next one lies in the hour that
# its DST night has twice, and the two share a partition, which two runs publish.
EARLY = ("2017-03-12", "2017-07-03")
EDGES = ("2017-08-06T20:54:46Z", "2017-08-10T21:44:51Z", "2017-11-05T04:00:00Z")
LATE = ("2017-11-05T05:30:00Z", "2017-11-30")
AS_OFS = (*EARLY, *EDGES, *LATE)


class Oracle:
    """Facts are read once; each as-of is recomputed for all views at once, when it is first asked for."""

    def __init__(self, sources: Path) -> None:
        self.duckdb = duckdb.connect()
        self.duckdb.execute("SET TimeZone = 'UTC'; SET threads = 2; SET memory_limit = '3GB'")
        self.duckdb.execute("CREATE MACRO as_of() AS CAST(getvariable('as_of') AS TIMESTAMP)")
        for name in TABLES:
            self.duckdb.execute(f"CREATE VIEW {name} AS FROM read_parquet('{sources / name}.parquet')")
        self.duckdb.execute((HERE / "facts.sql").read_text("utf-8"))
        self._answers: dict[tuple[str, str], pa.Table] = {}

    def answer(self, view: str, as_of: str) -> pa.Table:
        """The rows that a view should have at an as-of: its join key and its features, nothing else."""
        if (view, as_of) not in self._answers:
            self._recompute(as_of)
        return self._answers[view, as_of]

    def ask(self, sql: str, **tables: object) -> dict[str, list[object]]:
        """Any other question to the delivered facts, perhaps beside tables of ours (Arrow tables or datasets)."""
        for name, table in tables.items():
            self.duckdb.register(name, table)
        return dict(self.duckdb.sql(sql).to_arrow_table().to_pydict())

    def disagreements(self, ours: str, theirs: str, *, on: tuple[str, ...], **tables: object) -> dict[str, int]:
        """For two queries of the same columns: how many rows differ in each, and how many only one of them has."""
        for name, table in tables.items():
            self.duckdb.register(name, table)
        columns = [sorted(self.duckdb.sql(query).columns) for query in (ours, theirs)]
        if columns[0] != columns[1]:
            return {f"column {name}": 1 for name in set(columns[0]) ^ set(columns[1])}
        counts = [
            f'count(*) FILTER (o."{name}" IS DISTINCT FROM t."{name}") AS "{name}"'
            for name in columns[0]
            if name not in on
        ]
        both = f"({ours}) AS o FULL JOIN ({theirs}) AS t USING ({', '.join(on)})"
        alone = "count(*) FILTER (o.event_time IS NULL) AS missing, count(*) FILTER (t.event_time IS NULL) AS too_many"
        found = self.ask(f"SELECT {alone}, {', '.join(counts)} FROM {both}")
        return {name: count for name, (count,) in found.items() if count}

    def _recompute(self, as_of: str) -> None:
        self.duckdb.execute(f"SET VARIABLE as_of = make_timestamp({instant_us(as_of)}::BIGINT)")
        self.duckdb.execute((HERE / "known.sql").read_text("utf-8"))
        for view in SNAPSHOTS:
            sql = (HERE / f"{view}.sql").read_text("utf-8")
            self.duckdb.execute(f"CREATE OR REPLACE TEMP TABLE {view} AS {sql}")
            self._answers[view, as_of] = self.duckdb.sql(f"FROM {view}").to_arrow_table()


def differences(found: pa.Table, expected: pa.Table, key: str) -> list[str]:
    """One sentence per column of `expected` that `found` has otherwise: another key, type, null or bit."""
    found, expected = (table.sort_by(key).combine_chunks() for table in (found, expected))
    if not found[key].equals(expected[key]):
        ours, theirs = set(found[key].to_pylist()), set(expected[key].to_pylist())
        return [
            f"{key}: {found.num_rows} rows for {expected.num_rows} expected; "
            f"too many: {sorted(ours - theirs)[:5]}, missing: {sorted(theirs - ours)[:5]}"
        ]
    return [
        told
        for name in expected.column_names
        if (told := _difference(name, found[name], expected[name], found[key])) is not None
    ]


def _difference(name: str, found: pa.ChunkedArray, expected: pa.ChunkedArray, keys: pa.ChunkedArray) -> str | None:
    if found.type != expected.type:
        return f"{name}: {found.type} for {expected.type}"
    nulls = pc.xor(found.is_null(), expected.is_null())
    # −0.0 is not 0.0, and the last place counts.
    bits = [column.combine_chunks().view(pa.int64()) for column in (found, expected)]
    wrong = pc.or_(nulls, pc.fill_null(pc.not_equal(*bits), False))
    if not (count := pc.sum(wrong).as_py()):
        return None
    index = pc.index(wrong, True).as_py()
    example = f"{found[index].as_py()!r} for {expected[index].as_py()!r}"
    return f"{name}: {count} of {len(found)} differ, e.g. at {keys[index].as_py()} {example}"
