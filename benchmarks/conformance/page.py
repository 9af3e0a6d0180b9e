"""docs/peers.md, from the committed answers."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.conformance.judge import CANNOT_SAY, NUDGED, RAISES, RIGHT, WRONG
from benchmarks.conformance.reasons import reason
from benchmarks.conformance.results import kept
from tests.spec.pit_join.rules import CHAPTERS, Rule

PEERS = ("ours", "feast_spark", "tempo_asof", "duckdb_asof", "polars_join_asof", "pandas_merge_asof")
SIGNS = {RIGHT: "right", NUDGED: "by 1 µs", WRONG: "**wrong**", RAISES: "**raises**", CANNOT_SAY: "–"}
_NOTE = "<!-- Written by `python -m docs` from benchmarks/conformance/results.json. `make conformance` asks anew. -->"
_INTRO = """\
The [{count} rules](point-in-time.md) of the point-in-time join, put to what people use for it today. Each is asked as
its own documentation tells its users, with the options that come closest to the rule. These are good tools with other
questions in mind: a dash is no fault. But whoever trains a model on their answers should know where they differ.

| | |
| --- | --- |
| right | every row as drawn, and the same when the facts lie in the opposite order |
| by 1 µs | right once label times, or age limits, are given a microsecond less: it knows `<=` where the rule says `<` |
| **wrong** | some row differs |
| **raises** | an error, for a question that has an answer |
| – | it has no word for what the rule is about, such as a second clock; so it can't be asked |

A right answer under "–" is impossible to get without computing the facts' versions, ends or visibility beforehand: then
it is no longer the tool that answers."""
_AGAIN = """\
## Ask again

`make conformance` installs all of them into an environment of their own, asks, and writes this page. The adapters
stand in [`benchmarks/conformance/peers`](../benchmarks/conformance/peers), one short file each: if one of them asks
badly, that is the place to say so. What each one answered is kept, row by row, in
[`results.json`](../benchmarks/conformance/results.json)."""


def page() -> str:
    told = kept()
    parts = ["# Who else answers them", _NOTE, _INTRO.format(count=sum(len(chapter.rules) for chapter in CHAPTERS))]
    parts += ["## In short", _table(["", *SIGNS.values()], [_counts(told[name]) for name in PEERS])]
    parts += ["## Rule by rule"]
    for chapter in CHAPTERS:
        rules = sorted(chapter.rules, key=lambda rule: int(rule.says.split()[0][1:]))
        header = [chapter.title, *(told[name]["name"] for name in PEERS)]
        parts.append(_table(header, [_line(rule, told) for rule in rules]))
    parts += ["## Why they differ", *(text for name in PEERS[1:] for text in _differences(name, told[name]))]
    return "\n\n".join([*parts, _AGAIN]) + "\n"


def _counts(peer: Mapping[str, Any]) -> list[str]:
    verdicts = [answer["verdict"] for answer in peer["answers"].values()]
    return [f"{peer['name']} {peer['version']}".strip(), *(str(verdicts.count(each)) for each in SIGNS)]


def _line(rule: Rule, told: Mapping[str, Any]) -> list[str]:
    answers = [told[name]["answers"].get(rule.says) for name in PEERS]
    return [rule.says, *(SIGNS[answer["verdict"]] if answer else "not asked yet" for answer in answers)]


def _differences(name: str, peer: Mapping[str, Any]) -> list[str]:
    """Each reason once, with the rules that it explains; then what there is no word for."""
    rules: dict[str, list[str]] = {}
    lacking: dict[str, None] = {}
    for says, answer in peer["answers"].items():
        if answer["verdict"] == CANNOT_SAY:
            lacking[answer["found"]] = None
        elif answer["verdict"] != RIGHT:
            rules.setdefault(reason(name, says) or answer["found"], []).append(says.split()[0])
    lines = [f"- {', '.join(sorted(set(numbers), key=_number))}: {why}" for why, numbers in rules.items()]
    lines.append(f"- It has no word for: {'; '.join(lacking)}.")
    return [f"### {peer['name']} {peer['version']}", "\n".join(lines)]


def _number(rule: str) -> int:
    return int(rule[1:])


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
