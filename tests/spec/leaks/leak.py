"""A known leak: what goes wrong, how it is planted in this process, and which checks have to catch it."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

CONFORMANCE, SPEC, CERTIFICATE, LEAK_TEST = "conformance suite", "spec of the layer", "certificate", "leak test"
CATCHERS = (CONFORMANCE, SPEC, CERTIFICATE, LEAK_TEST)

Plant = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Leak:
    """effect: what goes wrong. caught_by: the checks that find it; a test shows that they do, and no other does."""

    name: str
    effect: str
    caught_by: tuple[str, ...]
