"""What surrounds an export: a lock, so that one runs at a time, and disk errors as one sentence."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from online_store.errors import OnlineStoreError, StoreLocked


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """One export at a time; the kernel frees the lock of a killed one. Raises StoreLocked at once."""
    with translated_failures(root):
        root.mkdir(parents=True, exist_ok=True)
        file = (root / ".lock").open("a+", encoding="utf-8")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            by = f"process {holder}" if (holder := file.read().strip()) else "another process"
            raise StoreLocked(f"'{root}' is being written by {by}; export again when that has ended.") from None
        with translated_failures(root):
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
        yield


@contextmanager
def translated_failures(path: Path) -> Iterator[None]:
    """An error of the disk as an OnlineStoreError."""
    try:
        yield
    except OSError as failure:
        raise OnlineStoreError(
            f"'{path}' can't be written ({failure}); readers see what they saw before. Free space on that disk, or "
            "make the folder writable, and export again."
        ) from failure
