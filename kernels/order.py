"""The order of facts: by entity, then oldest first (S9)."""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from kernels.columns import Bools, Ints, Values, order_of

_LARGEST = np.iinfo(np.int64).max


def fact_order(entity: Ints, event: Ints, breakers: Iterable[pa.Array]) -> Ints:
    """Row numbers by entity, event time, then the breakers; each breaker is read only for rows that are still tied."""
    order = _sorted_by(entity, event)
    opens = np.diff(entity[order], prepend=-1).astype(np.bool_) | _differs(event[order])
    for column in breakers:
        tied = np.flatnonzero(~opens | ~np.append(opens[1:], True))
        if len(tied) == 0:
            break
        group = np.cumsum(opens)[tied]
        ranks = order_of(column.take(pa.array(order[tied])))
        within = np.lexsort((ranks, group))
        order[tied] = order[tied][within]
        opens[tied] |= _differs(ranks[within])
    return order


def _sorted_by(entity: Ints, event: Ints) -> Ints:
    """By entity, then event time; equal ones as they are now."""
    step = np.diff(entity)
    if ((step > 0) | ((step == 0) & (np.diff(event) >= 0))).all():
        return np.arange(len(entity), dtype=np.int64)
    first = int(event.min())
    width = int(event.max()) - first + 1
    if (int(entity.max()) + 1) * width > _LARGEST or int(entity.min()) < 0:
        return np.asarray(np.lexsort((event, entity)))
    # Both in one integer, which NumPy sorts in a third of the time.
    packed = entity * width + (event - first)
    order = np.argsort(packed)
    equals = ~_differs(packed[order])
    tied = np.flatnonzero(equals | np.append(equals[1:], False))
    order[tied] = order[tied][np.lexsort((order[tied], packed[order[tied]]))]
    return order


def _differs(values: Values) -> Bools:
    """Whether each value differs from the one before it; the first value does."""
    return np.append(True, values[1:] != values[:-1])[: len(values)]
