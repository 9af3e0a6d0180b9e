"""The slow, obvious answer to what `kernels.windows.windows` computes fast: S20 to S24 read in plain Python.

For tests and for a second opinion on a few entities; the cost is facts x instants x outputs.
"""

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pyarrow as pa

from kernels.windows.plan import Output, WindowPlan

Value = Any  # of any Arrow type, as Python reads it
Fact = dict[str, Value]
INSTANT = pa.timestamp("us", tz="UTC")


def aggregate(facts: pa.Table, plan: WindowPlan) -> pa.Table:
    """The same promise as `kernels.windows.windows.aggregate`, for facts that fit its schema."""
    rows = []
    every = _facts(facts, plan)
    for keys in sorted({_keys(fact, plan) for fact in every}):
        own = [fact for fact in every if _keys(fact, plan) == keys]
        for instant in plan.grid_us:
            known = [fact for fact in own if _is_known(fact, instant, plan)]
            if known:
                answers = {output.name: _answer(output, known, instant, plan) for output in plan.outputs}
                rows.append(dict(zip(plan.keys, keys, strict=True)) | {"event_time": instant} | answers)
    fields = [facts.schema.field(key) for key in plan.keys] + [pa.field("event_time", INSTANT)]
    for output in plan.outputs:
        input_type = None if output.input is None else facts.schema.field(output.input).type
        fields.append(pa.field(output.name, output.result_type(input_type)))
    return pa.Table.from_pylist(rows, schema=pa.schema([pa.field(f.name, f.type) for f in fields]))


def _facts(facts: pa.Table, plan: WindowPlan) -> list[Fact]:
    for clock in ("event_time", "available_time", "superseded_at"):
        index = facts.schema.get_field_index(clock)
        facts = facts.set_column(index, clock, facts[clock].cast(pa.int64()))
    rows = [{name: _clean(value) for name, value in fact.items()} for fact in facts.to_pylist()]
    return [fact for fact in rows if all(fact[key] is not None for key in plan.keys)]


def _clean(value: Value) -> Value:
    if isinstance(value, float):
        return value + 0.0 if math.isfinite(value) else None
    return value


def _keys(fact: Fact, plan: WindowPlan) -> tuple[Value, ...]:
    return tuple(fact[key] for key in plan.keys)


def _is_known(fact: Fact, instant: int, plan: WindowPlan) -> bool:
    cut = instant + plan.cut_delay_us
    superseded = fact["superseded_at"] is not None and fact["superseded_at"] <= cut
    return fact["event_time"] < instant and fact["available_time"] <= cut and not superseded


def _is_inside(fact: Fact, instant: int, window_us: int | None, history_start_us: int | None) -> bool:
    if window_us is None:
        return history_start_us is None or fact["event_time"] >= history_start_us
    return bool(fact["event_time"] >= instant - window_us)


def _answer(output: Output, known: list[Fact], instant: int, plan: WindowPlan) -> Value:
    counted = [
        fact
        for fact in known
        if _is_inside(fact, instant, output.window_us, plan.history_start_us)
        and (output.mask is None or fact[output.mask] is True)
        and (output.input is None or fact[output.input] is not None)
    ]
    if output.input is None:
        return len(counted)
    values = [fact[output.input] for fact in counted]
    if output.operation == "count":
        return len(values)
    if output.operation == "count_distinct":
        return len(set(values))
    if output.operation == "sum":
        return _sum(output, values)
    if not values or (output.operation == "stddev" and len(values) < 2):
        return None
    return _one_of_many(output, values, sorted(counted, key=lambda fact: _position(fact, plan)))


def _sum(output: Output, values: list[Value]) -> int | float:
    total = sum(int(value) for value in values)
    if output.result_type(None) == pa.int64():
        return total
    return float(Fraction(total, output.divisor))


def _one_of_many(output: Output, values: list[Value], oldest_first: list[Fact]) -> Value:
    match output.operation:
        case "mean":
            return float(Fraction(sum(int(value) for value in values), len(values) * output.divisor))
        case "stddev":
            return math.sqrt(_variance([Fraction(int(value), output.divisor) for value in values]))
        case "min":
            chosen = min(values)
        case "max":
            chosen = max(values)
        case "first":
            chosen = oldest_first[0][str(output.input)]
        case _:
            chosen = oldest_first[-1][str(output.input)]
    return chosen if output.divisor == 1 else float(Fraction(chosen, output.divisor))


def _variance(values: list[Fraction]) -> Fraction:
    mean = sum(values, Fraction(0)) / len(values)
    return sum(((value - mean) ** 2 for value in values), Fraction(0)) / (len(values) - 1)


def _position(fact: Fact, plan: WindowPlan) -> list[tuple[bool, Value]]:
    """The order of facts (S9): nulls first, numbers by value, text by its bytes."""
    names = ("event_time", *plan.tie_break, "available_time", *(plan.view_columns or plan.inputs))
    position: list[tuple[bool, Value]] = []
    for name in names:
        value = fact[name]
        comparable = Fraction(value) if isinstance(value, (int, float, Decimal)) else value
        position.append((value is not None, value.encode() if isinstance(value, str) else comparable))
    return position
