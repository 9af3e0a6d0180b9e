"""The certificate of a training set: the promises of the join, and whether its evidence keeps them. Plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from definitions.durations import DAY_US, SECOND_US, day_or_instant
from pit_join.evidence import HistoryEvidence, facts_at_label, gather_evidence
from pit_join.facts import AT_LABEL
from pit_join.history import History

__all__ = ["Certificate", "Check", "HistoryEvidence", "certify", "facts_at_label", "gather_evidence"]


@dataclass(frozen=True)
class Check:
    """One promise, whether it was kept, and what was found."""

    promise: str
    passed: bool
    found: str


@dataclass(frozen=True)
class Certificate:
    """`reasons` say why it is not certified, and are empty if it is. `warnings` are facts to know before training."""

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
        """Broken promises. A training set that has any must not be published."""
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
        *(_accounted(counts, rows_out) for _, counts in pairs),
        *(check for history, counts in pairs if not history.is_static for check in _clocks(history, counts, knowledge)),
    )
    reasons = [f"{check.promise}: {check.found}" for check in checks if not check.passed]
    if knowledge != AT_LABEL:
        reasons.insert(0, f"knowledge is '{knowledge}': values are what is known today, not what was known then")
    return Certificate(
        checks=checks,
        reasons=tuple(reasons),
        warnings=tuple(warning for history, counts in pairs for warning in _warnings(history, counts)),
        histories=tuple(counts for _, counts in pairs),
        knowledge=knowledge,
        static_sources=tuple(static_sources),
    )


def _accounted(counts: HistoryEvidence, rows: int) -> Check:
    parts = (counts.matched, counts.unseen, counts.expired, counts.ended, counts.without_key)
    outcomes = " + ".join(f"{part:,}" for part in parts)
    is_whole = sum(parts) == counts.rows == rows
    return Check(f"{counts.name}: every row is accounted for", is_whole, f"{outcomes} = {sum(parts):,} of {rows:,}")


def _clocks(history: History, counts: HistoryEvidence, knowledge: str) -> list[Check]:
    """S14 and S18 on the chosen facts. Latest knowledge makes no promise about available times (S19)."""
    least = 0 if history.counts_its_instant else 1
    edge = "after" if history.counts_its_instant else "at or after"
    checks = [
        _gap(f"{counts.name}: no event {edge} its label time", counts.smallest_event_gap_us, least, "event"),
    ]
    if knowledge == AT_LABEL:
        promise = f"{counts.name}: nothing known only after its label time"
        checks.append(_gap(promise, counts.smallest_availability_gap_us, 0, "knowledge"))
    limit = history.max_age_us
    if limit is not None:
        age = counts.oldest_matched_us
        finding = "no value" if age is None else f"the oldest is {_span(age)} old, the limit {_span(limit)}"
        checks.append(Check(f"{counts.name}: nothing as old as max_age", age is None or age < limit, finding))
    return checks


def _gap(promise: str, gap_us: int | None, least_us: int, clock: str) -> Check:
    if gap_us is None:
        return Check(promise, True, "no fact was chosen")
    side = "before" if gap_us >= 0 else "after"
    return Check(promise, gap_us >= least_us, f"the nearest {clock} lies {_span(abs(gap_us))} {side} it")


def _warnings(history: History, counts: HistoryEvidence) -> list[str]:
    name, warnings = counts.name, []
    if counts.rows and counts.unseen + counts.without_key == counts.rows:
        warnings.append(_why_unseen(history, counts))
    if history.is_static:
        return warnings
    if history.available_time is None:
        warnings.append(f"{name}: availability is assumed: each fact counts as known at its event time")
    if not (history.is_snapshot or history.has_versions):
        warnings.append(f"{name}: no identity is declared: each row counts as a fact of its own, never corrected")
    if history.includes_label_instant:
        warnings.append(f"{name}: facts at the label time itself count, as declared")
    if counts.ties:
        warnings.append(f"{name}: {counts.ties:,} rows have several latest facts, equal in all but their columns")
    return warnings


def _why_unseen(history: History, counts: HistoryEvidence) -> str:
    warning = f"{counts.name}: no row has a value"
    if counts.without_key == counts.rows:
        return f"{warning}: every row lacks a key or its label time"
    if history.is_static:
        return f"{warning}: none of the spine's keys is in it"
    if counts.first_available_us is None or counts.first_label_us is None or counts.last_label_us is None:
        return f"{warning}: it holds no facts"
    labels = f"label times run from {day_or_instant(counts.first_label_us)} to {day_or_instant(counts.last_label_us)}"
    first = f"its first fact was known at {day_or_instant(counts.first_available_us)}"
    if counts.last_label_us < counts.first_available_us:
        return f"{warning}: {labels}, but {first}"
    return f"{warning}, though {first} and {labels}: are the spine's keys those of this view?"


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
