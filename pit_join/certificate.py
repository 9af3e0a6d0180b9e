"""The certificate of a training set: what was promised of the join, and what was found. Plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from definitions.durations import DAY_US, SECOND_US, day_or_instant
from pit_join.evidence import HistoryEvidence, facts_at_label, gather_evidence
from pit_join.facts import AT_LABEL
from pit_join.history import History

__all__ = ["Certificate", "Check", "HistoryEvidence", "certify", "facts_at_label", "gather_evidence"]


@dataclass(frozen=True)
class Check:
    """One promise, and what was found."""

    promise: str
    passed: bool
    found: str


@dataclass(frozen=True)
class Certificate:
    """`reasons` say why it is not certified, and are empty if it is; `warnings` are for whoever trains on it."""

    checks: tuple[Check, ...]
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    histories: tuple[HistoryEvidence, ...]
    knowledge: str
    static_sources: tuple[str, ...]

    @property
    def is_certified(self) -> bool:
        return not self.reasons

    @property
    def failed(self) -> tuple[Check, ...]:
        """Broken promises: a training set that has any must not be published."""
        return tuple(check for check in self.checks if not check.passed)


def certify(
    evidence: Mapping[str, HistoryEvidence],
    histories: Sequence[History],
    *,
    rows_in: int,
    rows_out: int,
    spine_hash_in: str,
    spine_hash_out: str,
    knowledge: str = AT_LABEL,
    static_sources: Sequence[str] = (),
) -> Certificate:
    """Judge a finished join by its evidence. Hashes are content hashes of the spine's columns, before and after (S34).

    With knowledge="latest" it is never certified (S19). Reads no data.
    """
    pairs = [(history, evidence[history.name]) for history in histories]
    checks = (
        Check("rows in = rows out", rows_in == rows_out, f"{rows_in:,} and {rows_out:,}"),
        _unchanged(spine_hash_in, spine_hash_out),
        *(_accounted(each, rows_out) for _, each in pairs),
        *(check for history, each in pairs if not history.is_static for check in _clocks(history, each, knowledge)),
    )
    reasons = [f"{check.promise}: {check.found}" for check in checks if not check.passed]
    if knowledge != AT_LABEL:
        reasons.insert(0, f"knowledge is '{knowledge}': values are what is known today, not what was known then")
    return Certificate(
        checks=checks,
        reasons=tuple(reasons),
        warnings=tuple(warning for history, each in pairs for warning in _warnings(history, each)),
        histories=tuple(each for _, each in pairs),
        knowledge=knowledge,
        static_sources=tuple(static_sources),
    )


def _accounted(each: HistoryEvidence, rows: int) -> Check:
    parts = (each.matched, each.unseen, each.expired, each.ended, each.without_key)
    told = " + ".join(f"{part:,}" for part in parts)
    is_whole = sum(parts) == each.rows == rows
    return Check(f"{each.name}: every row is accounted for", is_whole, f"{told} = {sum(parts):,} of {rows:,}")


def _clocks(history: History, each: HistoryEvidence, knowledge: str) -> list[Check]:
    """S14 and S18, on what was chosen; the latest knowledge does not promise to have been there (S19)."""
    least = 0 if history.counts_its_instant else 1
    edge = "after" if history.counts_its_instant else "at or after"
    checks = [
        _gap(f"{each.name}: no event {edge} its label time", each.smallest_event_gap_us, least, "event"),
    ]
    if knowledge == AT_LABEL:
        promise = f"{each.name}: nothing known only after its label time"
        checks.append(_gap(promise, each.smallest_availability_gap_us, 0, "knowledge"))
    limit = history.max_age_us
    if limit is not None:
        age = each.oldest_matched_us
        found = "no value" if age is None else f"the oldest is {_span(age)} old, the limit {_span(limit)}"
        checks.append(Check(f"{each.name}: nothing as old as max_age", age is None or age < limit, found))
    return checks


def _gap(promise: str, gap_us: int | None, least_us: int, told: str) -> Check:
    if gap_us is None:
        return Check(promise, True, "no fact was chosen")
    side = "before" if gap_us >= 0 else "after"
    return Check(promise, gap_us >= least_us, f"the nearest {told} lies {_span(abs(gap_us))} {side} it")


def _warnings(history: History, each: HistoryEvidence) -> list[str]:
    found = []
    if each.rows and each.unseen + each.without_key == each.rows:
        found.append(_why_unseen(history, each))
    if history.is_static:
        return found
    if history.available_time is None:
        found.append(f"{each.name}: availability is assumed: each fact counts as known at its event time")
    if not (history.is_snapshot or history.has_versions):
        found.append(f"{each.name}: no identity is declared: each row counts as a fact of its own, never corrected")
    if history.includes_label_instant:
        found.append(f"{each.name}: facts at the label time itself count, as declared")
    if each.ties:
        found.append(f"{each.name}: {each.ties:,} rows chose among facts that only their columns tell apart")
    return found


def _why_unseen(history: History, each: HistoryEvidence) -> str:
    told = f"{each.name}: no row has a value"
    if each.without_key == each.rows:
        return f"{told}: every row lacks a key or its label time"
    if history.is_static:
        return f"{told}: none of the spine's keys is in it"
    if each.first_available_us is None or each.first_label_us is None or each.last_label_us is None:
        return f"{told}: it holds no facts"
    labels = f"label times run from {day_or_instant(each.first_label_us)} to {day_or_instant(each.last_label_us)}"
    first = f"its first fact was known at {day_or_instant(each.first_available_us)}"
    if each.last_label_us < each.first_available_us:
        return f"{told}: {labels}, but {first}"
    return f"{told}, though {first} and {labels}: are the spine's keys those of this view?"


def _unchanged(before: str, after: str) -> Check:
    is_same = before == after
    return Check("the spine's rows are unchanged", is_same, before if is_same else f"{before} became {after}")


def _span(us: int) -> str:
    """A span of time, exact, in the units that people use: `1 d 4 h`, `1 µs`, `0 s`."""
    parts = []
    for unit, size in (("d", DAY_US), ("h", 3_600 * SECOND_US), ("min", 60 * SECOND_US), ("s", SECOND_US)):
        number, us = divmod(us, size)
        parts += [f"{number:,} {unit}"] if number else []
    return " ".join([*parts, *([f"{us:,} µs"] if us else [])]) or "0 s"
