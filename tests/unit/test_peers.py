"""The answers of other libraries are kept for every drawn rule, with a reason for every difference."""

import pytest

from benchmarks.conformance.judge import CANNOT_SAY, RIGHT
from benchmarks.conformance.page import PEERS
from benchmarks.conformance.reasons import REASONS, reason
from benchmarks.conformance.results import kept
from tests.spec.pit_join.rules import RULES


@pytest.mark.parametrize("peer", PEERS)
def test_every_rule_has_an_answer(peer: str) -> None:
    assert list(kept()[peer]["answers"]) == [rule.says for rule in RULES]


@pytest.mark.parametrize("peer", PEERS[1:])
def test_every_difference_has_a_reason_and_no_reason_is_left_over(peer: str) -> None:
    differing = [
        says for says, answer in kept()[peer]["answers"].items() if answer["verdict"] not in (RIGHT, CANNOT_SAY)
    ]
    assert not [says for says in differing if reason(peer, says) is None]
    assert {reason(peer, says) for says in differing} == set(REASONS[peer].values())


def test_ziggurat_answers_all_of_them() -> None:
    assert {answer["verdict"] for answer in kept()["ours"]["answers"].values()} == {RIGHT}
