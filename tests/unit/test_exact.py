"""Sums pair by pair, where 64 bits end (S24)."""

import numpy as np
import pytest

from kernels.exact import added, subtracted

LARGEST = 2**63 - 1


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


@pytest.mark.parametrize(
    ("computed", "expected"),
    [
        (added(ints(1, -2), ints(3, 2)), [4, 0]),
        (added(ints(LARGEST), ints(1)), [2**63]),
        (added(ints(-LARGEST - 1), ints(-1)), [-(2**63) - 1]),
        (subtracted(ints(-LARGEST - 1), ints(1)), [-(2**63) - 1]),
        (subtracted(ints(LARGEST), ints(-LARGEST - 1)), [2**64 - 1]),
        (subtracted(added(ints(LARGEST), ints(1)), ints(1)), [LARGEST]),
        (added(ints(), ints()), []),
    ],
)
def test_sums_and_differences_leave_64_bits_without_wrapping(computed: np.ndarray, expected: list[int]) -> None:
    assert computed.tolist() == expected
    assert not expected or isinstance(computed.tolist()[0], int)
