"""What is published, as far as this run knows: the ledger when it began, plus what its own steps have done since."""

import threading
from collections.abc import Iterable

from lakehouse.ledger.ledger import Release
from lakehouse.ledger.records import PUBLISHED, SliceRecord
from lakehouse.ledger.state import LedgerState, SliceState
from lakehouse.table_state import TableState

_UNKNOWN = TableState()


class PublishedState:
    """Slices by (table key, slice name). Steps run side by side: one may add records while another reads."""

    def __init__(self, state: LedgerState) -> None:
        self._slices: dict[tuple[str, str], SliceState | SliceRecord] = dict(state.published)
        self._versions: dict[str, int] = dict(state.known_versions)
        self._newest: dict[str, TableState] = {}
        # A ledger that was lost is recorded anew at one instant: then the newest commit says how its table stands.
        pieces = sorted(state.published.items(), key=lambda item: (item[1].recorded_at, item[1].table_version))
        for (table, _), piece in pieces:
            self._newest[table] = piece.state
        self._lock = threading.Lock()

    def add(self, records: Iterable[SliceRecord]) -> None:
        with self._lock:
            for record in records:
                self._slices[record.table, record.slice] = record
                self._newest[record.table] = record.state
                if record.status == PUBLISHED and record.table_version is not None:
                    self._versions[record.table] = max(record.table_version, self._versions.get(record.table, -1))

    def version(self, table: str) -> int | None:
        return self._versions.get(table)

    def versions(self) -> dict[str, int]:
        """Of every table that is published, whichever definitions built it."""
        return dict(self._versions)

    def newest(self, table: str) -> TableState:
        """The state after the newest commit or check of a table; unknown where nothing is published."""
        return self._newest.get(table, _UNKNOWN)

    def state(self, table: str, name: str) -> TableState:
        """The state that was recorded with one slice; unknown where the slice is not published."""
        piece = self._slices.get((table, name))
        return piece.state if piece is not None else _UNKNOWN

    def slices(self, table: str) -> set[str]:
        return {name for key, name in list(self._slices) if key == table}

    def as_ofs(self) -> list[str]:
        """Every as-of of which a snapshot is published, sorted."""
        snapshots = [table for table in self._versions if not table.startswith(("raw/", "derived/"))]
        return sorted({name for table in snapshots for name in self.slices(table)})

    def is_released_as(self, release: Release | None) -> bool:
        """False when the tables changed after that release: a run was killed before it could release them."""
        versions = self.versions()
        if release is None or not versions:
            return not versions
        released = {table: view["version"] for table, view in release.views.items()}
        return (released, list(release.as_of)) == (versions, self.as_ofs())

    def rows(self, table: str, name: str | None = None) -> int:
        return sum(
            piece.rows
            for (key, piece_name), piece in list(self._slices.items())
            if key == table and name in (None, piece_name)
        )

    def hash(self, table: str, name: str) -> str:
        piece = self._slices.get((table, name))
        if piece is None:
            return ""
        return (piece.hash if isinstance(piece, SliceState) else piece.content_hash) or ""

    def fingerprint(self, table: str, name: str) -> str:
        piece = self._slices.get((table, name))
        return piece.fingerprint if piece is not None else ""
