"""Which online stores there are, each opened by its name. Another store is one entry here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from definitions.errors import UnknownName, did_you_mean
from online_store.store import OnlineStore


@dataclass(frozen=True)
class StoreSettings:
    """`store` names the kind; `folder` is where the embedded store lies, on a local disk."""

    folder: Path
    store: str = "embedded"


def _embedded(settings: StoreSettings) -> OnlineStore:
    from online_store.embedded.store import EmbeddedStore

    return EmbeddedStore(settings.folder)


STORES: Mapping[str, Callable[[StoreSettings], OnlineStore]] = {"embedded": _embedded}


def open_store(settings: StoreSettings) -> OnlineStore:
    """The store that the settings name; only its own client is loaded. Raises UnknownName for one that is not there."""
    if settings.store not in STORES:
        raise UnknownName(
            f"online.store is '{settings.store}', and no store is called so.{did_you_mean(settings.store, STORES)}"
        )
    return STORES[settings.store](settings)
