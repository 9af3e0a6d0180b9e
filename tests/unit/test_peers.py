"""What others answer of the drawn rules is told for every rule, with a reason for every difference."""

import pytest

from benchmarks.conformance.judge import CANNOT_SAY, RIGHT
from benchmarks.conformance.page import PEERS
from benchmarks.conformance.reasons import REASONS, reason
from benchmarks.conformance.results import kept
from tests.spec.pit_join.rules import RULES


@pytest.mark.parametrize("peer", PEERS)
def test_every_rule_was_asked(peer: str) -> None:
    assert list(kept()[peer]["answers"]) == [rule.says for rule in RULES]


@pytest.mark.parametrize("peer", PEERS[1:])
def test_every_difference_has_a_reason_and_no_reason_is_left_over(peer: str) -> None:
    differing = [says for says, told in kept()[peer]["answers"].items() if told["verdict"] not in (RIGHT, CANNOT_SAY)]
    assert not [says for says in differing if reason(peer, says) is None]
    assert {reason(peer, says) for says in differing} == set(REASONS[peer].values())


def test_this_house_answers_all_of_them() -> None:
    assert {told["verdict"] for told in kept()["ours"]["answers"].values()} == {RIGHT}
