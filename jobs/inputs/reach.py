"""Rows that ask for a time after what their sources reach: the data for it had not arrived (S27)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from definitions.clocks import Grain
from definitions.durations import DAY_US, duration_us, instant_text
from definitions.errors import LabelTimeError, UsageError, did_you_mean
from definitions.registry import key_of
from definitions.services import FeatureService
from definitions.sources import Kind, Source
from definitions.views import Definition
from jobs.run.context import Context
from jobs.run.published import PublishedState

_PERIOD_US = {Grain.INSTANT: 0, Grain.DAY: DAY_US, Grain.WEEK: 7 * DAY_US}


class BeyondReach(StrEnum):
    """What becomes of rows after the reach of a source: they are counted and named, or the run is refused."""

    WARN = "warn"
    REFUSE = "refuse"


@dataclass(frozen=True)
class Reach:
    """How far a source of events reaches, and until when nobody need wonder that it reaches no further, both in µs."""

    source: str
    reach_us: int
    quiet_until_us: int
    may_lag: str

    def message(self, rows: int | None = None) -> str:
        """What lies after it, in a sentence without its end; rows None: all of a frame."""
        what = "all rows ask" if rows is None else "1 row asks" if rows == 1 else f"{rows:,} rows ask"
        return (
            f"{self.source} reaches {instant_text(self.reach_us)}, and {what} for a time more than {self.may_lag} "
            "after that: what happened since then is not in them"
        )


@dataclass(frozen=True)
class RowsBeyond:
    """By source, how many rows lie after what it reaches, and a sentence for each; both empty where there are none."""

    counts: Mapping[str, int]
    messages: tuple[str, ...]


def refuse_beyond(messages: Sequence[str], what: str) -> None:
    """Raises LabelTimeError where there are such rows."""
    if messages:
        raise LabelTimeError(
            f"{what}: {'; '.join(messages)}. Leave such rows out, build with newer data, or take them as they are: "
            "--beyond-reach warn."
        )


def parse_beyond_reach(text: str) -> BeyondReach:
    """Raises UsageError for a word that is neither."""
    try:
        return BeyondReach(text)
    except ValueError:
        raise UsageError(f"beyond_reach '{text}' is unknown.{did_you_mean(text, tuple(BeyondReach))}") from None


def service_reaches(context: Context, service: FeatureService, published: PublishedState) -> list[Reach]:
    """Of every source of events that a service reads."""
    views = [selection.view for selection in service.features]
    return reaches(views, published, may_lag=context.options.data_may_lag)


def reaches(views: Iterable[Definition], published: PublishedState, *, may_lag: str) -> list[Reach]:
    """Of every source of events below these views, as far as the ledger knows; sorted by table key.

    States are left out: one that did not change for a year is complete all the same. may_lag: how long a source may be
    behind (`build.data_may_lag`). A coarse fact that is known at its start covers its day or week.
    """
    events = {key_of(s): s for view in views for s in view.sources_below if s.kind is Kind.EVENTS}
    lag_us = duration_us(may_lag, where="data_may_lag")
    known = {key: us for key in sorted(events) if (us := published.newest(key).reach_us) is not None}
    return [Reach(key, us, us + _covered_us(events[key]) + lag_us, may_lag) for key, us in known.items()]


def rows_beyond(rows: DataFrame, found: Iterable[Reach], *, label_time: str) -> RowsBeyond:
    """The rows that lie after what a source reaches. Cost: a pass over one column."""
    listed = list(found)
    if not listed:
        return RowsBeyond({}, ())
    at = F.unix_micros(label_time)
    counted = rows.agg(*(F.count_if(at > reach.quiet_until_us).alias(str(n)) for n, reach in enumerate(listed)))
    row = counted.collect()[0]
    beyond = {reach: row[str(n)] for n, reach in enumerate(listed) if row[str(n)]}
    counts = {reach.source: rows for reach, rows in beyond.items()}
    return RowsBeyond(counts, tuple(reach.message(rows) for reach, rows in beyond.items()))


def instant_beyond(at_us: int, found: Iterable[Reach]) -> tuple[str, ...]:
    """The sentences where all rows have one instant."""
    return tuple(reach.message() for reach in found if at_us > reach.quiet_until_us)


def _covered_us(source: Source) -> int:
    clock = source.event_time
    return _PERIOD_US[clock.grain] if clock is not None and clock.known_at_start else 0
