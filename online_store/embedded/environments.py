"""LMDB files open for reading, one per process: LMDB must not open a file twice, and readers may."""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lmdb

RECORDS, LONG_KEYS = b"records", b"long_keys"
_Identity = tuple[int, int]


@dataclass
class _Open:
    environment: Any
    databases: tuple[Any, Any]
    readers: int = 0


_open: dict[_Identity, _Open] = {}
_lock = threading.Lock()


class SharedEnvironment:
    """A snapshot's data.mdb, shared by all readers of this process, closed with the last of them."""

    def __init__(self, folder: Path) -> None:
        """Raises lmdb.Error for a file that is no LMDB file, OSError for a missing one."""
        status = (folder / "data.mdb").stat()
        self._identity = (status.st_dev, status.st_ino)
        with _lock:
            shared = _open.get(self._identity) or _opened(folder)
            _open[self._identity] = shared
            shared.readers += 1
        self.environment, (self.records, self.long_keys) = shared.environment, shared.databases
        self._is_open = True

    def close(self) -> None:
        with _lock:
            if not self._is_open:
                return
            self._is_open = False
            shared = _open[self._identity]
            shared.readers -= 1
            if not shared.readers:
                del _open[self._identity]
                shared.environment.close()


def _opened(folder: Path) -> _Open:
    # No lock file: a snapshot is never written to. No read-ahead: look-ups are single pages, far apart.
    environment = lmdb.open(str(folder), readonly=True, lock=False, create=False, max_dbs=2, readahead=False)
    try:
        names = (RECORDS, LONG_KEYS)
        return _Open(environment, tuple(environment.open_db(name, create=False) for name in names))  # type: ignore[arg-type]
    except BaseException:
        environment.close()
        raise
