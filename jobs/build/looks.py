"""Looks at sources: what a load has to know of those before it, and what each run leaves of its own."""

from collections.abc import Iterable
from datetime import datetime

from definitions.clocks import LandingDelay
from definitions.durations import to_us
from definitions.registry import key_of
from definitions.sources import Source
from definitions.views import Definition
from lakehouse.looks import last_look, record_look
from lakehouse.tables import Warehouse


def record_looks(warehouse: Warehouse, selected: Iterable[Definition], at: datetime) -> None:
    """That these sources were looked at, where stamps depend on it: at a landing delay."""
    for definition in selected:
        if isinstance(definition, Source) and isinstance(definition.available, LandingDelay):
            record_look(warehouse.address(key_of(definition)).path, to_us(at))


def looked_at_us(warehouse: Warehouse, source: Source, *, loaded_at_us: int) -> int:
    """When a source was last looked at; loaded_at_us: by the load that brought its newest rows."""
    return max(loaded_at_us, last_look(warehouse.address(key_of(source)).path) or loaded_at_us)
