"""What a long command says while it prints nothing else: what is being worked on, the share done, the time left."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

_EARLY_S, _EARLY_SHARE = 5.0, 0.02  # before that, nothing can be said about the time left


@dataclass
class _Work:
    """One table that is being worked on. done of total: of this phase."""

    doing: str
    since: float
    phase_since: float
    done: int = 0
    total: int = 0
    unit: str = ""


@dataclass
class Progress:
    """Steps run side by side, so all methods may be called from several threads. `now` is a clock in seconds."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _works: dict[str, _Work] = field(default_factory=dict)
    _weights: dict[str, int] = field(default_factory=dict)
    _ended: set[str] = field(default_factory=set)
    _since: float = 0.0

    def planned(self, weights: Mapping[str, int], now: float) -> None:
        with self._lock:
            self._weights, self._ended, self._since = dict(weights), set(), now

    def begun(self, table: str, now: float) -> None:
        with self._lock:
            self._works[table] = _Work("reading", now, now)

    def phase(self, table: str, doing: str, now: float) -> None:
        with self._lock:
            before = self._works.get(table)
            self._works[table] = _Work(doing, before.since if before else now, now)

    def advanced(self, table: str, done: int, total: int, unit: str) -> None:
        with self._lock:
            if work := self._works.get(table):
                work.done, work.total, work.unit = done, total, unit

    def ended(self, table: str) -> None:
        with self._lock:
            self._works.pop(table, None)
            self._ended.add(table)

    def line(self, now: float) -> str:
        """Empty where nothing is being worked on."""
        with self._lock:
            works = [f"{table} {_work_text(work, now)}" for table, work in sorted(self._works.items())]
            return "".join([self._run_text(now), ", ".join(works)]) if works else ""

    def _run_text(self, now: float) -> str:
        """`3 of 9 tables, 42 % of the bytes to read, about 50 s left: `; tables that end at once are counted, too."""
        ended = [table for table in self._weights if table in self._ended]
        if not self._weights or len(ended) == len(self._weights):
            return ""
        share = sum(self._weights[table] for table in ended) / sum(self._weights.values())
        left = time_left(share, now - self._since)
        return f"{len(ended)} of {len(self._weights)} tables, {share:.0%} of the bytes to read{left}: "


def _work_text(work: _Work, now: float) -> str:
    seconds = f"{now - work.since:.0f} s"
    if not work.total:
        return f"{work.doing} {seconds}"
    share = work.done / work.total
    left = time_left(share, now - work.phase_since)
    return f"{work.doing} {seconds}, {work.done:,} of {work.total:,} {work.unit}, {share:.0%}{left}"


def time_left(share: float, seconds: float) -> str:
    """`, about 2 min left`, if the rest goes as what was done in these seconds; empty too early to tell."""
    if seconds < _EARLY_S or not _EARLY_SHARE <= share < 1:
        return ""
    left = seconds * (1 - share) / share
    return f", about {left:.0f} s left" if left < 90 else f", about {left / 60:.0f} min left"
