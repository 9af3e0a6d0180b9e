"""Where the zone data of the JVM differ from ours: expressions such as `local_hour` are computed with the JVM's.

A Java runtime has the zone data of its own year: one of 2023 shows Almaty an hour early since March 2024.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from definitions.durations import day_or_instant
from definitions.zones import Offsets, offsets
from lakehouse.session.errors import EnvironmentProblem

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_FROM, _UNTIL = 0, 4_102_444_800  # 1970, before which the publishers of zone data promise little, to 2100
_STEP = 86_400
_AGREED: set[tuple[str | None, str]] = set()  # by application: one process may start several


@dataclass(frozen=True)
class Difference:
    """The first instant, in seconds since 1970, at which a zone's clock differs; None: the JVM has no such zone."""

    zone: str
    since: int | None


def require_zones(spark: "SparkSession", zones: Iterable[str]) -> None:
    """Raises EnvironmentProblem for a zone whose clock the JVM shows otherwise. Cost: one small job."""
    application = spark.conf.get("spark.app.id", "")
    unknown = [zone for zone in sorted(set(zones)) if (application, zone) not in _AGREED]
    for found in differences(spark, {zone: offsets(zone) for zone in unknown}):
        what = (
            f"shows another time since {day_or_instant(found.since * 1_000_000)}"
            if found.since is not None
            else "does not know the zone"
        )
        raise EnvironmentProblem(
            f"zone '{found.zone}' is used by an expression, and Spark's Java {what}: its zone data are of another year "
            f"than those of tzdata. Use a Java with newer ones, or deliver the local time as a column."
        )
    _AGREED.update((application, zone) for zone in unknown)


def differences(spark: "SparkSession", clocks: Mapping[str, Offsets]) -> Iterator[Difference]:
    """The zones whose clock differs anywhere from 1970 to 2100, looked at day by day and around each change."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    for zone, known in clocks.items():
        try:
            since = _first_difference(spark, zone, known)
        except (PySparkException, Py4JError) as error:
            if zone not in str(error):
                raise
            yield Difference(zone, None)
        else:
            if since is not None:
                yield Difference(zone, since)


def _first_difference(spark: "SparkSession", zone: str, known: Offsets) -> int | None:
    from pyspark.sql import functions as F

    periods = spark.createDataFrame(list(_periods(known)), "begin bigint, last bigint, offset bigint")
    days = F.concat(F.sequence("begin", "last", F.lit(_STEP)), F.array("last"))
    looked_at = periods.select("offset", F.explode(days).alias("at"))
    shown = F.unix_seconds(F.from_utc_timestamp(F.timestamp_seconds("at"), zone))
    first = looked_at.where(shown != F.col("at") + F.col("offset")).agg(F.min("at").alias("at")).first()
    return first["at"] if first else None


def _periods(known: Offsets) -> Iterator[tuple[int, int, int]]:
    """First and last second of each offset, in the years that are compared."""
    ends = (*known.at[1:], _UNTIL)
    for begin, end, offset in zip(known.at, ends, known.seconds, strict=True):
        if begin < _UNTIL and end > _FROM:
            yield max(begin, _FROM), min(end, _UNTIL) - 1, offset
