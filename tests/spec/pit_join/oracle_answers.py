"""The oracle's results for the drawn rules, without Spark."""

from datetime import timedelta
from typing import Any

import pyarrow as pa

from definitions.durations import duration_us
from pit_join.oracle import HistoryDeclaration, Row, seen_by
from tests.spec.pit_join.plain import plain
from tests.spec.pit_join.rule import Rule
from tests.support.drawn import table


def oracle_failures(rule: Rule) -> list[str]:
    """One line for each drawn row for which the oracle has another result."""
    facts, how = drawn(rule.facts), declaration_of(rule)
    lines = []
    for row in drawn(rule.seen):
        answer = seen_by(row, facts, how)
        values = answer.values or dict.fromkeys(rule.features)
        result = {name: values[name] for name in rule.features} | {"outcome": answer.outcome, "is_tied": answer.is_tied}
        wanted = {name: value for name, value in row.items() if name not in rule.spine_columns}
        if repr({name: result[name] for name in wanted}) != repr(wanted):
            lines.append(f"{row}: found {result}")
    return lines


def declaration_of(rule: Rule) -> HistoryDeclaration:
    how = dict(rule.how)
    max_age = how.pop("max_age", None)
    return HistoryDeclaration(
        keys=rule.keys,
        spine_keys=rule.spine_keys,
        columns=tuple(table(rule.facts).column_names),
        max_age_us=_micros(max_age),
        knowledge=rule.knowledge,
        **how,
    )


def _micros(max_age: str | timedelta | None) -> int | None:
    if isinstance(max_age, timedelta):
        return max_age // timedelta(microseconds=1)
    return duration_us(max_age) if max_age else None


def drawn(text: str) -> list[Row]:
    """The rows as the oracle reads them: clocks as microseconds, structs as tuples, maps as dicts."""
    rows = table(text)
    return [{field.name: _as_read(row[field.name], field.type) for field in rows.schema} for row in rows.to_pylist()]


def _as_read(value: Any, kind: pa.DataType) -> Any:
    if value is None:
        return None
    if pa.types.is_struct(kind):
        return tuple(_as_read(value[field.name], field.type) for field in kind)
    if pa.types.is_map(kind):
        return {_as_read(key, kind.key_type): _as_read(item, kind.item_type) for key, item in value}
    if pa.types.is_list(kind):
        return [_as_read(item, kind.value_type) for item in value]
    if pa.types.is_timestamp(kind) and kind.tz:
        return plain(value)
    return value
