"""The slow, obvious answer to what `kernels.windows.aggregate` computes fast: S20 to S24 read in plain Python.

For tests and for a second opinion on a few entities; the cost is facts x instants x outputs.
"""

import math
from decimal import Decimal
from fractions import Fraction

import pyarrow as pa

from kernels.operations.kernel import Value
from kernels.operations.table import kernel
from kernels.windows.plan import Output, WindowPlan

Fact = dict[str, Value]
INSTANT = pa.timestamp("us", tz="UTC")


def aggregate(facts: pa.Table, plan: WindowPlan) -> pa.Table:
    """The same promise as `kernels.windows.aggregate.aggregate`, for facts that fit its schema."""
    rows = []
    oldest_first = sorted(_facts(facts, plan), key=lambda fact: _position(fact, plan))
    types = {
        output.name: None if output.input is None else facts.schema.field(output.input).type for output in plan.outputs
    }
    for keys in sorted({_keys(fact, plan) for fact in oldest_first}):
        own = [fact for fact in oldest_first if _keys(fact, plan) == keys]
        for instant in plan.grid_us:
            known = [fact for fact in own if _is_known(fact, instant, plan)]
            if known:
                answers = {o.name: _answer(o, known, instant, plan, types[o.name]) for o in plan.outputs}
                rows.append(dict(zip(plan.keys, keys, strict=True)) | {"event_time": instant} | answers)
    fields = [facts.schema.field(key) for key in plan.keys] + [pa.field("event_time", INSTANT)]
    fields += [pa.field(output.name, output.result(types[output.name]).type) for output in plan.outputs]
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


def _answer(output: Output, known: list[Fact], instant: int, plan: WindowPlan, input_type: pa.DataType | None) -> Value:
    """The oracle of the output's operation, over the facts that count for it; `known` is oldest first."""
    counted = [
        fact
        for fact in known
        if _is_inside(fact, instant, output.window_us, plan.history_start_us)
        and (output.mask is None or fact[output.mask] is True)
        and (output.input is None or fact[output.input] is not None)
    ]
    values = [1 if output.input is None else fact[output.input] for fact in counted]
    return kernel(output.operation).oracle(values, output.result(input_type))


def _position(fact: Fact, plan: WindowPlan) -> list[tuple[bool, Value]]:
    """The order of facts (S9): nulls first, numbers by value, text by its bytes."""
    names = ("event_time", *plan.tie_break, "available_time", *(plan.view_columns or plan.inputs))
    position: list[tuple[bool, Value]] = []
    for name in names:
        value = fact[name]
        comparable = Fraction(value) if isinstance(value, (int, float, Decimal)) else value
        position.append((value is not None, value.encode() if isinstance(value, str) else comparable))
    return position
