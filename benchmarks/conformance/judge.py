"""Whether an answer is the drawn one: right, wrong, raises, or a question that the peer has no option for."""

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
    """`found` is the evidence: the option that is missing, the error, or the first row that differs."""

    verdict: str
    found: str = ""


def judged(module: Any, peer: Any, question: Question) -> Verdict:
    """Whether it is right, else whether it is once edges are moved by a microsecond: `nudged`, and what was found."""
    lacking = [need for need in question.needs if need not in getattr(module, "KNOWS", question.needs)]
    if not lacking and hasattr(peer, "lacks") and (type_ := peer.lacks(question)):
        lacking = [type_]
    if lacking:
        return Verdict(CANNOT_SAY, lacking[0])
    first = _in_both_orders(peer, question)
    if first.verdict != WRONG:
        return first
    again = _in_both_orders(peer, question.nudged(has_strict_edge=module.HAS_STRICT_EDGE))
    return Verdict(NUDGED, first.found) if again.verdict == RIGHT else first


def _in_both_orders(peer: Any, question: Question) -> Verdict:
    """The order of the facts must not matter: only what is right both times is right."""
    first = _judged(peer, question)
    if first.verdict != RIGHT or len(question.facts) < 2:
        return first
    second = _judged(peer, question.backwards())
    return second if second.verdict == RIGHT else Verdict(second.verdict, f"in another order of rows, {second.found}")


def _judged(peer: Any, question: Question) -> Verdict:
    try:
        answer = peer.answer(question)
    except Exception as error:  # an error is a result, too
        return Verdict(RAISES, f"{type(error).__name__}: {_first_line(error)}")
    actual = Counter(map(_line, rows_of(answer, question)))
    expected = Counter(map(_line, _expected(question)))
    missing, surplus = list((expected - actual).elements()), list((actual - expected).elements())
    if not missing and not surplus:
        return Verdict(RIGHT)
    summary = f"{len(missing)} of {expected.total()} rows differ"
    first = f"found {surplus[0]}" if surplus else f"lost {missing[0]}"
    return Verdict(
        WRONG, f"{summary}: {first}" if actual.total() == expected.total() else f"{actual.total()} rows came: {first}"
    )


def _expected(question: Question) -> Iterable[dict[str, Any]]:
    for row in table(question.rule.seen).to_pylist():
        names = zip(question.rule.spine_columns, question.spine.column_names, strict=True)
        spine = {key: row[name] for name, key in names}
        yield spine | {name: row[name] for name in question.features}


def _line(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={plain(value)!r}" for name, value in row.items())


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:160] if lines else ""
