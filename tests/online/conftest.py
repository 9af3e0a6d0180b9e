"""Every store that there is: the conformance suite runs against each."""

from collections.abc import Callable
from pathlib import Path

import pytest

from online_store.embedded.store import EmbeddedStore
from online_store.store import OnlineStore

STORES: dict[str, Callable[[Path], OnlineStore]] = {"embedded": lambda folder: EmbeddedStore(folder / "on line")}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> OnlineStore:
    return STORES[request.param](tmp_path)


@pytest.fixture
def embedded(tmp_path: Path) -> EmbeddedStore:
    return EmbeddedStore(tmp_path / "on line")
