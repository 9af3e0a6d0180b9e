"""One snapshot of an embedded store, open. Loads neither pyarrow nor NumPy."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import lmdb

from definitions.errors import UnknownName, did_you_mean
from online_store.embedded.environments import SharedEnvironment
from online_store.embedded.folder import EXPORT_AGAIN, read_snapshot_file
from online_store.errors import StoreDamaged
from online_store.record import Record, RecordForm, is_hashed, kept, tally
from online_store.snapshot import SnapshotDescription


class EmbeddedReader:
    """One snapshot of an embedded store, open. Threads may share it; a forked process should open its own."""

    def __init__(self, snapshot: Path) -> None:
        """Raises StoreDamaged, StoreOfAnotherVersion; FileNotFoundError when there is no such folder."""
        self._snapshot = snapshot
        self._file = read_snapshot_file(snapshot)
        self._forms = {view.table: RecordForm(view) for view in self.description.views}
        self._shared = self._opened()

    def _opened(self) -> SharedEnvironment:
        data = self._snapshot / "data.mdb"
        try:
            # LMDB maps the file: reading past the end of a truncated one would kill the process.
            if (size := data.stat().st_size) != self._file.bytes:
                raise StoreDamaged(f"'{data}' has {size:,} bytes, not the {self._file.bytes:,} written. {EXPORT_AGAIN}")
            return SharedEnvironment(self._snapshot)
        except lmdb.Error as broken:
            raise StoreDamaged(f"'{data}' can't be read ({broken}). {EXPORT_AGAIN}") from None
        except FileNotFoundError:
            raise StoreDamaged(f"'{data}' is missing. {EXPORT_AGAIN}") from None

    @property
    def snapshot_id(self) -> str:
        return self.description.snapshot_id

    @property
    def description(self) -> SnapshotDescription:
        return self._file.description

    def get(self, table: str, keys: Sequence[Any]) -> Record | None:
        """Raises UnknownName for a view that is not in the snapshot, ValueError for keys of other types."""
        form = self._form(table)
        key = kept(form.key(keys))
        with self._reading() as reading:
            content = reading.get(key, db=self._shared.records)
        return None if content is None else self._record(form, tuple(keys), content)

    def records(self, table: str) -> Iterator[Record]:
        """In the order of the stored keys."""
        form, shared = self._form(table), self._shared
        with self._reading() as reading:
            cursor = reading.cursor(shared.records)
            if not cursor.set_range(form.prefix):
                return
            for key, content in cursor:
                if not key.startswith(form.prefix):
                    return
                whole = reading.get(key, db=shared.long_keys, default=b"") if is_hashed(key, form.prefix) else key
                yield self._record(form, self._keys(form, whole), content)

    def verify(self) -> None:
        counts = 0
        for table, form in self._forms.items():
            counts_read, written = tally(form, self.records(table)).to_fields(), self._file.records[table]
            counts += counts_read["records"]
            if counts_read != written:
                raise self._damaged(
                    f"{table}: found {counts_read['records']:,} of {written['records']:,} records as written"
                )
        with self._reading() as reading:
            if (entries := reading.stat(self._shared.records)["entries"]) != counts:
                raise self._damaged(f"{entries:,} records, of which {counts:,} belong to a view")

    def close(self) -> None:
        self._shared.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _reading(self) -> Iterator[Any]:
        try:
            with self._shared.environment.begin() as reading:
                yield reading
        except (lmdb.CorruptedError, lmdb.PageNotFoundError, lmdb.InvalidError) as broken:
            raise self._damaged(f"broken inside: {broken}") from None

    def _form(self, table: str) -> RecordForm:
        if table not in self._forms:
            raise UnknownName(f"snapshot {self.snapshot_id} has no view '{table}'.{did_you_mean(table, self._forms)}")
        return self._forms[table]

    def _keys(self, form: RecordForm, whole: bytes) -> tuple[Any, ...]:
        try:
            return form.keys(whole)
        except (ValueError, IndexError):
            raise self._damaged(f"{form.view.table}: a key is not what an export wrote") from None

    def _record(self, form: RecordForm, keys: tuple[Any, ...], content: bytes) -> Record:
        try:
            return form.record(keys, content)
        except (ValueError, TypeError):
            raise self._damaged(f"{form.view.table}: the record of {keys} is not what an export wrote") from None

    def _damaged(self, finding: str) -> StoreDamaged:
        return StoreDamaged(f"'{self._snapshot / 'data.mdb'}', {finding}. {EXPORT_AGAIN}")
