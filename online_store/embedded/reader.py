"""One snapshot of an embedded store, open. Loads neither pyarrow nor NumPy."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, Self

from definitions.errors import UnknownName, did_you_mean
from online_store.embedded.folder import EXPORT_AGAIN, RECORDS_FILES, read_snapshot_file
from online_store.embedded.records_file import Damage, RecordsFile, Section
from online_store.errors import StoreDamaged
from online_store.record import Record, RecordForm, tally
from online_store.snapshot import FORMAT, SnapshotDescription


class _Records(Protocol):
    """Whole keys and values by view, of any format. All methods raise Damage."""

    def get(self, table: str, key: bytes) -> bytes | None: ...
    def pairs(self, table: str) -> Iterator[tuple[bytes, bytes]]: ...
    def check_index(self, table: str) -> None: ...
    def close(self) -> None: ...


class EmbeddedReader:
    """One snapshot of an embedded store, open. Threads may share it, and forked processes; nothing is cached.

    What a look-up reads is compared with its checksums, so that damage is an error and never another answer.
    """

    def __init__(self, snapshot: Path) -> None:
        """Raises StoreDamaged, StoreOfAnotherVersion; FileNotFoundError when there is no such folder.

        Cost: one small file; of a snapshot of format 1 all its records.
        """
        self._file = read_snapshot_file(snapshot)
        self._path = snapshot / RECORDS_FILES[self._file.format]
        self._forms = {view.table: RecordForm(view) for view in self.description.views}
        self._records = self._opened()

    def _opened(self) -> _Records:
        try:
            if (size := self._path.stat().st_size) != self._file.bytes:
                raise StoreDamaged(
                    f"'{self._path}' has {size:,} bytes, not the {self._file.bytes:,} written. {EXPORT_AGAIN}"
                )
            with self._damage_reported():
                if self._file.format == FORMAT:
                    sections = {table: of["section"] for table, of in self._file.records.items()}
                    return RecordsFile(self._path, {t: Section.from_fields(fields) for t, fields in sections.items()})
                from online_store.embedded.format_1 import Format1Records

                return Format1Records(self._path, self._forms, self._file.records)
        except FileNotFoundError:
            raise StoreDamaged(f"'{self._path}' is missing. {EXPORT_AGAIN}") from None

    @property
    def snapshot_id(self) -> str:
        return self.description.snapshot_id

    @property
    def description(self) -> SnapshotDescription:
        return self._file.description

    def get(self, table: str, keys: Sequence[Any]) -> Record | None:
        """Raises UnknownName for a view that is not in the snapshot, ValueError for keys of other types."""
        form = self._form(table)
        key = form.key(keys)
        with self._damage_reported(f"{table}, key {tuple(keys)}: "):
            content = self._records.get(table, key)
        return None if content is None else self._record(form, tuple(keys), content)

    def records(self, table: str) -> Iterator[Record]:
        """In the order in which they were written."""
        form = self._form(table)
        with self._damage_reported(f"{table}: "):
            for key, content in self._records.pairs(table):
                yield self._record(form, self._keys(form, key), content)

    def verify(self) -> None:
        for table, form in self._forms.items():
            found, written = tally(form, self.records(table)).to_fields(), self._file.records[table]
            if found != {name: written[name] for name in found}:
                raise self._damaged(f"{table}: found {found['records']:,} of {written['records']:,} records as written")
            with self._damage_reported(f"{table}: "):
                self._records.check_index(table)

    def close(self) -> None:
        self._records.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _damage_reported(self, where: str = "") -> Iterator[None]:
        try:
            yield
        except Damage as damage:
            raise self._damaged(f"{where}{damage}") from None

    def _form(self, table: str) -> RecordForm:
        if table not in self._forms:
            raise UnknownName(f"snapshot {self.snapshot_id} has no view '{table}'.{did_you_mean(table, self._forms)}")
        return self._forms[table]

    def _keys(self, form: RecordForm, whole: bytes) -> tuple[Any, ...]:
        try:
            return form.keys(whole)
        except (ValueError, IndexError):
            raise Damage("a key is not what an export wrote") from None

    def _record(self, form: RecordForm, keys: tuple[Any, ...], content: bytes) -> Record:
        try:
            return form.record(keys, content)
        except (ValueError, TypeError):
            raise self._damaged(f"{form.view.table}: the record of {keys} is not what an export wrote") from None

    def _damaged(self, finding: str) -> StoreDamaged:
        return StoreDamaged(f"'{self._path}', {finding}. {EXPORT_AGAIN}")
