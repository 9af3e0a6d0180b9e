"""What a partial state promises, and the states of one operation together."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from kernels.partials.rows import Rows

S = TypeVar("S")


class Partial(ABC, Generic[S]):
    """One kind of state: per cell a summary of facts that merges, in any order, to that of all of them."""

    def of(self, rows: Rows) -> S:
        """The state of these rows, computed once however many operations need it."""
        if self not in rows.states:
            rows.states[self] = self.update(rows)
        state: S = rows.states[self]
        return state

    @abstractmethod
    def update(self, rows: Rows) -> S:
        """The state of these rows, one entry per cell."""

    @abstractmethod
    def merge(self, one: S, other: S) -> S:
        """The state of the facts of both, cell by cell; no fact is in both."""


class Subtractable(Partial[S]):
    """A state from which the state of some of its facts can be subtracted exactly: integers only (S24)."""

    @abstractmethod
    def subtract(self, whole: S, part: S) -> S:
        """The state of the facts of `whole` that are not in `part`."""


class State:
    """The partial states that an operation needs, by their kind."""

    def __init__(self, parts: Mapping[Partial[Any], Any]) -> None:
        self._parts = parts

    def __getitem__(self, partial: Partial[S]) -> S:
        part: S = self._parts[partial]
        return part
