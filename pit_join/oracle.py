"""The point-in-time join as the contract defines it, row by row in plain Python: every strategy is compared with it.

Rows are dicts, clocks are integers of microseconds, null is None. It is slow, and imports no other module of ours, so
that it can't share their mistakes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class HistoryDeclaration:
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
    """What a spine row sees: the whole fact that was chosen, and its outcome."""

    outcome: str
    fact: Row | None = None
    is_tied: bool = False

    @property
    def values(self) -> Row | None:
        """S16: the fact's whole row where the outcome is matched, else None."""
        return self.fact if self.outcome == "matched" else None


def seen_by(
    spine_row: Row, facts: Sequence[Row], history: HistoryDeclaration, *, label_time: str = "label_time"
) -> Answer:
    """What this row of the spine sees in the facts."""
    keys = [spine_row[name] for name in history.spine_keys or history.keys]
    t = spine_row[label_time]
    if t is None or None in keys:
        return Answer("without_key")  # S15, S17
    then = [
        fact
        for fact in known(facts, history, t)
        if [fact[name] for name in history.keys] == keys and has_happened(fact, history, t)
    ]
    if not then:
        return Answer("unseen")
    latest = max(then, key=lambda fact: [*clock_order(fact, history), *positions(fact, ordered_columns(history))])
    is_tied = (
        not history.is_snapshot
        and [clock_order(fact, history) for fact in then].count(clock_order(latest, history)) > 1
    )
    return Answer(outcome(latest, history, t), latest, is_tied)


def known(facts: Sequence[Row], history: HistoryDeclaration, t: int) -> list[Row]:
    """The versions in force at t: of each fact the newest one known by then (S7), unless it is a retraction (S8)."""
    if history.event_time is None:
        return list(facts)
    reached = [fact for fact in facts if fact[history.event_time] is not None and was_known(fact, history, t)]
    if history.identity:
        newest: dict[tuple[Any, ...], Row] = {}
        for fact in sorted(reached, key=lambda fact: version_order(fact, history)):
            newest[tuple(fact[name] for name in history.identity)] = fact
        reached = list(newest.values())
    return [fact for fact in reached if not (history.retraction and fact[history.retraction])]


def was_known(fact: Row, history: HistoryDeclaration, t: int) -> bool:
    """S5, S14. With latest knowledge: whether no newer version has replaced it by today (S19)."""
    at, end = available(fact, history), fact[history.superseded_at] if history.superseded_at else None
    if history.knowledge == "latest":
        return at is not None and end is None
    return at is not None and at <= t and (end is None or t < end)


def has_happened(fact: Row, history: HistoryDeclaration, t: int) -> bool:
    """S14: strictly before t, or at t for a snapshot, which leaves its own instant out, and by declaration."""
    if history.event_time is None:
        return True
    happened: int = fact[history.event_time]
    return happened <= t if history.is_snapshot or history.includes_label_instant else happened < t


def outcome(fact: Row, history: HistoryDeclaration, t: int) -> str:
    """A tombstone has no value, however old (S8); a fact is kept while it is younger than max_age (S18)."""
    if has_ended(fact, history):
        return "ended"
    if history.event_time and history.max_age_us is not None and not t - fact[history.event_time] < history.max_age_us:
        return "expired"
    return "matched"


def available(fact: Row, history: HistoryDeclaration) -> int | None:
    """A frame without the column counts as known at once (S5)."""
    at: int | None = fact[history.available_time or history.event_time or ""]
    return at


def has_ended(fact: Row, history: HistoryDeclaration) -> bool:
    return bool(history.tombstone and fact[history.tombstone])


def clock_order(fact: Row, history: HistoryDeclaration) -> list[Any]:
    """S9 before the columns: event time, tie-break, available time, tombstone last. A static key has one row (S10)."""
    if history.event_time is None:
        return []
    clocked = positions(fact, (history.event_time, *history.tie_break))
    return [*clocked, available(fact, history), has_ended(fact, history)]


def ordered_columns(history: HistoryDeclaration) -> tuple[str, ...]:
    """All the view's columns in declared order (S9); when a version will be replaced is not one of them."""
    return tuple(name for name in history.columns if name != history.superseded_at)


def version_order(fact: Row, history: HistoryDeclaration) -> list[Any]:
    """S7: version_by, available_time, then the load that brought it and all columns, so that the order is total."""
    named = (history.version_by,) if history.version_by else ()
    loaded = ("loaded_at",) if "loaded_at" in history.columns else ()
    return [*positions(fact, named), available(fact, history), *positions(fact, (*loaded, *history.columns))]


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
            return (1, sorted((position(key), position(item)) for key, item in value.items()))
        case list() | tuple():
            return (1, [position(item) for item in value])
        case _:
            return (1, value)
