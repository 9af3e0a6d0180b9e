"""What a commit states about the table it leaves behind: what it was built from, and what its columns mean.

It stands as JSON in the commit's note (`CommitNote.extra`) and in the ledger's slice records. Nothing outside this
module reads those keys. A key that an older version did not write takes its default here, and a key that this version
does not know is dropped.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

_LATER_KEYS = ("reach_us", "rewritten_at_us")  # not written where they are not known


@dataclass(frozen=True, kw_only=True)
class RawState:
    """A table of facts after a delivery. `rows_in` = rows kept + `again` + the sum of `quarantined`.

    loaded_at_us: the load that brought the newest rows. newest_event_us: None where no row has an event time. reach_us:
    how far the facts reach, whatever single ones are dated; None also in what earlier versions wrote.
    has_versions: an identity has two rows (S7). has_late: a row came after its landing delay (S5).
    rewritten_at_us: the load that found the table without a record of its rows, or no table: what was built from
    earlier loads may rest on rows that are gone, or lack rows of no load. None in what earlier versions wrote.
    """

    loaded_at_us: int = 0
    rows_in: int = 0
    again: int = 0
    quarantined: Mapping[str, int] = field(default_factory=dict)
    has_versions: bool = False
    has_late: bool = False
    newest_event_us: int | None = None
    reach_us: int | None = None
    rewritten_at_us: int | None = None


@dataclass(frozen=True, kw_only=True)
class ViewState:
    """A view after a build. loads: the newest load of each source below it, by table key, in µs; missing: 0.

    built_to_us: the as-of up to which a derived view holds facts; None for snapshots, which have one slice per as-of.
    known_to_us: the cut at which those facts were known; None where an earlier version did not record it.
    published_us: by as-of, when a live run published it, where that was later than promised (S11).
    """

    loads: Mapping[str, int] = field(default_factory=dict)
    built_to_us: int | None = None
    known_to_us: int | None = None
    published_us: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TableState:
    """One table. `raw` is set for sources, `view` for views; neither where nothing is known of it.

    columns: the fingerprint of each column (S35); empty where it was not recorded.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    raw: RawState | None = None
    view: ViewState | None = None

    @property
    def is_known(self) -> bool:
        return self.raw is not None or self.view is not None

    @property
    def loaded_at_us(self) -> int:
        return self.raw.loaded_at_us if self.raw else 0

    @property
    def rewritten_at_us(self) -> int:
        return (self.raw.rewritten_at_us if self.raw else None) or 0

    @property
    def reach_us(self) -> int | None:
        """How far the facts of a source reach: never later than its newest load."""
        if self.raw is None or self.raw.newest_event_us is None:
            return None
        known = self.raw.reach_us if self.raw.reach_us is not None else self.raw.newest_event_us
        return min(known, self.raw.loaded_at_us)

    @property
    def has_versions(self) -> bool:
        """True when an identity may have two rows: also where nothing is known of the table."""
        return self.raw is None or self.raw.has_versions

    @property
    def loads(self) -> Mapping[str, int]:
        return self.view.loads if self.view else {}

    @property
    def built_to_us(self) -> int | None:
        return self.view.built_to_us if self.view else None

    @property
    def known_to_us(self) -> int | None:
        return self.view.known_to_us if self.view else None

    @property
    def figures(self) -> dict[str, Any]:
        """The state without its columns, for logs and the ledger's step records."""
        return {key: value for key, value in self.to_json().items() if key != "columns"}

    def to_json(self) -> dict[str, Any]:
        """The keys that commits have carried since the first version; nothing for an unknown table."""
        if self.raw is not None:
            written = {**asdict(self.raw), "columns": dict(self.columns)}
            return {key: value for key, value in written.items() if key not in _LATER_KEYS or value is not None}
        if self.view is not None:
            limits = {"built_to_us": self.view.built_to_us, "known_to_us": self.view.known_to_us}
            known: dict[str, Any] = {name: us for name, us in limits.items() if us is not None}
            known |= {"published_us": dict(self.view.published_us)} if self.view.published_us else {}
            return {**known, "loads": dict(self.view.loads), "columns": dict(self.columns)}
        return {}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "TableState":
        """Reads what any version wrote; the state of an unknown table for a mapping without these keys."""
        columns = stored.get("columns") or {}
        if "loaded_at_us" in stored:
            known = RawState(
                loaded_at_us=stored["loaded_at_us"],
                rows_in=stored.get("rows_in") or 0,
                again=stored.get("again") or 0,
                quarantined=stored.get("quarantined") or {},
                has_versions=bool(stored.get("has_versions", False)),
                has_late=bool(stored.get("has_late", False)),
                newest_event_us=stored.get("newest_event_us"),
                reach_us=stored.get("reach_us"),
                rewritten_at_us=stored.get("rewritten_at_us"),
            )
            return cls(columns=columns, raw=known)
        if "loads" in stored or "built_to_us" in stored:
            view = ViewState(
                loads=stored.get("loads") or {},
                built_to_us=stored.get("built_to_us"),
                known_to_us=stored.get("known_to_us"),
                published_us=stored.get("published_us") or {},
            )
            return cls(columns=columns, view=view)
        return cls(columns=columns)
