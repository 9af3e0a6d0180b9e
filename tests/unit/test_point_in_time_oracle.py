"""The oracle of the point-in-time join answers every drawn rule, so that it can be trusted on random data."""

import pytest

from tests.spec.pit_join.oracle_answers import oracle_failures
from tests.spec.pit_join.rules import RULES, Rule


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.says)
def test_the_oracle_answers(rule: Rule) -> None:
    assert not oracle_failures(rule)
