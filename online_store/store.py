"""The interface of every online store; one conformance suite holds for all of them (tests/online/)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

from online_store.record import Record
from online_store.snapshot import SnapshotDescription

if TYPE_CHECKING:
    import pyarrow as pa

STEPS = ("write", "verify", "publish", "flip", "clean")
"""What an export does, in order. It can be killed at any moment: the next export then succeeds."""


@dataclass(frozen=True)
class Exported:
    """What an export did. Unchanged: the store answers from exactly this already, and nothing was written (S28)."""

    snapshot_id: str
    records: int
    bytes: int
    is_unchanged: bool


class SnapshotReader(Protocol):
    """One snapshot, open for reading; it never changes, and later exports leave it readable until it is closed."""

    @property
    def snapshot_id(self) -> str: ...

    @property
    def description(self) -> SnapshotDescription: ...

    def get(self, table: str, keys: Sequence[Any]) -> Record | None:
        """The entity's record, or None for one that was not seen (D17); `keys` in the view's order, typed."""
        ...

    def records(self, table: str) -> Iterator[Record]:
        """All records of a view, in no promised order."""
        ...

    def verify(self) -> None:
        """Reads everything. Raises StoreDamaged unless each record is what was written."""
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class OnlineStore(Protocol):
    """Snapshots of one release each; readers see one of them, whole, at every moment."""

    def export(
        self,
        description: SnapshotDescription,
        views: "Mapping[str, Iterable[pa.RecordBatch]]",
        *,
        step: Callable[[str], None] = ...,
        check: Callable[[SnapshotReader], None] = ...,
        rollback: bool = False,
    ) -> Exported:
        """Makes this snapshot the one that is read; see `EmbeddedStore.export`, whose promises are every store's."""
        ...

    def open(self) -> SnapshotReader:
        """The snapshot of the newest export. Raises NothingExported before the first."""
        ...
