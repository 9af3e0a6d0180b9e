"""Facts as the window kernel reads them: checked, keys coded, sorted by entity, then oldest first (S9)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from definitions.errors import SourceSchemaError, did_you_mean
from kernels.columns import Bools, InputColumn, Ints, as_int64, cleaned, dense_ranks
from kernels.order import fact_order
from kernels.windows.intervals import NEVER
from kernels.windows.plan import WindowPlan

CLOCKS = ("event_time", "available_time", "superseded_at")


@dataclass(frozen=True, eq=False)
class Facts:
    """Fact versions sorted by entity, then oldest first; `entity` counts from 0 in the order of the keys."""

    keys: pa.Table
    entity: Ints
    event: Ints
    available: Ints
    superseded: Ints
    inputs: dict[str, InputColumn]
    masks: dict[str, Bools]

    @property
    def entities(self) -> int:
        return int(self.keys.num_rows)


def loaded(facts: pa.Table, plan: WindowPlan) -> Facts:
    """The facts that the plan needs; rows with a null in a key are left out (S17).

    Raises SourceSchemaError for a missing column, a clock that isn't microseconds UTC or has nulls where an
    instant is due, a float key, a mask that isn't boolean.
    """
    check(facts.schema, plan)
    columns = {name: cleaned(facts[name]) for name in _names(plan)}
    has_key = _all_valid([columns[key] for key in plan.keys])
    if has_key is not None:
        columns = {name: column.filter(has_key) for name, column in columns.items()}
    event, available = (_instants(columns[name], name) for name in CLOCKS[:2])
    codes = _entity_codes([columns[key] for key in plan.keys])
    breakers = (*plan.tie_break, "available_time", *(plan.view_columns or plan.inputs))
    goes_by_order = any(output.declared.goes_by_order for output in plan.outputs)
    order = fact_order(codes, event, (columns[name] for name in breakers) if goes_by_order else ())
    rows = pa.array(order)
    first = pa.array(np.flatnonzero(np.diff(codes[order], prepend=-1)))
    return Facts(
        keys=pa.table({key: columns[key].take(rows).take(first) for key in plan.keys}),
        entity=codes[order],
        event=event[order],
        available=available[order],
        superseded=_superseded(columns["superseded_at"])[order],
        inputs={name: InputColumn(name, columns[name].take(rows)) for name in plan.inputs},
        masks={name: _mask(columns[name])[order] for name in plan.masks},
    )


def _names(plan: WindowPlan) -> dict[str, None]:
    return dict.fromkeys((*plan.keys, *CLOCKS, *plan.inputs, *plan.masks, *plan.tie_break, *plan.view_columns))


def check(schema: pa.Schema, plan: WindowPlan) -> None:
    """Raises SourceSchemaError unless the facts have the plan's columns, each of a type that it may have."""
    for name in _names(plan):
        if name not in schema.names:
            raise SourceSchemaError(f"the facts have no column '{name}'.{did_you_mean(name, schema.names)}")
    for name in CLOCKS:
        kind = schema.field(name).type
        unknown_end = name == "superseded_at" and pt.is_null(kind)
        if not unknown_end and not (pt.is_timestamp(kind) and kind.unit == "us" and kind.tz in (None, "UTC")):
            raise SourceSchemaError(f"'{name}' is {kind}; it must be timestamp[us, UTC]: cast it in raw (S1)")
    for name in plan.keys:
        kind = schema.field(name).type
        if pt.is_floating(kind):
            raise SourceSchemaError(f"join key '{name}' is {kind}; declare an integer or text key (S17)")
    for name in plan.masks:
        if not pt.is_boolean(schema.field(name).type):
            raise SourceSchemaError(f"mask '{name}' is {schema.field(name).type}; a filter is boolean")


def _entity_codes(keys: Sequence[pa.Array]) -> Ints:
    codes: Ints = np.zeros(len(keys[0]), np.int64)
    for index, key in enumerate(keys):
        ranks, distinct = dense_ranks(key)
        codes = codes * (len(distinct) + 1) + ranks
        codes = np.unique(codes, return_inverse=True)[1].astype(np.int64) if index else codes - 1
    return codes


def _all_valid(keys: Sequence[pa.Array]) -> pa.Array | None:
    """Which rows have all their key parts; None if all have."""
    if not any(key.null_count for key in keys):
        return None
    valid = keys[0].is_valid()
    for key in keys[1:]:
        valid = pc.and_(valid, key.is_valid())
    return valid


def _instants(column: pa.Array, name: str) -> Ints:
    if column.null_count:
        raise SourceSchemaError(f"{column.null_count} facts have no {name}; quarantine them before (S1, S5)")
    return _required(as_int64(column))


def _superseded(column: pa.Array) -> Ints:
    if column.null_count == len(column):
        return np.full(len(column), NEVER)
    is_superseded = np.asarray(column.is_valid().to_numpy(zero_copy_only=False))
    return np.where(is_superseded, _required(as_int64(column)), NEVER)


def _required(numbers: Ints | None) -> Ints:
    if numbers is None:
        raise TypeError("a checked clock has no integers")
    return numbers


def _mask(column: pa.Array) -> Bools:
    return np.asarray(column.fill_null(False).to_numpy(zero_copy_only=False))
