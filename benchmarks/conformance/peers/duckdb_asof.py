"""DuckDB's ASOF join. Ties are resolved before it, and an age limit is a condition on what it found."""

import duckdb
import pyarrow as pa

from benchmarks.conformance.questions import TIE_BREAK, TIE_BREAKS, Question

NAME, VERSION = "DuckDB ASOF", duckdb.__version__
HAS_STRICT_EDGE = True
KNOWS = {TIE_BREAK, TIE_BREAKS}


class Peer:
    def answer(self, asked: Question) -> pa.Table:
        connection = duckdb.connect()
        connection.execute(f"SET TimeZone = '{asked.zone}'")
        connection.register("spine", asked.spine)
        connection.register("drawn", asked.facts)
        keys = ", ".join(f'"{key}"' for key in asked.keys)
        ties = ", ".join(f'"{name}" DESC NULLS LAST' for name in asked.tie_break)
        facts = "drawn"
        if ties:
            facts = f"(SELECT DISTINCT ON ({keys}, event_time) * FROM drawn ORDER BY {keys}, event_time, {ties})"
        on = " AND ".join(f's."{key}" = f."{key}"' for key in asked.keys)
        edge = ">=" if asked.is_inclusive else ">"
        features = ", ".join(_feature(name, asked) for name in asked.features)
        return connection.sql(
            f"SELECT s.*, {features} FROM spine s ASOF LEFT JOIN {facts} f ON {on} AND s.label_time {edge} f.event_time"
        ).to_arrow_table()


def _feature(name: str, asked: Question) -> str:
    if asked.max_age is None:
        return f'f."{name}"'
    age_us = "epoch_us(s.label_time) - epoch_us(f.event_time)"
    limit_us = round(asked.max_age.total_seconds() * 1_000_000)
    return f'CASE WHEN {age_us} < {limit_us} THEN f."{name}" END AS "{name}"'
