"""Facts that are dated later than they can have been known, which only plans and the like can be (S5)."""

from datetime import datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from compute.reach import began
from definitions.clocks import AvailableColumn
from definitions.durations import to_us
from definitions.sources import Source
from temporal.instants import instant
from temporal.versions import is_marked

_PLAN = "if it is a plan, declare EventTime(…, known_in_advance=True)"
AHEAD_OF_LOAD = f"event time lies after the load that brought it; {_PLAN}"
AHEAD_OF_KNOWN = f"event time lies after its available time; {_PLAN}"


def ahead(source: Source, loaded_at: datetime | None) -> list[Column]:
    """Per clock the reason why a typed row can't be used, null where it can. loaded_at: when its load began, if known.

    A retraction makes no claim about a time: it says that its fact never was.
    """
    if source.event_time is None or source.event_time.may_lie_ahead:
        return []
    reasons = {}
    if loaded_at is not None:
        reasons[AHEAD_OF_LOAD] = instant(to_us(loaded_at))
    if isinstance(source.available, AvailableColumn):
        reasons[AHEAD_OF_KNOWN] = F.col(source.available.column)
    starts, is_claim = began(source.event_time), ~is_marked(source.retraction)
    return [F.when(is_claim & (starts > at), F.lit(reason)) for reason, at in reasons.items()]


def with_corrections(rows: DataFrame, source: Source, known: DataFrame | None, *, reason: str) -> DataFrame:
    """Typed rows in which those only `AHEAD_OF_KNOWN` are usable where they correct a fact. reason: the column's name.

    A system may keep the time at which it recorded a fact when it corrects the time at which that happened. A fact is
    corrected when raw (`known`), or a usable row of the delivery, has its identity. Cost: a shuffle by identity.
    """
    if not source.identity:
        return rows
    held = rows.where(F.col(reason).isNull()).select(*source.identity)
    held = held if known is None else held.unionByName(known.select(*source.identity))
    held = held.distinct().withColumn("_corrects", F.lit(True))
    joined = rows.join(held, on=list(source.identity), how="left")
    is_kept = (F.col(reason) == AHEAD_OF_KNOWN) & F.col("_corrects")
    return joined.withColumn(reason, F.when(~F.coalesce(is_kept, F.lit(False)), F.col(reason))).select(*rows.columns)
