"""A known leak: what goes wrong, how it is planted in this process, and who has to catch it."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

CONFORMANCE, SPEC, CERTIFICATE, PROOF = "conformance suite", "spec of the layer", "certificate", "future-poison test"
CATCHERS = (CONFORMANCE, SPEC, CERTIFICATE, PROOF)

Plant = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Leak:
    """`caught_by`: every one of the catchers that is asked; a test holds that they find it, and nothing else does."""

    name: str
    tells: str
    caught_by: tuple[str, ...]
