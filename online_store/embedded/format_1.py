"""Snapshots of format 1, which earlier versions wrote: an LMDB file without checksums.

All of it is read when it is opened, and compared with the sums that stand in snapshot.json. Nothing writes this format
any more: the next export of another as-of or of changed values is of the present one.
"""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from online_store.embedded.lmdb_file import LmdbFile
from online_store.embedded.records_file import Damage
from online_store.record import RecordForm, Tally

LONGEST_KEY = 511
_HASHED = b"\x01"


class Format1Records:
    """Records by view. A key beyond 511 bytes is kept as the view's prefix, 1 byte 1 and its SHA-256."""

    def __init__(self, path: Path, forms: Mapping[str, RecordForm], written: Mapping[str, Mapping[str, Any]]) -> None:
        """Raises Damage unless each record is what was written, OSError for a missing file."""
        self._forms, self._file = forms, LmdbFile(path)
        try:
            if not {b"records", b"long_keys"} <= self._file.trees.keys():
                raise Damage("it holds no records")
            self._records, self._long_keys = self._file.trees[b"records"], self._file.trees[b"long_keys"]
            self._check(written)
        except BaseException:
            self._file.close()
            raise

    def get(self, table: str, key: bytes) -> bytes | None:
        prefix = self._forms[table].prefix
        short = key if len(key) <= LONGEST_KEY else prefix + _HASHED + hashlib.sha256(key).digest()
        return self._file.get(self._records, short)

    def pairs(self, table: str) -> Iterator[tuple[bytes, bytes]]:
        prefix = self._forms[table].prefix
        return ((key, value) for key, value in self._all() if key.startswith(prefix))

    def check_index(self, table: str) -> None:
        """Was done when it was opened: `pairs` and `get` walk through the same pages."""

    def close(self) -> None:
        self._file.close()

    def _all(self) -> Iterator[tuple[bytes, bytes]]:
        """Whole keys and values."""
        for key, value in self._file.pairs(self._records):
            at = 2 + int.from_bytes(key[:2], "big")
            whole = self._file.get(self._long_keys, key) if key[at : at + 1] == _HASHED else key
            yield whole or b"", value

    def _check(self, written: Mapping[str, Mapping[str, Any]]) -> None:
        tallies = {table: Tally() for table in self._forms}
        by_prefix = {form.prefix: tallies[table] for table, form in self._forms.items()}
        for key, value in self._all():
            prefix = key[: 2 + int.from_bytes(key[:2], "big")]
            if prefix not in by_prefix:
                raise Damage("a record belongs to no view")
            by_prefix[prefix].add(key, value)
        for table, tally in tallies.items():
            if tally.to_fields() != dict(written[table]):
                raise Damage(f"{table}: found {tally.records:,} of {written[table]['records']:,} records as written")
