"""Integer sums that can't overflow, and quotients of them that are rounded once (S24)."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from kernels.columns import Bools, Ints, Values

Doubles = npt.NDArray[np.float64]
NARROW = 2**62
EXACT_DOUBLE = 2**53
DECIMAL_38 = 10**38
LIMB_BITS = 32
LIMB_MASK = 2**LIMB_BITS - 1


def summed(values: Values, add: Callable[[Ints], Ints]) -> Values:
    """The result of `add`, a linear map over int64, as if nothing could overflow: int64 if it fits, else Python ints.

    Wide values are split into 32-bit limbs, so that NumPy adds them, too.
    """
    if values.dtype != object and _bound(values) < NARROW:
        return add(values)
    sums = [add(limb) for limb in _limbs(values)]
    if len(sums) <= 2 and all(np.abs(high).max(initial=0) < 2**29 for high in sums[1:]):
        return sums[0] + (sums[1] << LIMB_BITS) if len(sums) == 2 else sums[0]
    total: Values = sums[0].astype(object)
    for index, limb in enumerate(sums[1:], start=1):
        total = total + limb.astype(object) * 2 ** (LIMB_BITS * index)
    return total


def added(one: Values, other: Values) -> Values:
    """Sums pair by pair: int64 if they fit, else Python ints."""
    if object in (one.dtype, other.dtype) or _largest(one) + _largest(other) >= 2**63:
        return np.asarray(one.astype(object) + other.astype(object), dtype=object)
    return one + other


def subtracted(whole: Values, part: Values) -> Values:
    """Differences pair by pair: int64 if they fit, else Python ints."""
    if object in (whole.dtype, part.dtype) or _largest(whole) + _largest(part) >= 2**63:
        return np.asarray(whole.astype(object) - part.astype(object), dtype=object)
    return whole - part


def squared(values: Values) -> Values:
    """Squares, as Python ints if one would leave 64 bits."""
    if values.dtype != object and _largest(values) ** 2 < NARROW:
        return values * values
    wide = values.astype(object)
    return np.asarray(wide * wide, dtype=object)


def ratio(numerators: Values, denominators: Values | int) -> Doubles:
    """Each quotient as the nearest double: one rounding. Denominators are positive."""
    over = np.broadcast_to(np.asarray(denominators), numerators.shape)
    if numerators.dtype == object or over.dtype == object:
        return _divided(numerators, over)
    quotients: Doubles = numerators / over  # the nearest double whenever both sides are doubles themselves
    wide = (np.abs(numerators) > EXACT_DOUBLE) | (over > EXACT_DOUBLE)
    if wide.any():
        quotients[wide] = _divided(numerators[wide], over[wide])
    return quotients


def deviation(count: Ints, total: Values, squares: Values, divisor: int) -> Doubles:
    """Sample standard deviation from n >= 2, Σx and Σx²: sqrt((n·Σx² − (Σx)²) / (n·(n−1)·divisor²))."""
    variance = np.zeros(len(count), np.float64)
    wide: Bools = np.ones(len(count), np.bool_)
    if total.dtype != object and squares.dtype != object:
        rows = count.astype(np.float64)
        wide = (rows * squares >= NARROW) | (rows * rows * float(divisor) ** 2 >= NARROW)
    narrow = ~wide
    if narrow.any():
        variance[narrow] = ratio(*_variance(count[narrow], total[narrow], squares[narrow], divisor))
    n, s, q = (part[wide].astype(object) for part in (count, total, squares))
    variance[wide] = _divided(*_variance(n, s, q, divisor))
    return np.asarray(np.sqrt(variance))


def _variance(n: Values, s: Values, q: Values, divisor: int) -> tuple[Values, Values]:
    return n * q - s * s, n * (n - 1) * divisor**2


def _divided(numerators: Values, denominators: Values) -> Doubles:
    pairs = zip(numerators.tolist(), denominators.tolist(), strict=True)
    return np.array([int(n) / int(d) for n, d in pairs], dtype=np.float64)


def _limbs(values: Values) -> list[Ints]:
    """Little-endian 32-bit limbs, the last one signed."""
    limbs, rest = [], values
    while _largest(rest) >= 2 ** (LIMB_BITS - 1):
        limbs.append((rest & LIMB_MASK).astype(np.int64))
        rest = rest >> LIMB_BITS
    return [*limbs, rest.astype(np.int64)]


def _largest(values: Values) -> int:
    return max(abs(int(values.max())), abs(int(values.min()))) if len(values) else 0


def _bound(values: Values) -> int:
    return _largest(values) * len(values)
