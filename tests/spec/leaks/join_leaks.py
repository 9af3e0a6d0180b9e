"""Leaks of the join itself. Each is judged by the drawn rules that it breaks, and by a certificate."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from pit_join import History, facts, join
from pit_join.facts import SearchableFacts
from pit_join.keyed_spine import KeyedSpine
from temporal.versions import version_order
from tests.spec.leaks.leak import CERTIFICATE, CONFORMANCE, Leak, Plant


@dataclass(frozen=True)
class JoinLeak(Leak):
    """rules: the first words of the drawn rules that are run, of all that the suite has."""

    plant: Plant
    rules: tuple[str, ...]
    session: Mapping[str, str] = field(default_factory=dict)


def _replacing(module: Any, name: str, make: Callable[[Any], Any]) -> Plant:
    """Replaces a name in a module by what `make` returns for its current value."""
    return lambda monkeypatch: monkeypatch.setattr(module, name, make(getattr(module, name)))


def _inclusive(honest: Any) -> Any:
    def visible_us(history: History, knowledge: str) -> Column:
        return F.greatest(F.unix_micros(facts._event_time(history)), F.unix_micros(facts._available_time(history)))

    return visible_us


def _at_once(honest: Any) -> Any:
    return lambda history, knowledge: honest(history, facts.LATEST)


def _in_session_zone(honest: Any) -> Any:
    def visible_us(history: History, knowledge: str) -> Column:
        wall = F.to_utc_timestamp(F.col(history.event_time or ""), F.current_timezone())
        return F.greatest(F.unix_micros(wall) + 1, honest(history, knowledge))

    return visible_us


def _as_it_is_today(honest: Any) -> Any:
    """A source that is overwritten in place: the newest content, with the time at which the first was known."""

    def searchable_facts(history: History, **how: Any) -> SearchableFacts:
        if not history.identity:
            return honest(history, **how)
        fact = Window.partitionBy(*history.identity)
        order = version_order(
            history.frame.schema,
            available_time=F.col(history.available_time),
            version_by=history.version_by,
            columns=history.frame.columns,
        )
        following = F.lead(F.lit(1)).over(fact.orderBy(*order))
        rows = history.frame.withColumns(
            {"first_known": F.min(F.col(history.available_time)).over(fact), "following": following}
        )
        rows = rows.where("following is null").withColumn(history.available_time, F.col("first_known"))
        return honest(replace(history, frame=rows.select(*history.frame.columns)), **how)

    return searchable_facts


def _whole_rows_only(honest: Any) -> Any:
    """The last value of each column that is not null, as many libraries fill gaps."""

    def searchable_facts(history: History, **how: Any) -> SearchableFacts:
        prepared = honest(history, **how)
        rows = prepared.frame
        for name in facts.feature_fields(history).values():
            rows = rows.where(F.col("fact.row").getField(name).isNotNull())
        return replace(prepared, frame=rows)

    return searchable_facts


def _latest_in_disguise(honest: Any) -> Any:
    return lambda history, **how: honest(history, **{**how, "knowledge": facts.LATEST})


def _without(declaration: str, nothing: object) -> Callable[[Any], Any]:
    return lambda honest: lambda history: honest(replace(history, **{declaration: nothing}))


def _glued(frame: DataFrame, keys: tuple[str, ...]) -> DataFrame:
    """Keys are concatenated; where one is null, so is the result."""
    first, *others = keys
    glued = frame.withColumn(first, F.concat(*keys))
    return glued.withColumns({name: F.when(F.col(first).isNotNull(), F.lit("")) for name in others})


def _glue_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    honest_spine, honest_facts = join.key_spine, join.searchable_facts

    def key_spine(*args: Any, **how: Any) -> KeyedSpine:
        keyed = honest_spine(*args, **how)
        return replace(keyed, frame=_glued(keyed.frame, tuple(f"key_{n}" for n in range(len(keyed.key_names)))))

    def searchable_facts(history: History, **how: Any) -> SearchableFacts:
        prepared = honest_facts(history, **how)
        return replace(prepared, frame=_glued(prepared.frame, prepared.keys))

    monkeypatch.setattr(join, "key_spine", key_spine)
    monkeypatch.setattr(join, "searchable_facts", searchable_facts)


def _one_microsecond_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = History.max_age_us.fget
    longer = property(lambda history: None if honest(history) is None else honest(history) + 1)
    monkeypatch.setattr(History, "max_age_us", longer)


JOIN_LEAKS = (
    JoinLeak(
        "inclusive edge",
        "what happens at the label time itself is seen",
        (CONFORMANCE, CERTIFICATE),
        _replacing(facts, "_visible_us", _inclusive),
        ("S14 what happens at the label time",),
    ),
    JoinLeak(
        "availability ignored",
        "a fact is seen from its event on, whenever it became known",
        (CONFORMANCE, CERTIFICATE),
        _replacing(facts, "_visible_us", _at_once),
        ("S5 a fact is seen",),
    ),
    JoinLeak(
        "latest knowledge in disguise",
        "values are those known today, in a training set that promises those known at the label time",
        (CONFORMANCE, CERTIFICATE),
        _replacing(join, "searchable_facts", _latest_in_disguise),
        ("S5 a fact is seen", "S7 each fact"),
    ),
    JoinLeak(
        "session zone",
        "a time is read as a wall clock in the zone of the session",
        (CONFORMANCE,),
        _replacing(facts, "_visible_us", _in_session_zone),
        ("S14 what happens at the label time",),
        {"spark.sql.session.timeZone": "America/New_York"},
    ),
    JoinLeak(
        "restated value",
        "the current content of a fact, instead of the version that was known then",
        (CONFORMANCE,),
        _replacing(join, "searchable_facts", _as_it_is_today),
        ("S7 each fact",),
    ),
    JoinLeak(
        "retraction ignored",
        "a retracted fact still counts",
        (CONFORMANCE,),
        _replacing(facts, "is_marked", lambda honest: lambda mark: F.lit(False)),
        ("S8 after a retraction",),
    ),
    JoinLeak(
        "tombstone ignored",
        "an ended state gives a value",
        (CONFORMANCE,),
        _replacing(facts, "_at", _without("tombstone", None)),
        ("S8 from a tombstone on",),
    ),
    JoinLeak(
        "tie resolved arbitrarily",
        "of facts at one instant any may win, whatever was declared",
        (CONFORMANCE,),
        _replacing(facts, "_at", _without("tie_break", ())),
        ("S9 several tie-breaks",),
    ),
    JoinLeak(
        "null carried per column",
        "the last value that is not null, out of another row than the rest",
        (CONFORMANCE,),
        _replacing(join, "searchable_facts", _whole_rows_only),
        ("S16 all features come from one fact",),
    ),
    JoinLeak(
        "max_age off by one",
        "a value exactly as old as the limit is kept",
        (CONFORMANCE,),
        _one_microsecond_longer,
        ("S18 with a max_age of one microsecond",),
    ),
    JoinLeak(
        "key concatenation",
        "composite keys are concatenated: ab + c equals a + bc",
        (CONFORMANCE,),
        _glue_keys,
        ("S17 keys are compared part by part",),
    ),
)
