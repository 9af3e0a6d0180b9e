"""A history's facts in the one form that every strategy searches: whose, seen from when until when, in which order."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pit_join.history import History
from temporal.comparable import quoted, restored
from temporal.order import clock_order, column_order
from temporal.versions import is_marked, stands_at, superseded_at, visible_us, without_marked

AT_LABEL, LATEST = "at_label", "latest"
KNOWLEDGE = (AT_LABEL, LATEST)


@dataclass(frozen=True)
class Facts:
    """One history, ready to be searched.

    `frame` has a row per version of a fact that some label can see:
        each of `keys`   never null, called as in the labels
        visible_us       a label at t sees it while visible_us <= t < superseded_us; null: always (static)
        superseded_us    null: for good
        fact             struct of `at` (event_time, tie_0 …, available_time, is_ended) and `row` (c0 …, see `carried`);
                         Spark's order of it is S9's, so that the greatest is the latest
    has_evidence: whether somebody will ask which fact was chosen, and whether it was tied.
    """

    history: History
    frame: DataFrame
    keys: tuple[str, ...]
    has_evidence: bool = True

    @property
    def clocks(self) -> tuple[str, ...]:
        """What of `fact.at` is looked at once the fact is found: all for the evidence, else for its outcome alone."""
        if self.has_evidence:
            return ("event_time", "available_time", "is_ended")
        aged = ["event_time"] if self.history.max_age is not None else []
        return (*aged, "is_ended") if self.history.tombstone else tuple(aged)

    @property
    def has_superseded(self) -> bool:
        """Whether any row can have a `superseded_us`."""
        return self.history.has_versions

    @property
    def counts_ties(self) -> bool:
        """Ties are evidence. A snapshot has one row per key and event time: there is nothing to count."""
        return self.has_evidence and not self.history.is_snapshot


def facts_of(history: History, *, keys: Sequence[str], knowledge: str, has_evidence: bool = True) -> Facts:
    """Its versions by S7 and S8, visible by S14; with knowledge="latest" in their newest version, whenever known (S19).

    A fact without one of its clocks is never known; one without a key is nobody's (S17).
    Cost: a narrow pass; a shuffle by identity where versions are worked out here.
    """
    clocks = [quoted(name) for name in (history.event_time, history.available_time) if name]
    versions = _where_all_not_null(history.frame, clocks).select(
        *(quoted(own).alias(name) for own, name in zip(history.keys, keys, strict=True)),
        _visible_us(history, knowledge).alias("visible_us"),
        F.unix_micros(_superseded_at(history)).alias("superseded_us"),
        is_marked(history.retraction).alias("is_retracted"),
        F.struct(_at(history).alias("at"), _row(history).alias("row")).alias("fact"),
    )
    # A retraction has superseded the version before it. A version that was superseded before any label could see it
    # never counts.
    seen = without_marked(versions, "is_retracted").where(stands_at(F.col("visible_us"), F.col("superseded_us")))
    if knowledge == LATEST:
        seen = seen.where("superseded_us is null")
    seen = _where_all_not_null(seen, [quoted(key) for key in keys])
    return Facts(history, seen.drop("is_retracted"), tuple(keys), has_evidence)


def left_in_place(history: History, *, keys: Sequence[str], has_evidence: bool) -> Facts:
    """The same for a search that reads the history's layout: nothing is planned over its frame, which stands as is."""
    return Facts(history, history.frame, tuple(keys), has_evidence)


def where_not_retracted(history: History) -> DataFrame:
    """The history's rows without those that only say that a fact never was (S8)."""
    return without_marked(history.frame, history.retraction)


def carried(history: History) -> list[str]:
    """The columns that travel in `fact.row` as c0, c1, …: all that S9 may have to look at, in the frame's order.

    A snapshot needs its features alone. Keys are equal, clocks and tie-break were compared before, and when a fact will
    be superseded nobody knows at t.
    """
    features = set(history.features)
    if history.is_snapshot:
        return [name for name in history.frame.columns if name in features]
    settled = {*history.keys, *history.tie_break, history.event_time, history.available_time, history.superseded_at}
    return [name for name in history.frame.columns if name in features or name not in settled]


def places(columns: Sequence[str]) -> dict[str, str]:
    """How the carried columns are called where they travel."""
    return {name: f"c{n}" for n, name in enumerate(columns)}


def brought(history: History) -> dict[str, str]:
    """Those of them that are features, and how they are called there."""
    return {name: index for name, index in places(carried(history)).items() if name in history.features}


def feature_values(history: History, row: Column) -> list[Column]:
    """The history's features, in its order and types, out of a `fact.row`."""
    index = brought(history)
    return [
        restored(row.getField(index[name]), history.type_of(name)).alias(output_name(history, name))
        for name in history.features
    ]


def output_name(history: History, feature: str) -> str:
    return f"{history.name}__{feature}"


def _where_all_not_null(rows: DataFrame, columns: Sequence[Column]) -> DataFrame:
    for column in columns:
        rows = rows.where(column.isNotNull())
    return rows


def _event_time(history: History) -> Column:
    return quoted(history.event_time) if history.event_time else F.lit(None).cast("timestamp")


def _available_time(history: History) -> Column:
    """A frame without the column counts as known at once (S5)."""
    return quoted(history.available_time) if history.available_time else _event_time(history)


def _superseded_at(history: History) -> Column:
    """When a newer version of the same fact was known: the frame's own column, or worked out by identity (S7)."""
    if history.superseded_at:
        return quoted(history.superseded_at)
    return superseded_at(
        history.frame.schema,
        history.identity or (),
        available_time=_available_time(history),
        version_by=history.version_by,
        columns=history.frame.columns,
    )


def _visible_us(history: History, knowledge: str) -> Column:
    """The first microsecond at which a label sees the fact; with the latest knowledge whenever it was known (S19)."""
    available_time = None if knowledge == LATEST else _available_time(history)
    return visible_us(_event_time(history), available_time, counts_its_instant=history.counts_its_instant)


def _at(history: History) -> Column:
    """S9's order before the columns: facts with an equal `at` are tied."""
    return clock_order(
        history.frame.schema,
        event_time=_event_time(history),
        available_time=_available_time(history),
        tie_break=history.tie_break,
        tombstone=history.tombstone,
    )


def _row(history: History) -> Column:
    return column_order(history.frame.schema, carried(history))
