"""The facts that rows after them may still take: what is carried into the next span of a key's time."""

import numpy as np
import pyarrow as pa

from kernels.as_of.lookup_facts import LookupFacts
from kernels.columns import Ints


def lasting(facts: LookupFacts, asked_us: Ints) -> pa.Table:
    """Of each key the newest facts, back to those that hide all older ones from whoever asks later.

    asked_us: per fact, and the same for a key: no later row asks what was known before.
    """
    groups = facts.groups
    covered_us = groups.choices.covered_from_us
    asked = asked_us[groups.order[groups.starts[:-1]]]
    number = np.arange(len(covered_us))
    first_of_key = groups.first_groups[:-1]
    hiding = np.maximum.reduceat(np.where(covered_us <= asked, number, 0), first_of_key)
    is_kept = number >= np.maximum(hiding, first_of_key)[groups.key_of_group]
    return facts.table.take(pa.array(groups.order[np.repeat(is_kept, np.diff(groups.starts))]))
