"""The point-in-time join as the contract says it, row by row: slow, plain, and what every strategy is compared with.

Rows are dicts; clocks are integers of microseconds; null is None. Nothing of the other modules is used.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One history, as `History` declares it; `columns` are all of the frame's, in declared order (S9)."""

    keys: tuple[str, ...]
    columns: tuple[str, ...]
    event_time: str | None = "event_time"
    available_time: str | None = None
    spine_keys: tuple[str, ...] = ()
    max_age_us: int | None = None
    tie_break: tuple[str, ...] = ()
    tombstone: str | None = None
    identity: tuple[str, ...] = ()
    version_by: str | None = None
    retraction: str | None = None
    superseded_at: str | None = None
    includes_label_instant: bool = False
    is_snapshot: bool = False
    knowledge: str = "at_label"


@dataclass(frozen=True)
class Answer:
    """What a spine row sees: the whole fact that was chosen, and what became of it."""

    outcome: str
    fact: Row | None = None
    is_tied: bool = False

    @property
    def values(self) -> Row | None:
        """S16: the fact's whole row, if it is brought at all."""
        return self.fact if self.outcome == "matched" else None


def seen_by(spine_row: Row, facts: Sequence[Row], asked: Asked, *, label_time: str = "label_time") -> Answer:
    """What this row of the spine sees in the facts."""
    keys = [spine_row[name] for name in asked.spine_keys or asked.keys]
    t = spine_row[label_time]
    if t is None or None in keys:
        return Answer("without_key")  # S15, S17
    then = [
        fact
        for fact in known(facts, asked, t)
        if [fact[name] for name in asked.keys] == keys and has_happened(fact, asked, t)
    ]
    if not then:
        return Answer("unseen")
    latest = max(then, key=lambda fact: [*settled(fact, asked), *positions(fact, ordered(asked))])
    is_tied = not asked.is_snapshot and [settled(fact, asked) for fact in then].count(settled(latest, asked)) > 1
    return Answer(outcome(latest, asked, t), latest, is_tied)


def known(facts: Sequence[Row], asked: Asked, t: int) -> list[Row]:
    """The versions in force at t: of each fact the newest one known by then (S7), unless it is a retraction (S8)."""
    if asked.event_time is None:
        return list(facts)
    reached = [fact for fact in facts if fact[asked.event_time] is not None and was_known(fact, asked, t)]
    if asked.identity:
        newest: dict[tuple[Any, ...], Row] = {}
        for fact in sorted(reached, key=lambda fact: version(fact, asked)):
            newest[tuple(fact[name] for name in asked.identity)] = fact
        reached = list(newest.values())
    return [fact for fact in reached if not (asked.retraction and fact[asked.retraction])]


def was_known(fact: Row, asked: Asked, t: int) -> bool:
    """S5, S14; the latest knowledge is what no newer version has replaced by today (S19)."""
    at, end = available(fact, asked), fact[asked.superseded_at] if asked.superseded_at else None
    if asked.knowledge == "latest":
        return at is not None and end is None
    return at is not None and at <= t and (end is None or t < end)


def has_happened(fact: Row, asked: Asked, t: int) -> bool:
    """S14: strictly before, unless the fact says what lies before its own instant, or is declared to count at it."""
    if asked.event_time is None:
        return True
    happened: int = fact[asked.event_time]
    return happened <= t if asked.is_snapshot or asked.includes_label_instant else happened < t


def outcome(fact: Row, asked: Asked, t: int) -> str:
    """A tombstone has no value, however old (S8); a fact is kept while it is younger than max_age (S18)."""
    if has_ended(fact, asked):
        return "ended"
    if asked.event_time and asked.max_age_us is not None and not t - fact[asked.event_time] < asked.max_age_us:
        return "expired"
    return "matched"


def available(fact: Row, asked: Asked) -> int | None:
    """A frame without the column counts as known at once (S5)."""
    at: int | None = fact[asked.available_time or asked.event_time or ""]
    return at


def has_ended(fact: Row, asked: Asked) -> bool:
    return bool(asked.tombstone and fact[asked.tombstone])


def settled(fact: Row, asked: Asked) -> list[Any]:
    """S9 before the columns: event time, tie-break, available time, tombstone last. A static key has one row (S10)."""
    if asked.event_time is None:
        return []
    clocked = positions(fact, (asked.event_time, *asked.tie_break))
    return [*clocked, available(fact, asked), has_ended(fact, asked)]


def ordered(asked: Asked) -> tuple[str, ...]:
    """All the view's columns in declared order (S9); when a version will be replaced is not one of them."""
    return tuple(name for name in asked.columns if name != asked.superseded_at)


def version(fact: Row, asked: Asked) -> list[Any]:
    """S7: version_by, available_time, then the load that brought it and all columns, so that the order is total."""
    named = (asked.version_by,) if asked.version_by else ()
    loaded = ("loaded_at",) if "loaded_at" in asked.columns else ()
    return [*positions(fact, named), available(fact, asked), *positions(fact, (*loaded, *asked.columns))]


def positions(fact: Row, names: Sequence[str]) -> list[Any]:
    return [position(fact[name]) for name in names]


def position(value: Any) -> tuple[Any, ...]:
    """Nulls first, numbers by value with NaN above them all, text and binary by unsigned bytes, maps as entries."""
    match value:
        case None:
            return (0,)
        case str():
            return (1, value.encode())
        case float() | Decimal():
            return (1, value != value, 0 if value != value else value)
        case dict():
            return (1, sorted((position(key), position(held)) for key, held in value.items()))
        case list() | tuple():
            return (1, [position(each) for each in value])
        case _:
            return (1, value)
