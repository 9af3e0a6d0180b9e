"""The embedded store: a folder of immutable files, one per snapshot, and a pointer. No server.

Reading loads neither pyarrow nor NumPy: those are the export's (`export`).
"""

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from online_store.embedded.folder import EXPORT_AGAIN, StoreFolder
from online_store.embedded.reader import EmbeddedReader
from online_store.errors import OnlineStoreError, StoreDamaged
from online_store.snapshot import SnapshotDescription
from online_store.store import Exported, SnapshotReader

if TYPE_CHECKING:
    import pyarrow as pa

_LOOKS, _PAUSE_S = 5, 0.01


def _silent(step: str) -> None: ...


def _trusting(reader: SnapshotReader) -> None: ...


class EmbeddedStore:
    """One folder, on a local disk. Any number of processes read while one writes."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = StoreFolder(Path(folder))

    def export(
        self,
        description: SnapshotDescription,
        views: "Mapping[str, Iterable[pa.RecordBatch]]",
        *,
        step: Callable[[str], None] = _silent,
        check: Callable[[SnapshotReader], None] = _trusting,
        rollback: bool = False,
    ) -> Exported:
        """Writes the snapshot beside the one that is read, reads all of it back, then flips the pointer.

        `views` gives the rows of each described table, by name of column: its keys, `event_time`, `available_time`
        and its columns; others are ignored, and a static view may lack the times. They are read once, and not at all
        when the store holds exactly this snapshot already (S28). `step` is called before each of STEPS. `check` sees
        the new snapshot before any reader does; an error that it raises stops the export. Until the flip, and after any
        error, readers see the snapshot before. Of the snapshots, the three newest stay, and the one that is read.

        Raises OnlineStoreError for rows that are not as described, for a disk that is full, and for an older
        (as-of, known_at, release) than the current one, unless `rollback` (S33); StoreLocked; StoreOfAnotherVersion
        when a newer format is there. Cost: one pass to write, one to read back.
        """
        from online_store.embedded.export import export

        return export(self.folder, description, views, step=step, check=check, rollback=rollback)

    def open(self) -> EmbeddedReader:
        """Raises NothingExported, StoreDamaged, StoreOfAnotherVersion."""
        for _ in range(_LOOKS - 1):
            try:
                return self._opened()
            except StoreDamaged:  # or an export is removing or replacing the snapshot that CURRENT named a moment ago
                time.sleep(_PAUSE_S)
        return self._opened()

    def _opened(self) -> EmbeddedReader:
        try:
            snapshot = self.folder.current()
            try:
                return EmbeddedReader(snapshot)
            except FileNotFoundError:
                raise StoreDamaged(
                    f"'{self.folder.pointer}' names '{snapshot.name}', which is not there. {EXPORT_AGAIN}"
                ) from None
        except OSError as failure:
            raise OnlineStoreError(f"'{self.folder.root}' can't be read ({failure}); make it readable.") from failure
