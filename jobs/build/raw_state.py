"""What is known of a raw table before a load: from the ledger, or else from its rows, which nothing else keeps.

The ledger knows nothing of a table after a commit of others that changed rows, and where the table is older than what
it recorded. Then rows may be gone, or have come without a load: nothing that was built from the table stands any more.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from definitions.clocks import LandingDelay
from definitions.registry import key_of
from definitions.sources import Source
from jobs.run.context import Job
from lakehouse.table_state import RawState
from lakehouse.tables import exists, read
from temporal.instants import moved


def known_raw_state(job: Job, source: Source) -> RawState | None:
    """None before a source's first load. Two small jobs where the ledger does not know the table."""
    table = job.context.warehouse.address(key_of(source))
    known = job.published.newest(table.key).raw
    if known is not None or not exists(job.context.spark, table.path):
        return known
    return state_of(read(job.context.spark, table.path), source)


def state_of(rows: DataFrame, source: Source) -> RawState:
    """The state of a raw table with these rows, as far as rows show it: what values depend on."""
    newest = F.max(F.unix_micros("event_time")) if source.event_time else F.lit(None).cast("bigint")
    found = rows.agg(
        F.max(F.unix_micros("loaded_at")).alias("loaded"),
        newest.alias("newest"),
        _has_late(source).alias("late"),
    ).first()
    repeated = rows.groupBy(*source.identity).count().where("count > 1") if source.identity else None
    return RawState(
        loaded_at_us=(found["loaded"] or 0) if found else 0,
        newest_event_us=found["newest"] if found else None,
        has_versions=repeated is not None and not repeated.isEmpty(),
        has_late=bool(found and found["late"]),
    )


def _has_late(source: Source) -> Column:
    """Whether a row is stamped with its load, and not by its landing delay."""
    if not isinstance(source.available, LandingDelay):
        return F.lit(False)
    expected = moved(F.col("event_time"), source.available.delay_us)
    return F.coalesce(F.bool_or(F.col("available_time") != expected), F.lit(False))
