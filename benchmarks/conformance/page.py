"""docs/peers.md, from the committed answers."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.conformance.judge import CANNOT_SAY, NUDGED, RAISES, RIGHT, WRONG
from benchmarks.conformance.reasons import reason
from benchmarks.conformance.results import kept
from tests.spec.pit_join.rules import CHAPTERS, Rule

PEERS = ("ours", "feast_spark", "tempo_asof", "duckdb_asof", "polars_join_asof", "pandas_merge_asof")
SIGNS = {RIGHT: "right", NUDGED: "by 1 µs", WRONG: "**wrong**", RAISES: "**raises**", CANNOT_SAY: "–"}
_NOTE = "<!-- Written by `python -m docs` from benchmarks/conformance/results.json. `make conformance` runs anew. -->"
_INTRO = """\
The [{count} rules](point-in-time.md) of the point-in-time join, run with the libraries that are used for it today. Each
is called as its own documentation recommends, with the options that come closest to the rule. They are good tools, made
for other questions: a dash is no fault. But if you train a model on their rows, you should know where they differ.

| | |
| --- | --- |
| right | every row as drawn, and the same when the facts are in the opposite order |
| by 1 µs | right once label times, or age limits, are given a microsecond less: it has `<=` where the rule says `<` |
| **wrong** | some row differs |
| **raises** | an error, for a question that has an answer |
| – | it has no option for what the rule is about, such as a second clock |

Where a "–" stands, right rows are possible only if the facts' versions, ends or visibility are computed beforehand, by
other means than the tool."""
_AGAIN = """\
## Run it again

`make conformance` installs all of them into an environment of their own, runs them, and writes this page. The adapters
are in [`benchmarks/conformance/peers`](../benchmarks/conformance/peers), one short file each: if one of them uses its
library badly, that is the place to improve. What each one answered is kept, row by row, in
[`results.json`](../benchmarks/conformance/results.json)."""


def page() -> str:
    results = kept()
    count = sum(len(chapter.rules) for chapter in CHAPTERS)
    parts = [
        "# The same rules with other libraries",
        _NOTE,
        _INTRO.format(count=count),
    ]
    parts += ["## In short", _table(["", *SIGNS.values()], [_counts(results[name]) for name in PEERS])]
    parts += ["## Rule by rule"]
    for chapter in CHAPTERS:
        rules = sorted(chapter.rules, key=lambda rule: int(rule.says.split()[0][1:]))
        header = [chapter.title, *(results[name]["name"] for name in PEERS)]
        parts.append(_table(header, [_line(rule, results) for rule in rules]))
    parts += ["## Why they differ", *(text for name in PEERS[1:] for text in _differences(name, results[name]))]
    return "\n\n".join([*parts, _AGAIN]) + "\n"


def _counts(peer: Mapping[str, Any]) -> list[str]:
    verdicts = [answer["verdict"] for answer in peer["answers"].values()]
    return [f"{peer['name']} {peer['version']}".strip(), *(str(verdicts.count(verdict)) for verdict in SIGNS)]


def _line(rule: Rule, results: Mapping[str, Any]) -> list[str]:
    answers = [results[name]["answers"].get(rule.says) for name in PEERS]
    return [rule.says, *(SIGNS[answer["verdict"]] if answer else "not run yet" for answer in answers)]


def _differences(name: str, peer: Mapping[str, Any]) -> list[str]:
    """Each reason once, with the rules that it explains; then what it has no option for."""
    rules: dict[str, list[str]] = {}
    lacking: dict[str, None] = {}
    for says, answer in peer["answers"].items():
        if answer["verdict"] == CANNOT_SAY:
            lacking[answer["found"]] = None
        elif answer["verdict"] != RIGHT:
            rules.setdefault(reason(name, says) or answer["found"], []).append(says.split()[0])
    lines = [f"- {', '.join(sorted(set(numbers), key=_number))}: {why}" for why, numbers in rules.items()]
    lines.append(f"- It has no option for: {'; '.join(lacking)}.")
    return [f"### {peer['name']} {peer['version']}", "\n".join(lines)]


def _number(rule: str) -> int:
    return int(rule[1:])


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
