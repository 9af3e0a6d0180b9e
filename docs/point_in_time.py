"""The page docs/point-in-time.md: the drawn rules of the join, as its tests read them."""

import re
from collections.abc import Sequence
from datetime import timedelta
from textwrap import fill
from typing import Any

from tests.spec.pit_join.rule import OUTCOME_COLUMNS, Chapter, Rule
from tests.spec.pit_join.rules import CHAPTERS, RULES
from tests.support.drawn import kinds

_NOTE = "<!-- Written by `python -m docs` from tests/spec/pit_join. Change those, then run `make docs`. -->"
_INTRO = """\
Which fact of a history does a row of a training set get? These {count} rules are examples. Each one is a small table of
facts, and below it what each row of a spine gets. The [contract](semantics.md#point-in-time-join) says the same in
general; the number of a rule is its number there.

The tests read these same tables: a slow oracle in plain Python gives every result, and so does every
[strategy](fast-joins.md), under five session zones, with ANSI mode on and off, split into one, three or seven
partitions. On Spark Connect the SQL strategy does.
How [other libraries](peers.md) answer them is on a page of its own.

## How to read them

```python
def with_spend(spine, facts):
    from pit_join import History, point_in_time_join

    spend = History("spend", facts, keys=("case",), features=("value",), available_time="available_time")
    return point_in_time_join(spine, [spend])
```

- `case` is the key. The cases of a rule are independent of each other.
- `5d` is the sixth day of 2017 at midnight in UTC, since days are counted from `0d`, 2017-01-01T00:00Z.
  `5d-1us` is the last microsecond before it, `5d04:00` is four hours later. Other times are written out.
- `-` is null, `''` is empty text. Quotes show where text begins and ends. Binary is written in hexadecimal.
- **seen** is what the label gets. **outcome** says why, as the [certificate](certificate.md) counts it: `matched`;
  `unseen`, no fact was known; `expired`, the latest is too old; `ended`, the latest is a tombstone; `without_key`, the
  row has no key or label time. **tied** says whether another fact was equal in all but its columns.
- *Declared* lists the other arguments of `History`, beside keys and features. `event_time` is always the
  column of that name."""


def page() -> str:
    parts = ["# The point-in-time join, rule by rule", _NOTE, _INTRO.format(count=len(RULES))]
    parts += [text for chapter in CHAPTERS for text in _chapter(chapter)]
    return "\n\n".join(parts) + "\n"


def _chapter(chapter: Chapter) -> list[str]:
    rules = sorted(chapter.rules, key=lambda rule: int(rule.says.split()[0][1:]))
    return [f"## {chapter.title}", fill(chapter.introduction, 118), *(text for rule in rules for text in _rule(rule))]


def _rule(rule: Rule) -> list[str]:
    number, _, says = rule.says.partition(" ")
    facts, seen = _cells(rule.facts), _cells(rule.seen)
    parts = [f"### {number}: {says}", *_declared(rule)]
    parts.append(_table(_facts_header(rule), facts) if facts else "There are no facts.")
    return [*parts, _table(_seen_header(rule), seen)]


def _declared(rule: Rule) -> list[str]:
    options = {"keys": rule.keys} if rule.keys != ("case",) else {}
    options |= {"spine_keys": rule.spine_keys} if rule.spine_keys else {}
    parts = [f"`{name}={_option(value)}`" for name, value in (options | dict(rule.how)).items()]
    lines = [f"Declared: {', '.join(parts)}."] if parts else []
    if rule.knowledge != "at_label":
        lines.append(f'Joined with `knowledge="{rule.knowledge}"`.')
    return [" ".join(lines)] if lines else []


def _option(value: Any) -> str:
    if isinstance(value, timedelta):
        return f"timedelta(microseconds={value // timedelta(microseconds=1)})"
    return repr(value).replace("'", '"')


def _facts_header(rule: Rule) -> list[str]:
    return [_heading(name, kind) for name, kind in kinds(rule.facts).items()]


def _seen_header(rule: Rule) -> list[str]:
    """The columns of the spine, then those that the join adds."""
    spine_columns = set(rule.spine_columns)
    return [
        _heading(name, kind)
        if name in spine_columns
        else f"**{'tied' if name == 'is_tied' else name}**"
        if name in OUTCOME_COLUMNS
        else f"seen: **{name}**"
        for name, kind in kinds(rule.seen).items()
    ]


def _heading(name: str, kind: str) -> str:
    return name if kind in ("string", "timestamp", "boolean") else f"{name}: {kind}"


def _cells(drawn: str) -> list[list[str]]:
    lines = drawn.strip().splitlines()[1:]
    return [[_cell(cell) for cell in re.split(r"\s{2,}", line.strip())] for line in lines]


def _cell(cell: str) -> str:
    return f"`{cell}`" if re.search(r"['\[{]", cell) else cell


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
