"""What the small projects' tables hold, from the rules alone (S5, S7, S8, S11, S13, S20, S22): slow, plain Python.

Times are microseconds. A raw fact is a delivered row (a tuple in its source's column order) with its two stamps and
its load. Nothing of the product is used but definitions, which are data.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from definitions.clocks import AvailableColumn, LandingDelay
from definitions.durations import instant_us
from definitions.sources import Source
from definitions.views import AggregateView, DerivedView

DAY = 86_400_000_000
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Fact:
    """A row of raw, or of a derived view, with what its columns hold; `until`: when a newer version was known."""

    columns: Mapping[str, Any]
    event: int
    known: int
    loaded: int = 0
    until: int | None = None


def loaded(raw: Sequence[Fact], delivered: Iterable[Row], source: Source, *, at: int, looked: int | None) -> list[Fact]:
    """S5 and S7: the facts that one look at a source adds. looked: the look before; None: this one is the first."""
    names = [column.name for column in source.columns]
    held = [tuple(fact.columns[name] for name in names) for fact in raw]
    added: list[Fact] = []
    for row in delivered:
        if row in held:  # without an identity each equal row is another fact, as often as it is delivered
            if not source.identity:
                held.remove(row)
            continue
        if source.identity:
            held.append(row)
        added.append(_stamped(dict(zip(names, row, strict=True)), raw, source, at=at, looked=looked))
    return added


def _stamped(columns: Mapping[str, Any], raw: Sequence[Fact], source: Source, *, at: int, looked: int | None) -> Fact:
    assert source.event_time is not None
    event = columns[source.event_time.column]
    if isinstance(source.available, AvailableColumn):
        return Fact(columns, event, columns[source.available.column], at)
    assert isinstance(source.available, LandingDelay)
    expected = event + source.available.delay_us
    if looked is None:
        is_late = event >= instant_us(source.available.first_load_until)
    else:
        corrects = source.identity and any(_identity(source, f.columns) == _identity(source, columns) for f in raw)
        is_late = bool(corrects) or expected <= looked
    return Fact(columns, event, max(expected, at) if is_late else expected, at)


def _identity(source: Source, columns: Mapping[str, Any]) -> Row:
    return tuple(columns[name] for name in source.identity)


def versions(raw: Iterable[Fact], source: Source, cut: int) -> list[Fact]:
    """S7 and S8: the facts known at a cut, each with the instant at which a newer version of it was known."""
    known = [fact for fact in raw if fact.known <= cut]
    found = []
    for fact in known:
        newer = [
            other.known
            for other in known
            if source.identity
            and _identity(source, other.columns) == _identity(source, fact.columns)
            and _order(source, other) > _order(source, fact)
        ]
        until = min(newer, default=None)
        is_retracted = bool(source.retraction and fact.columns[source.retraction])
        if not is_retracted and (until is None or until > fact.known):
            found.append(replace(fact, until=until))
    return found


def _order(source: Source, fact: Fact) -> Row:
    by = _nulls_first(fact.columns[source.version_by]) if source.version_by else ()
    return by, fact.known, fact.loaded, tuple(_nulls_first(fact.columns[column.name]) for column in source.columns)


def _nulls_first(value: Any) -> Row:
    return (False, 0) if value is None else (True, value)


def derived(raw: Mapping[str, Sequence[Fact]], view: DerivedView, *, as_of: int, cut: int) -> list[Fact]:
    """S13: the view's rows with event < as_of, known at the cut."""
    return [fact for fact in _facts(raw, view, cut) if fact.event < as_of]


def _facts(raw: Mapping[str, Sequence[Fact]], source: Source | DerivedView, cut: int) -> list[Fact]:
    if isinstance(source, Source):
        return versions(raw[source.name], source, cut)
    rows = _facts(raw, source.source, cut)
    for lookup in source.lookups:
        looked_up = _facts(raw, lookup.source, cut)
        rows = [piece for row in rows for piece in _pieces(row, looked_up, source, on=lookup.on, take=lookup.take)]
    return [replace(row, columns={**row.columns, **_expressed(source, row.columns)}) for row in rows]


def _pieces(
    row: Fact, facts: Sequence[Fact], view: DerivedView, *, on: Sequence[str], take: Sequence[str]
) -> list[Fact]:
    """A version of the row from each instant at which its match may change."""
    matching = [f for f in facts if f.event <= row.event and all(f.columns[key] == row.columns[key] for key in on)]
    instants = {row.known, *(f.known for f in matching), *(f.until for f in matching if f.until is not None)}
    inside = sorted(at for at in instants if row.known <= at and (row.until is None or at < row.until))
    tombstone = view.lookups[0].source.root.tombstone
    pieces = []
    for at, until in zip(inside, [*inside[1:], row.until], strict=True):
        known = [f for f in matching if f.known <= at and (f.until is None or at < f.until)]
        best = max(known, key=lambda fact: fact.event, default=None)
        is_there = best is not None and not best.columns[tombstone]
        taken = {name: best.columns[name] if is_there and best else None for name in take}
        pieces.append(replace(row, columns={**row.columns, **taken}, known=at, until=until))
    return pieces


_EXPRESSIONS = {"kilometres": 2, "triple": 3}  # each a multiple of metres


def _expressed(view: DerivedView, columns: Mapping[str, Any]) -> dict[str, Any]:
    metres = columns["metres"]
    return {f.name: None if metres is None else metres * _EXPRESSIONS[f.name] for f in view.outputs}


def snapshot(raw: Mapping[str, Sequence[Fact]], view: AggregateView, as_of: int) -> dict[str, dict[str, Any]]:
    """S11, S20 and S22: by entity, the view's features of one as-of at its own cut."""
    cut = as_of + view.cut_delay_us
    current = [f for f in _facts(raw, view.source, cut) if f.event < as_of and (f.until is None or f.until > cut)]
    seen = {fact.columns["rider_id"]: [] for fact in current}
    for fact in current:
        seen[fact.columns["rider_id"]].append(fact)
    return {rider: _features(view, facts, as_of) for rider, facts in seen.items()}


_COUNTED = {
    "ride": lambda _: True,
    "tap": lambda _: True,
    "annual": lambda columns: columns["plan"] == "annual",
    "long": lambda columns: (columns["metres"] or 0) > 5,
}


def _features(view: AggregateView, facts: Sequence[Fact], as_of: int) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for feature in view.published:
        name, operation, window = feature.name.rsplit("_", 2)
        inside = [f.columns for f in facts if window == "lifetime" or f.event >= as_of - 3 * DAY]
        if operation == "count":
            values[feature.name] = sum(map(_COUNTED[name], inside))
        else:
            values[feature.name] = sum(columns[name] for columns in inside if columns[name] is not None)
    return values
