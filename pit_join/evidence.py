"""The evidence of a finished join: counts and clocks per history, from its evidence columns, in one pass."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pit_join.facts import where_not_retracted
from pit_join.history import History
from pit_join.outcomes import MATCHED, OUTCOMES, evidence_column
from temporal.comparable import quoted


@dataclass(frozen=True, kw_only=True)
class HistoryEvidence:
    """How many rows of a training set had which outcome in one history, and how near its facts' clocks were.

    matched + unseen + expired + ended + without_key = rows. The other fields count the rows for which a fact was chosen
    (matched, expired, ended): `ties` had another candidate that was equal in all but its columns; event_at_label and
    available_at_label had a fact that happened, or became known, at the label time itself. Instants and gaps are
    microseconds, gaps are label time − clock; None: no such row. oldest_matched_us is the greatest age of a matched
    fact. first_available_us, when the history's first fact was known, is set only where no row has a fact.
    """

    name: str
    rows: int
    matched: int
    unseen: int
    expired: int
    ended: int
    without_key: int
    ties: int
    event_at_label: int
    available_at_label: int
    newest_event_us: int | None
    newest_available_us: int | None
    smallest_event_gap_us: int | None
    smallest_availability_gap_us: int | None
    oldest_matched_us: int | None
    first_label_us: int | None
    last_label_us: int | None
    first_available_us: int | None = None


def gather_evidence(
    joined: DataFrame, histories: Sequence[History], *, label_time: str = "label_time"
) -> Mapping[str, HistoryEvidence]:
    """By history, from the result of `join_with_evidence`, computed or stored.

    Cost: one aggregate pass for all histories; one narrow pass over the histories of which no row has a fact.
    """
    label_us = F.unix_micros(quoted(label_time))
    spine = [F.count(F.lit(1)).alias("rows"), F.min(label_us).alias("first"), F.max(label_us).alias("last")]
    per_history = [
        _measured(quoted(evidence_column(history.name)), label_us).alias(f"history_{index}")
        for index, history in enumerate(histories)
    ]
    measured = joined.agg(*spine, *per_history).collect()[0]
    counted = {
        history.name: HistoryEvidence(
            name=history.name,
            rows=measured["rows"],
            first_label_us=measured["first"],
            last_label_us=measured["last"],
            **measured[f"history_{index}"].asDict(),
        )
        for index, history in enumerate(histories)
    }
    return counted | _with_first_available([counted[h.name] for h in histories], histories)


def _with_first_available(
    counted: Sequence[HistoryEvidence], histories: Sequence[History]
) -> dict[str, HistoryEvidence]:
    """The evidence of the histories with a clock of which no row has a fact, with `first_available_us`."""
    unseen = {
        history.name: history.frame.agg(
            F.lit(history.name).alias("name"),
            F.min(F.unix_micros(quoted(history.available_time or history.event_time))).alias("first_us"),
        )
        for counts, history in zip(counted, histories, strict=True)
        if counts.rows and counts.unseen + counts.without_key == counts.rows and history.event_time
    }
    if not unseen:
        return {}
    firsts = reduce(DataFrame.union, unseen.values()).collect()
    by_name = {counts.name: counts for counts in counted}
    return {row["name"]: replace(by_name[row["name"]], first_available_us=row["first_us"]) for row in firsts}


def facts_at_label(spine: DataFrame, history: History, *, label_time: str = "label_time") -> int:
    """How many rows of the spine have a fact of their key with event_time = label_time, whenever it was known.

    These facts are left out, or counted by declaration (S14); the certificate says how many rows that concerns. 0 for
    a static history. Cost: a shuffle of spine and facts.
    """
    if history.event_time is None:
        return 0
    facts = where_not_retracted(history).select(
        *(quoted(key).alias(f"key_{index}") for index, key in enumerate(history.keys)),
        F.unix_micros(quoted(history.event_time)).alias("at_us"),
    )
    rows = spine.select(
        *(quoted(key).alias(f"key_{index}") for index, key in enumerate(history.joined_by)),
        F.unix_micros(quoted(label_time)).alias("at_us"),
    )
    return rows.join(facts, on=facts.columns, how="left_semi").count()


def _measured(evidence: Column, label_us: Column) -> Column:
    outcome = evidence.getField("outcome")
    event_us = F.unix_micros(evidence.getField("event_time"))
    available_us = F.unix_micros(evidence.getField("available_time"))
    return F.struct(
        *(F.count_if(outcome == name).alias(name) for name in OUTCOMES),
        F.count_if(evidence.getField("is_tied")).alias("ties"),
        F.count_if(event_us == label_us).alias("event_at_label"),
        F.count_if(available_us == label_us).alias("available_at_label"),
        F.max(event_us).alias("newest_event_us"),
        F.max(available_us).alias("newest_available_us"),
        F.min(label_us - event_us).alias("smallest_event_gap_us"),
        F.min(label_us - available_us).alias("smallest_availability_gap_us"),
        F.max(F.when(outcome == MATCHED, label_us - event_us)).alias("oldest_matched_us"),
    )
