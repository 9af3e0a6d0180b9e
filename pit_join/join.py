"""Join a spine to histories as they were known at each label time (S14 to S19)."""

from collections.abc import Sequence
from dataclasses import replace

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from definitions.errors import UsageError, did_you_mean
from pit_join.facts import (
    AT_LABEL,
    KNOWLEDGE,
    SearchableFacts,
    facts_in_layout,
    feature_values,
    output_name,
    searchable_facts,
)
from pit_join.history import History
from pit_join.keyed_spine import LABEL_US, SPINE, KeyedSpine, has_all, key_spine, match_name
from pit_join.outcomes import ENDED, EXPIRED, MATCHED, UNSEEN, WITHOUT_KEY, evidence_column
from pit_join.spine import check_spine
from pit_join.strategies import AUTO, COLOCATED, STRATEGIES, Choice, choose


def point_in_time_join(
    spine: DataFrame,
    histories: Sequence[History],
    *,
    label_time: str = "label_time",
    knowledge: str = AT_LABEL,
    strategy: str = AUTO,
) -> DataFrame:
    """The spine's rows and columns, then `{history}__{feature}` as it was known at each row's label time.

    Grain: exactly the spine's rows, duplicates too, in no promised order (S15). Types are the histories' own.
    A row sees the latest fact (S9) with event_time < label_time, or <= for snapshots and by declaration, and
    available_time <= label_time, in its version known then (S14). knowledge="latest" brings what is known today
    instead, for analysis: never train on it (S19). All features come from that one fact, its nulls included (S16).
    Null: no fact was known, it is a tombstone or not younger than max_age, or the row has no key or label time.

    Raises LabelTimeError, SpineKeyError, SpineColumnsError and UsageError before anything is read. The answer does not
    depend on the session's zone. Cost: lazy; per history one shuffle and sort of spine and facts together. No strategy
    changes the answer.
    """
    return _joined(spine, histories, label_time, knowledge, strategy, has_evidence=False)


def join_with_evidence(
    spine: DataFrame,
    histories: Sequence[History],
    *,
    label_time: str = "label_time",
    knowledge: str = AT_LABEL,
    strategy: str = AUTO,
) -> DataFrame:
    """`point_in_time_join`, then per history `evidence_column(name)`: which fact was chosen, and with what outcome.

    A struct of `event_time` and `available_time` (the chosen fact's, also if it was expired or a tombstone; null where
    none was, and for static histories), `outcome` (matched, unseen, expired, ended by a tombstone, without_key: a null
    key or label time) and `is_tied`: another fact that the row could see was equal in all that S9 compares before the
    columns; for a static history: its key has several rows. Snapshots are not searched for ties.
    """
    return _joined(spine, histories, label_time, knowledge, strategy, has_evidence=True)


def explain_join(
    spine: DataFrame, histories: Sequence[History], *, knowledge: str = AT_LABEL, strategy: str = AUTO
) -> list[Choice]:
    """Which strategy each history would be joined with, and why; nothing is read. Errors as in the join."""
    return choose(spine, histories, knowledge=knowledge, strategy=strategy)


def _joined(
    spine: DataFrame,
    histories: Sequence[History],
    label_time: str,
    knowledge: str,
    strategy: str,
    *,
    has_evidence: bool,
) -> DataFrame:
    if knowledge not in KNOWLEDGE:
        raise UsageError(f"knowledge '{knowledge}' is unknown.{did_you_mean(knowledge, KNOWLEDGE)}")
    choices = choose(spine, histories, knowledge=knowledge, strategy=strategy)
    outputs = [output_name(history, name) for history in histories for name in history.features]
    evidence = [evidence_column(history.name) for history in histories] if has_evidence else []
    check_spine(spine, histories, label_time=label_time, outputs=[*outputs, *evidence])
    keyed = key_spine(spine, histories, label_time=label_time)
    for name in dict.fromkeys(choice.strategy for choice in choices):
        facts = {
            index: _facts(history, name, keyed, knowledge, has_evidence)
            for index, history in enumerate(histories)
            if choices[index].strategy == name
        }
        keyed = replace(keyed, frame=STRATEGIES[name](keyed, facts))
    judged = [index for index, history in enumerate(histories) if has_evidence or _needs_outcome(history)]
    outcomes = {_outcome_name(index): _outcome(histories[index], keyed, match_name(index)) for index in judged}
    return keyed.frame.withColumns(outcomes).select(
        *(F.col(SPINE).getField(name).alias(name) for name in spine.columns),
        *(value for index, history in enumerate(histories) for value in _features(history, index, index in judged)),
        *(_evidence(index).alias(name) for index, name in enumerate(evidence)),
    )


def _facts(history: History, strategy: str, keyed: KeyedSpine, knowledge: str, has_evidence: bool) -> SearchableFacts:
    keys = keyed.keys(history)
    if strategy == COLOCATED:
        return facts_in_layout(history, keys=keys, has_evidence=has_evidence)
    return searchable_facts(history, keys=keys, knowledge=knowledge, has_evidence=has_evidence)


def _outcome(history: History, keyed: KeyedSpine, match: str) -> Column:
    """Without a key or label time none (S15, S17); a tombstone ends its entity whatever its age (S8), else S18."""
    is_keyed = has_all([F.col(name) for name in (*keyed.keys(history), LABEL_US)])
    chosen = F.col(match).getField("at")
    outcome = F.when(~is_keyed, WITHOUT_KEY).when(F.col(match).isNull(), UNSEEN)
    outcome = outcome.when(chosen.getField("is_ended"), ENDED)
    if history.max_age_us is not None:
        age_us = F.col(LABEL_US) - F.unix_micros(chosen.getField("event_time"))
        outcome = outcome.when(age_us >= history.max_age_us, EXPIRED)
    return outcome.otherwise(MATCHED)


def _needs_outcome(history: History) -> bool:
    """Whether a match may still give nulls. If not, its features are the match's own, and no outcome is computed."""
    return history.is_static or history.max_age is not None or history.tombstone is not None


def _features(history: History, index: int, has_outcome: bool) -> list[Column]:
    row = F.col(match_name(index)).getField("row")
    return feature_values(history, F.when(F.col(_outcome_name(index)) == MATCHED, row) if has_outcome else row)


def _evidence(index: int) -> Column:
    outcome = F.col(_outcome_name(index))
    match = F.when(outcome != WITHOUT_KEY, F.col(match_name(index)))
    return F.struct(
        match.getField("at").getField("event_time").alias("event_time"),
        match.getField("at").getField("available_time").alias("available_time"),
        outcome.alias("outcome"),
        F.coalesce(match.getField("is_tied"), F.lit(False)).alias("is_tied"),
    )


def _outcome_name(index: int) -> str:
    return f"outcome_{index}"
