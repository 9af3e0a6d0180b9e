"""One rule of the point-in-time join, drawn: facts above, and below what each row of a spine sees of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.drawn import table

OUTCOME_COLUMNS = ("outcome", "is_tied")

KNOWN = {"available_time": "available_time"}
VERSIONS = {**KNOWN, "identity": ("case", "fact"), "version_by": "nth", "retraction": "never_was"}


@dataclass(frozen=True)
class Rule:
    """`seen` draws the spine's columns (the keys and label_time), then the features, `outcome` and `is_tied`.

    `how` holds the other arguments of `History`, beside keys and features. Cases are kept apart by their key. A rule
    that is alone has a frame of its own wherever rules are stacked: its keys must be as they are, or it has no facts.
    """

    says: str
    facts: str
    seen: str
    keys: tuple[str, ...] = ("case",)
    spine_keys: tuple[str, ...] = ()
    knowledge: str = "at_label"
    how: Mapping[str, Any] = field(default_factory=dict)
    is_alone: bool = False

    @property
    def spine_columns(self) -> list[str]:
        return [*(self.spine_keys or self.keys), "label_time"]

    @property
    def features(self) -> tuple[str, ...]:
        return tuple(n for n in table(self.seen).column_names if n not in (*self.spine_columns, *OUTCOME_COLUMNS))

    @property
    def outcome_columns(self) -> tuple[str, ...]:
        """What is drawn of the outcome."""
        return tuple(name for name in OUTCOME_COLUMNS if name in table(self.seen).column_names)


@dataclass(frozen=True)
class Chapter:
    """Rules that belong together, and the introduction to them on the docs page."""

    title: str
    introduction: str
    rules: tuple[Rule, ...]
