"""Which view reads which, from the view cards; and a view's full name from its full or short one."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from definitions.layers import LAYERS
from reports.model import STATUSES, RunReport, StepLine, ViewCard

_ADDRESS = re.compile(r"(?P<layer>[^/]+)/(?P<name>.+)/v\d+")


@dataclass(frozen=True)
class Node:
    """A view in the graph; one that was read but not built in this run has no card."""

    address: str
    layer: str
    card: ViewCard | None
    status: str | None
    rows: int | None

    @property
    def short_name(self) -> str:
        return self.address.split("/")[1] if "/" in self.address else self.address

    @property
    def anchor(self) -> str:
        return re.sub(r"[^A-Za-z0-9_]+", "-", self.address)


class Names:
    """The address of a view, by its full name, its name or its short name."""

    def __init__(self, views: Iterable[ViewCard]) -> None:
        self._addresses: dict[str, str] = {}
        for view in views:
            for known in (view.address.split("/")[1], view.name, view.address):
                self._addresses[known] = view.address

    def address(self, name: str) -> str:
        """The address of a view, or the given name where no card has it."""
        return self._addresses.get(name, name)


def nodes(report: RunReport) -> dict[str, Node]:
    """Every view by address: those of the run in their given order, then those that they only read."""
    names = Names(report.views)
    steps: dict[str, list[StepLine]] = {}
    for step in report.steps:
        steps.setdefault(names.address(step.name), []).append(step)
    nodes_by_address = {view.address: _node(view, steps.get(view.address, [])) for view in report.views}
    for _, read in edges(report):
        if read not in nodes_by_address and (layer := _layer_of(read)):
            nodes_by_address[read] = Node(read, layer, card=None, status=None, rows=None)
    return nodes_by_address


def edges(report: RunReport) -> list[tuple[str, str]]:
    """Pairs of (reader, read), by address, each once."""
    names = Names(report.views)
    pairs = [(view.address, names.address(name)) for view in report.views for name in view.upstream]
    return list(dict.fromkeys(pairs))


def rows_out(steps: Iterable[StepLine]) -> int | None:
    """The sum of the rows that are known; None when none are."""
    known = [step.rows_out for step in steps if step.rows_out is not None]
    return sum(known) if known else None


def _node(view: ViewCard, steps: list[StepLine]) -> Node:
    """A node with the worst status among the view's steps."""
    status = min((step.status for step in steps), key=STATUSES.index, default=None)
    return Node(view.address, view.layer, card=view, status=status, rows=rows_out(steps))


def _layer_of(address: str) -> str | None:
    match = _ADDRESS.fullmatch(address)
    return next((layer for layer in LAYERS if match and match["layer"] == layer), None)
