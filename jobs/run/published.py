"""What is published, as far as this run knows: the ledger when it began, plus what its own steps have done since."""

import threading
from collections.abc import Iterable, Mapping
from typing import Any

from lakehouse.ledger.records import PUBLISHED, SliceRecord
from lakehouse.ledger.state import LedgerState, SliceState


class PublishedState:
    """Slices by (table key, slice name). Steps run side by side, hence the lock."""

    def __init__(self, state: LedgerState) -> None:
        self._slices: dict[tuple[str, str], SliceState | SliceRecord] = dict(state.published)
        self._versions: dict[str, int] = dict(state.known_versions)
        self._newest: dict[str, Mapping[str, Any]] = {}
        for (table, _), piece in sorted(state.published.items(), key=lambda item: item[1].recorded_at):
            self._newest[table] = piece.extra
        self._lock = threading.Lock()

    def add(self, records: Iterable[SliceRecord]) -> None:
        with self._lock:
            for record in records:
                self._slices[record.table, record.slice] = record
                self._newest[record.table] = record.detail
                if record.status == PUBLISHED and record.table_version is not None:
                    self._versions[record.table] = max(record.table_version, self._versions.get(record.table, -1))

    def version(self, table: str) -> int | None:
        return self._versions.get(table)

    def versions(self) -> dict[str, int]:
        """Of every published table, whichever definitions built it."""
        return dict(self._versions)

    def newest(self, table: str) -> Mapping[str, Any]:
        """The details of a table's newest commit or check; empty where nothing is published."""
        return self._newest.get(table, {})

    def slices(self, table: str) -> set[str]:
        return {name for key, name in self._slices if key == table}

    def details(self, table: str) -> list[Mapping[str, Any]]:
        return [_extra(piece) for (key, _), piece in self._slices.items() if key == table]

    def rows(self, table: str, name: str | None = None) -> int:
        return sum(
            piece.rows
            for (key, piece_name), piece in self._slices.items()
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

    def extra(self, table: str, name: str) -> Mapping[str, Any]:
        piece = self._slices.get((table, name))
        return _extra(piece) if piece is not None else {}


def _extra(piece: SliceState | SliceRecord) -> Mapping[str, Any]:
    return piece.extra if isinstance(piece, SliceState) else piece.detail
