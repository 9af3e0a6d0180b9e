"""A drawn rule as a question for another engine, and the options that an engine must have to get it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc

from definitions.durations import duration_us
from tests.spec.pit_join.plain import in_utc
from tests.spec.pit_join.rule import Rule
from tests.support.drawn import table

# What a rule may need that not every engine has an option for.
AVAILABILITY = "when a fact was known"
VERSIONS = "versions of one fact"
SUPERSEDED = "until when a version was in force"
TOMBSTONE = "that an entity's value ends"
STATIC = "a table without time"
TIE_BREAK = "which of two facts of one instant is the later"
TIE_BREAKS = "a second tie-break"
_NEEDED = {
    "identity": VERSIONS,
    "superseded_at": SUPERSEDED,
    "retraction": VERSIONS,
    "tombstone": TOMBSTONE,
    "tie_break": TIE_BREAK,
}


@dataclass(frozen=True)
class Question:
    """The spine has `keys` and `label_time`; the facts have `keys`, `event_time` and `features`.

    available_time and tie_break are columns of the facts, if the rule is about them. max_age is None without a limit.
    zone: the session's, for engines that have one. moved: by how much the label times lie before the drawn ones.
    """

    rule: Rule
    facts: pa.Table
    spine: pa.Table
    available_time: str | None
    tie_break: tuple[str, ...]
    max_age: timedelta | None
    zone: str
    moved: timedelta = timedelta(0)

    @property
    def keys(self) -> tuple[str, ...]:
        return self.rule.keys

    @property
    def features(self) -> tuple[str, ...]:
        return self.rule.features

    @property
    def is_inclusive(self) -> bool:
        """Whether what happens at the label time counts."""
        return bool(self.rule.how.get("includes_label_instant") or self.rule.how.get("is_snapshot"))

    @property
    def needs(self) -> list[str]:
        how = self.rule.how
        needs = [need for option, need in _NEEDED.items() if how.get(option)]
        needs += [TIE_BREAKS] if len(self.tie_break) > 1 else []
        needs += [AVAILABILITY] if self.available_time else []
        return list(dict.fromkeys(needs)) if how.get("event_time", "event_time") else [STATIC]

    def nudged(self, *, has_strict_edge: bool) -> "Question":
        """The same for an engine with <= alone: labels and age limits are a microsecond less where the rule says <."""
        us = timedelta(microseconds=1)
        is_moved = not has_strict_edge and not self.is_inclusive
        spine, max_age = self.spine, self.max_age
        if is_moved:
            index = spine.column_names.index("label_time")
            moved = pa.array([at and at - us for at in spine["label_time"].to_pylist()], spine.schema[index].type)
            spine = spine.set_column(index, "label_time", moved)
        if max_age:
            max_age -= us * (2 if is_moved else 1)
        return replace(self, spine=spine, max_age=max_age, moved=us if is_moved else timedelta(0))

    def backwards(self) -> "Question":
        """The same, with the facts in the opposite order, which must not matter."""
        return replace(self, facts=self.facts.take(list(reversed(range(len(self.facts))))))


def question(rule: Rule) -> Question:
    """The spine names its keys as the facts do: every engine can rename a column."""
    facts, drawn = table(rule.facts), table(rule.seen)
    spine = drawn.select(rule.spine_columns).rename_columns([*rule.keys, "label_time"])
    max_age = rule.how.get("max_age")
    return Question(
        rule,
        facts,
        spine,
        available_time="available_time" if _has_two_clocks(facts) else None,
        tie_break=tuple(rule.how.get("tie_break", ())),
        max_age=timedelta(microseconds=duration_us(max_age)) if isinstance(max_age, str) else max_age,
        zone="America/New_York" if rule.says.startswith("S2 ") else "UTC",
    )


def rows_of(answer: pa.Table, question: Question) -> Iterator[dict[str, object]]:
    """The answer's rows, as they are compared: the spine's columns and the features."""
    for row in in_utc(answer.select([*question.spine.column_names, *question.features])).to_pylist():
        yield row | {"label_time": row["label_time"] and row["label_time"] + question.moved}


def _has_two_clocks(facts: pa.Table) -> bool:
    """Whether some fact was not known just when it happened."""
    if "available_time" not in facts.column_names or not len(facts):
        return False
    same = pc.fill_null(pc.equal(facts["available_time"], facts["event_time"]), False)
    return not pc.all(same).as_py()
