"""A history's facts in the form that every strategy searches: by key, with the span in which labels see each."""

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
class SearchableFacts:
    """One history, ready to be searched.

    `frame` has a row per version of a fact that some label can see:
        keys             the columns named in `keys`, never null, with the names that the spine's keys have
        visible_us       a label at t sees the fact while visible_us <= t < superseded_us; null: always (static)
        superseded_us    null: never superseded
        fact             struct of `at` (`clock_order`) and `row` (`column_order` of the `carried_columns`);
                         Spark's order of it is S9's, so that the greatest is the latest
    has_evidence: whether the result says which fact was chosen, and whether it was tied.
    """

    history: History
    frame: DataFrame
    keys: tuple[str, ...]
    has_evidence: bool = True

    @property
    def clocks(self) -> tuple[str, ...]:
        """The fields of `fact.at` that the result needs: all for the evidence, else those that decide the outcome."""
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


def searchable_facts(
    history: History, *, keys: Sequence[str], knowledge: str, has_evidence: bool = True
) -> SearchableFacts:
    """Its versions by S7 and S8, visible by S14; with knowledge="latest" in their newest version, whenever known (S19).

    A fact whose event time or declared available time is null is never known. A fact without a key matches no spine
    row (S17). Both are left out. Cost: a narrow pass; a shuffle by identity where versions are worked out here.
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
    return SearchableFacts(history, seen.drop("is_retracted"), tuple(keys), has_evidence)


def facts_in_layout(history: History, *, keys: Sequence[str], has_evidence: bool) -> SearchableFacts:
    """The same for a search that reads the files of the history's layout: `frame` is the history's, unread."""
    return SearchableFacts(history, history.frame, tuple(keys), has_evidence)


def where_not_retracted(history: History) -> DataFrame:
    """The history's rows without those that only say that a fact never was (S8)."""
    return without_marked(history.frame, history.retraction)


def carried_columns(history: History) -> list[str]:
    """The columns that `fact.row` holds as c0, c1, …: all that S9 may have to compare, in the frame's order.

    A snapshot needs its features alone. Keys are equal, clocks and tie-break were compared before, and superseded_at
    was not known at t.
    """
    features = set(history.features)
    if history.is_snapshot:
        return [name for name in history.frame.columns if name in features]
    settled = {*history.keys, *history.tie_break, history.event_time, history.available_time, history.superseded_at}
    return [name for name in history.frame.columns if name in features or name not in settled]


def carried_names(columns: Sequence[str]) -> dict[str, str]:
    """The name that each carried column has in `fact.row`."""
    return {name: f"c{n}" for n, name in enumerate(columns)}


def feature_fields(history: History) -> dict[str, str]:
    """By feature the field of `fact.row` that holds it."""
    fields = carried_names(carried_columns(history))
    return {name: field for name, field in fields.items() if name in history.features}


def feature_values(history: History, row: Column) -> list[Column]:
    """The history's features, in its order and types, out of a `fact.row`."""
    fields = feature_fields(history)
    return [
        restored(row.getField(fields[name]), history.type_of(name)).alias(output_name(history, name))
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
    return column_order(history.frame.schema, carried_columns(history))
