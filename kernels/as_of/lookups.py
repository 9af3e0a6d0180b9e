"""The look-up of Arrow tables: rows on one side, facts of another source on the other, in any order.

Both have the keys, `event_time`, `available_time` and `superseded_at` under the names of the plan. The answer has each
row in its versions, what they take, whether that is a tombstone (GONE), and how many facts were found (FACTS): null
where nothing was.
"""

import numpy as np
import pyarrow as pa

from definitions.views import Duplicates
from kernels.as_of.lookup_facts import GONE, LookupFacts, LookupPlan, key_parts, micros, until
from kernels.as_of.search import ALWAYS, NEVER, NONE
from kernels.as_of.versions import Versions, versions
from kernels.columns import Ints

FACTS = "facts"


def look_up(rows: pa.Table, facts: LookupFacts) -> pa.Table:
    """The rows' columns, in versions, then what they take, GONE and FACTS. Rows without a key take nothing (S17).

    Memory: rows and facts, and the answer.
    """
    plan = facts.plan
    if not facts.table.num_rows:
        return _without_facts(rows, facts)
    groups = facts.groups
    group = groups.newest(facts.codes.of_rows(key_parts(rows, plan)), micros(rows, plan.event_time))
    if not plan.has_versions:
        return _answer(rows, group, facts)  # a group has one choice
    changed = versions(
        group,
        micros(rows, plan.available_time),
        until(rows, plan),
        groups.choices,
        groups.first_groups[groups.key_of_group],
    )
    return _answer(_versioned(rows, changed, plan), changed.choice, facts)


def _versioned(rows: pa.Table, changed: Versions, plan: LookupPlan) -> pa.Table:
    """The rows, each as often as it has versions, with the versions' clocks."""
    if len(changed.row) != rows.num_rows or not (np.diff(changed.row) == 1).all():
        rows = rows.combine_chunks().take(pa.array(changed.row))
    clocks = {
        plan.available_time: pa.array(changed.known_us, mask=changed.known_us == ALWAYS),
        plan.superseded_at: pa.array(changed.until_us, mask=changed.until_us == NEVER),
    }
    for name, clock in clocks.items():
        rows = rows.set_column(rows.schema.get_field_index(name), rows.schema.field(name), clock.cast(rows[name].type))
    return rows


def _answer(rows: pa.Table, choice: Ints, facts: LookupFacts) -> pa.Table:
    resolved, plan, has_none = facts.groups.choices, facts.plan, choice == NONE
    if plan.duplicates is Duplicates.ANY_TRUE:
        flags = [flag[choice] for flag in resolved.flags]
        taken = [pa.array(flag == 1, mask=has_none | (flag == NONE)) for flag in flags]
    else:
        fact = pa.array(facts.groups.order[resolved.fact[choice]], mask=has_none)
        taken = [facts.table[name].combine_chunks().take(fact) for name in plan.take]
    found = (pa.array(resolved.is_gone[choice], mask=has_none), pa.array(resolved.alive[choice], mask=has_none))
    return pa.table([*rows.columns, *taken, *found], names=_names(rows, plan))


def _without_facts(rows: pa.Table, facts: LookupFacts) -> pa.Table:
    types = [*(facts.table.schema.field(name).type for name in facts.plan.take), pa.bool_(), pa.int64()]
    nulls = [pa.nulls(rows.num_rows, kind) for kind in types]
    return pa.table([*rows.columns, *nulls], names=_names(rows, facts.plan))


def _names(rows: pa.Table, plan: LookupPlan) -> list[str]:
    return [*rows.column_names, *plan.take, GONE, FACTS]
