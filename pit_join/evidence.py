"""What a finished join says of itself: counts and clocks per history, from its evidence columns, in one pass."""

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
    """What one history brought to the rows of a training set. Instants and gaps are microseconds; None: no such row.

    matched + unseen + expired + ended + without_key = rows. The rest is about the rows that chose a fact (matched,
    expired, ended): `ties` of them could have chosen another that was equal in all but its columns; at the label
    time itself their fact had happened (event_at_label), was known (available_at_label); gaps are label time − clock.
    oldest_matched_us is the greatest age of a value that was brought. first_available_us is told only where no row
    chose a fact: when the history's first one was known.
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

    Cost: one aggregate pass for all histories; one narrow pass over the histories that no row saw anything of.
    """
    label_us = F.unix_micros(quoted(label_time))
    spine = [F.count(F.lit(1)).alias("rows"), F.min(label_us).alias("first"), F.max(label_us).alias("last")]
    per_history = [
        _measured(quoted(evidence_column(history.name)), label_us).alias(f"history_{index}")
        for index, history in enumerate(histories)
    ]
    found = joined.agg(*spine, *per_history).collect()[0]
    counted = {
        history.name: HistoryEvidence(
            name=history.name,
            rows=found["rows"],
            first_label_us=found["first"],
            last_label_us=found["last"],
            **found[f"history_{index}"].asDict(),
        )
        for index, history in enumerate(histories)
    }
    return counted | _with_first_available([counted[h.name] for h in histories], histories)


def _with_first_available(
    counted: Sequence[HistoryEvidence], histories: Sequence[History]
) -> dict[str, HistoryEvidence]:
    """The same for the histories with a clock that nobody saw anything of."""
    unseen = {
        history.name: history.frame.agg(
            F.lit(history.name).alias("name"),
            F.min(F.unix_micros(quoted(history.available_time or history.event_time))).alias("first_us"),
        )
        for each, history in zip(counted, histories, strict=True)
        if each.rows and each.unseen + each.without_key == each.rows and history.event_time
    }
    if not unseen:
        return {}
    firsts = reduce(DataFrame.union, unseen.values()).collect()
    by_name = {each.name: each for each in counted}
    return {row["name"]: replace(by_name[row["name"]], first_available_us=row["first_us"]) for row in firsts}


def facts_at_label(spine: DataFrame, history: History, *, label_time: str = "label_time") -> int:
    """How many rows of the spine have a fact of theirs with event_time = label_time, whenever it was known.

    Strictness leaves these facts out, or a declaration brings them in (S14): the certificate tells how many rows it is
    about. 0 for a static history. Cost: a shuffle of spine and facts.
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
