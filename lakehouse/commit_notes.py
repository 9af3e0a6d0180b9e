"""The note in every commit of ours: which run wrote which slices, from what, with which token.

It stands as JSON in the commit's `userMetadata`, so that a lost ledger can be rebuilt from the tables' histories.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from lakehouse.table_state import TableState

_FORMAT = 1


@dataclass(frozen=True)
class SliceNote:
    """One slice (an as-of, a delivery): its rows and their content hash (S34)."""

    rows: int
    content_hash: str


@dataclass(frozen=True)
class CommitNote:
    """`fingerprint` stands for the view's whole meaning; `inputs` are tables by key at the versions read.

    extra: what else the writer records; of a source or a view its `TableState`, of a spine its limits.
    """

    run_id: str
    view: str
    fingerprint: str
    inputs: Mapping[str, int] = field(default_factory=dict)
    slices: Mapping[str, SliceNote] = field(default_factory=dict)
    token: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return sum(piece.rows for piece in self.slices.values())

    @property
    def state(self) -> TableState:
        """What the commit of a source or a view states about its table."""
        return TableState.from_json(self.extra)

    def to_json(self) -> str:
        return json.dumps({"ziggurat": _FORMAT, **asdict(self)}, sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | None) -> "CommitNote | None":
        """None for a commit that is not ours."""
        try:
            fields = json.loads(text or "")
            if fields.pop("ziggurat") != _FORMAT:
                return None
            return cls(**{**fields, "slices": {name: SliceNote(**s) for name, s in fields["slices"].items()}})
        except (ValueError, TypeError, KeyError, AttributeError):
            return None
