"""The oracle of the point-in-time join answers every drawn rule, so that it can be trusted on random data."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from features.durations import duration_us
from pit_join.oracle import Asked, seen_by
from tests.spec.pit_join.rules import RULES, Rule
from tests.support.drawn import table

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(value: Any) -> Any:
    return (value - EPOCH) // timedelta(microseconds=1) if isinstance(value, datetime) else value


def drawn(text: str) -> list[dict[str, Any]]:
    return [{name: micros(value) for name, value in row.items()} for row in table(text).to_pylist()]


def asked(rule: Rule) -> Asked:
    how = dict(rule.how)
    max_age = how.pop("max_age", None)
    return Asked(
        keys=rule.keys,
        columns=tuple(table(rule.facts).column_names),
        max_age_us=duration_us(max_age) if max_age else None,
        knowledge=rule.knowledge,
        **how,
    )


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.says)
def test_the_oracle_answers(rule: Rule) -> None:
    facts = drawn(rule.facts)
    for row in drawn(rule.seen):
        answer = seen_by(row, facts, asked(rule))
        values = answer.values or dict.fromkeys(rule.features)
        found = {name: values[name] for name in rule.features} | {"outcome": answer.outcome, "is_tied": answer.is_tied}
        wanted = {name: value for name, value in row.items() if name not in rule.spine_columns}
        assert {name: found[name] for name in wanted} == wanted, row
