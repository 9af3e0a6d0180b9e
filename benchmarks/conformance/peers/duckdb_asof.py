"""DuckDB's ASOF join. Ties are resolved before it, and an age limit is a condition on its result."""

import duckdb
import pyarrow as pa

from benchmarks.conformance.questions import TIE_BREAK, TIE_BREAKS, Question

NAME, VERSION = "DuckDB ASOF", duckdb.__version__
HAS_STRICT_EDGE = True
KNOWS = {TIE_BREAK, TIE_BREAKS}


class Peer:
    def answer(self, question: Question) -> pa.Table:
        connection = duckdb.connect()
        connection.execute(f"SET TimeZone = '{question.zone}'")
        connection.register("spine", question.spine)
        connection.register("drawn", question.facts)
        keys = ", ".join(f'"{key}"' for key in question.keys)
        ties = ", ".join(f'"{name}" DESC NULLS LAST' for name in question.tie_break)
        facts = "drawn"
        if ties:
            facts = f"(SELECT DISTINCT ON ({keys}, event_time) * FROM drawn ORDER BY {keys}, event_time, {ties})"
        on = " AND ".join(f's."{key}" = f."{key}"' for key in question.keys)
        edge = ">=" if question.is_inclusive else ">"
        features = ", ".join(_feature(name, question) for name in question.features)
        return connection.sql(
            f"SELECT s.*, {features} FROM spine s ASOF LEFT JOIN {facts} f ON {on} AND s.label_time {edge} f.event_time"
        ).to_arrow_table()


def _feature(name: str, question: Question) -> str:
    if question.max_age is None:
        return f'f."{name}"'
    age_us = "epoch_us(s.label_time) - epoch_us(f.event_time)"
    limit_us = round(question.max_age.total_seconds() * 1_000_000)
    return f'CASE WHEN {age_us} < {limit_us} THEN f."{name}" END AS "{name}"'
