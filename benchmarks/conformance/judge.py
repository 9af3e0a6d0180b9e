"""Whether an answer is the drawn one: right, wrong, raises, or a question that the peer has no words for."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.conformance.questions import Question, rows_of
from tests.spec.pit_join.plain import plain
from tests.support.drawn import table

RIGHT, NUDGED, WRONG, RAISES, CANNOT_SAY = "right", "nudged", "wrong", "raises", "can't say"


@dataclass(frozen=True)
class Verdict:
    """`found` is the evidence: the words that are missing, the error, or the first row that differs."""

    verdict: str
    found: str = ""


def judged(module: Any, peer: Any, asked: Question) -> Verdict:
    """Whether it is right, else whether it is once edges are moved by a microsecond: `nudged`, and what was found."""
    lacking = [need for need in asked.needs if need not in getattr(module, "KNOWS", asked.needs)]
    if not lacking and hasattr(peer, "lacks") and (type_ := peer.lacks(asked)):
        lacking = [type_]
    if lacking:
        return Verdict(CANNOT_SAY, lacking[0])
    first = _in_both_orders(peer, asked)
    if first.verdict != WRONG:
        return first
    again = _in_both_orders(peer, asked.nudged(has_strict_edge=module.HAS_STRICT_EDGE))
    return Verdict(NUDGED, first.found) if again.verdict == RIGHT else first


def _in_both_orders(peer: Any, asked: Question) -> Verdict:
    """The order of the facts must not matter: only what is right both times is right."""
    first = _judged(peer, asked)
    if first.verdict != RIGHT or len(asked.facts) < 2:
        return first
    second = _judged(peer, asked.backwards())
    return second if second.verdict == RIGHT else Verdict(second.verdict, f"in another order of rows, {second.found}")


def _judged(peer: Any, asked: Question) -> Verdict:
    try:
        answer = peer.answer(asked)
    except Exception as error:  # any error is an answer: that is what is asked
        return Verdict(RAISES, f"{type(error).__name__}: {_first_line(error)}")
    found = Counter(map(_line, rows_of(answer, asked)))
    wanted = Counter(map(_line, _drawn(asked)))
    missing, surplus = list((wanted - found).elements()), list((found - wanted).elements())
    if not missing and not surplus:
        return Verdict(RIGHT)
    told = f"{len(missing)} of {wanted.total()} rows differ"
    first = f"found {surplus[0]}" if surplus else f"lost {missing[0]}"
    return Verdict(
        WRONG, f"{told}: {first}" if found.total() == wanted.total() else f"{found.total()} rows came: {first}"
    )


def _drawn(asked: Question) -> Iterable[dict[str, Any]]:
    for row in table(asked.rule.seen).to_pylist():
        spine = {key: row[name] for name, key in zip(asked.rule.spine_columns, asked.spine.column_names, strict=True)}
        yield spine | {name: row[name] for name in asked.features}


def _line(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={plain(value)!r}" for name, value in row.items())


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:160] if lines else ""
