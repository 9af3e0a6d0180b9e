"""Which delivered rows are new, and from when each could have been known (S5, S7, S10)."""

from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from definitions.clocks import AvailableColumn, LandingDelay, LoadTime
from definitions.durations import instant_us, to_us
from definitions.sources import Source
from temporal.instants import instant, moved


@dataclass(frozen=True)
class Load:
    """One ingest of a source. `before`: when the load before it began; None for the first."""

    at: datetime
    before: datetime | None


def new_rows(delivered: DataFrame, known: DataFrame | None, source: Source, *, repeats: bool) -> DataFrame:
    """The delivered rows that raw does not hold yet. repeats=False says that the delivery itself repeats no identity.

    With an identity, an identical row is the same version delivered again. Without one each row is a fact of its own:
    the n-th of several equal rows is new when raw holds fewer than n of them.
    """
    columns = [c.name for c in source.columns]
    if source.identity:
        rows = delivered.dropDuplicates(columns) if repeats else delivered
        seen = known.select(*columns) if known is not None else None
    else:
        rows = delivered if known is None else _numbered(delivered, columns)
        seen = None if known is None else _numbered(known.select(*columns), columns)
        columns = [*columns, "_nth"]
    if seen is None:
        return rows
    same = [F.col(f"d.{name}").eqNullSafe(F.col(f"k.{name}")) for name in columns]
    return rows.alias("d").join(seen.alias("k"), on=same, how="left_anti").drop("_nth")


def _numbered(rows: DataFrame, columns: list[str]) -> DataFrame:
    return rows.withColumn("_nth", F.row_number().over(Window.partitionBy(*columns).orderBy(F.lit(1))))


def with_available_time(rows: DataFrame, source: Source, load: Load, *, known: DataFrame | None) -> DataFrame:
    """The rows with `available_time`, `loaded_at`, and `_late`, which marks rows that are available from their load on.

    Both stamps are stored and never computed again. A row that corrects a fact in raw is available from its load on,
    however short the landing delay.
    """
    at = instant(to_us(load.at))
    stamped = rows.withColumn("loaded_at", at)
    if source.available is None:
        return stamped.withColumn("_late", F.lit(False))
    if isinstance(source.available, LoadTime):
        return stamped.withColumn("available_time", at).withColumn("_late", F.lit(False))
    if isinstance(source.available, AvailableColumn):
        return stamped.withColumn("available_time", F.col(source.available.column)).withColumn("_late", F.lit(False))
    expected = moved(F.col("event_time"), source.available.delay_us)
    if known is not None and source.identity:
        held = known.select(*source.identity).distinct().withColumn("_corrects", F.lit(True))
        stamped = stamped.join(held, on=list(source.identity), how="left")
    else:
        stamped = stamped.withColumn("_corrects", F.lit(None).cast("boolean"))
    late = F.coalesce(F.col("_corrects"), F.lit(False)) | _overdue(expected, source.available, load)
    return (
        stamped.withColumn("_late", late)
        .withColumn("available_time", F.when(F.col("_late"), F.greatest(expected, at)).otherwise(expected))
        .drop("_corrects")
    )


def _overdue(expected: Column, delay: LandingDelay, load: Load) -> Column:
    """Whether an earlier load should have brought the row by its delay, and did not.

    In the first load: whether the row is later than `first_load_until`, up to which the declared delay is trusted.
    """
    if load.before is not None:
        return expected <= instant(to_us(load.before))
    if delay.first_load_until:
        return F.col("event_time") >= instant(instant_us(delay.first_load_until))
    return F.lit(False)
