"""Versions of facts: from when until when each counts (S7, S11, S14), and what marks end (S8).

A version counts at an instant t while available_time <= t < superseded_at; superseded_at is null where no newer
version is known. Of one fact at most one version counts at any instant.
"""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from definitions.sources import Source
from temporal.comparable import orderable, quoted
from temporal.instants import instant

LOADED = "loaded_at"  # raw's stamp: the load that brought a row


def with_superseded_at(rows: DataFrame, source: Source, *, has_versions: bool) -> DataFrame:
    """Raw rows of a source, plus `superseded_at`: when a newer version of the same fact was known; null: never.

    has_versions=False says that no identity has two rows, and saves the shuffle. Retractions supersede the version
    before and are left out themselves (S8), as are versions that were superseded before they could be seen.
    """
    identity = source.identity if has_versions else ()
    columns = [column.name for column in source.columns]
    newer_at = superseded_at(
        rows.schema,
        identity,
        available_time=F.col("available_time"),
        version_by=source.version_by,
        columns=columns,
    )
    versions = without_marked(rows.withColumn("superseded_at", newer_at), source.retraction)
    return versions.where(stands_at(F.col("available_time"), F.col("superseded_at")))


def superseded_at(
    schema: StructType,
    identity: Sequence[str],
    *,
    available_time: Column,
    version_by: str | None,
    columns: Sequence[str],
) -> Column:
    """When a newer version of a row's fact was known first; null: never, as for all rows without an identity (S7).

    A window over the frame's rows, retractions among them. Cost: a shuffle by identity, none without one.
    """
    if not identity:
        return F.lit(None).cast("timestamp")
    order = version_order(schema, available_time=available_time, version_by=version_by, columns=columns)
    newer = Window.partitionBy(*map(quoted, identity)).orderBy(*order).rowsBetween(1, Window.unboundedFollowing)
    return F.min(available_time).over(newer)


def version_order(
    schema: StructType, *, available_time: Column, version_by: str | None, columns: Sequence[str]
) -> list[Column]:
    """Which version of a fact is the newest: version_by, available_time, then, so that the order is total, the load
    that brought it and every column in declared order (S7).

    A correction may be loaded before its fact's landing delay is over. Then both versions were known at one instant,
    and the load says which is newer.
    """
    names = [version_by] if version_by else []
    rest = [*([LOADED] if LOADED in schema.names else []), *columns]
    by_name = [orderable(quoted(name), schema[name].dataType) for name in (*names, *rest)]
    order = [*by_name[: len(names)], available_time, *by_name[len(names) :]]
    return [column.asc_nulls_first() for column in order]


def stands_at(at: Column, superseded: Column) -> Column:
    """Whether no newer version was known at this instant; at the instant of the newer one the older has ended."""
    return superseded.isNull() | (superseded > at)


def is_known_at(at: Column, *, available: Column, superseded: Column) -> Column:
    """Whether a version counts at this instant: it was known, and no newer one was (S5, S7)."""
    return (available <= at) & stands_at(at, superseded)


def current_versions(versions: DataFrame) -> DataFrame:
    """Each fact in its newest version, whenever that became known: latest knowledge (S19, S27)."""
    return versions.where("superseded_at is null")


def known_before(facts: DataFrame, *, as_of_us: int, cut_us: int) -> DataFrame:
    """The slice of T and K: facts with event_time < T that were known at K (S11)."""
    return facts.where((F.col("event_time") < instant(as_of_us)) & (F.col("available_time") <= instant(cut_us)))


def as_known_at(versions: DataFrame, cut_us: int) -> DataFrame:
    """The versions that were known at a cut, each superseded only by what was known then, too."""
    known = versions.where(F.col("available_time") <= instant(cut_us))
    is_superseded = F.col("superseded_at") <= instant(cut_us)
    return known.withColumn("superseded_at", F.when(is_superseded, F.col("superseded_at")))


def visible_us(event_time: Column, available_time: Column | None, *, counts_its_instant: bool = False) -> Column:
    """The first microsecond t at which a spine row sees a fact (S14): after it happened, and not before it was known.

    counts_its_instant: at the instant itself, too. available_time None: whenever it was known (S19). Whole numbers,
    since microseconds are the same in any session zone (S2).
    """
    happened = F.unix_micros(event_time) + F.lit(0 if counts_its_instant else 1)
    return happened if available_time is None else F.greatest(happened, F.unix_micros(available_time))


def is_marked(mark: str | None) -> Column:
    """Whether a row is a retraction or a tombstone, by the column that marks it; null is not marked (S8)."""
    return F.coalesce(quoted(mark), F.lit(False)) if mark else F.lit(False)


def without_marked(rows: DataFrame, mark: str | None) -> DataFrame:
    """The rows that this column does not mark; all of them where no column is declared (S8)."""
    return rows.where(~is_marked(mark)) if mark else rows
