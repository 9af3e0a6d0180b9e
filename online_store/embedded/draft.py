"""A draft of a snapshot: records and what describes them, written and on the disk when this returns."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import lmdb
import pyarrow as pa

from online_store.arrow_records import encoded
from online_store.embedded.environments import LONG_KEYS, RECORDS
from online_store.embedded.folder import SnapshotFile, sync_to_disk, write_durably
from online_store.embedded.guards import translated_failures
from online_store.errors import OnlineStoreError
from online_store.record import RecordForm, Tally, kept
from online_store.snapshot import SnapshotDescription

_FIRST_MAP_BYTES = 2**24
Views = Mapping[str, Iterable[pa.RecordBatch]]
_Pairs = list[tuple[bytes, bytes]]


def written(draft: Path, description: SnapshotDescription, views: Views) -> SnapshotFile:
    """Raises OnlineStoreError for rows that are not as described, and for a disk that takes no more."""
    tallies = _records_written(draft, description, views)
    for view in description.views:
        if (rows := tallies[view.table].records) != view.rows:
            raise OnlineStoreError(
                f"{view.table}: {rows:,} rows came, and the published version {view.table_version} has {view.rows:,}; "
                "nothing was exported. Read that version, whole."
            )
    with translated_failures(draft):
        data = draft / "data.mdb"
        sync_to_disk(data)
        content = SnapshotFile(
            description, data.stat().st_size, {table: tally.to_fields() for table, tally in tallies.items()}
        )
        write_durably(draft / "snapshot.json", content.to_json())
        return content


def _records_written(draft: Path, description: SnapshotDescription, views: Views) -> dict[str, Tally]:
    with translated_failures(draft):
        # No lock file and no sync per transaction: no other process reads the draft, and it is synced once, at its end.
        environment = lmdb.open(str(draft), map_size=_FIRST_MAP_BYTES, lock=False, sync=False, max_dbs=2)
    try:
        with translated_failures(draft):
            databases = environment.open_db(RECORDS), environment.open_db(LONG_KEYS)
        tallies = {}
        for view in description.views:
            form, tally = RecordForm(view), Tally()
            for pairs in encoded(form, views[view.table]):
                for key, value in pairs:
                    tally.add(key, value)
                with translated_failures(draft):
                    _put(environment, databases, form, pairs)
            tallies[view.table] = tally
        with translated_failures(draft):
            environment.sync(True)
        return tallies
    finally:
        environment.close()


def _put(environment: Any, databases: tuple[Any, Any], form: RecordForm, pairs: _Pairs) -> None:
    """All of them in one transaction. However much there is, the map grows until it fits."""
    records, long_keys = databases
    while True:
        try:
            with environment.begin(write=True) as writing:
                for key, value in pairs:
                    short = kept(key)
                    if not writing.put(short, value, db=records, overwrite=False):
                        raise OnlineStoreError(
                            f"{form.view.table}: two rows have the key {form.keys(key)}; a snapshot has one per entity."
                        )
                    if short != key:
                        writing.put(short, key, db=long_keys)
            return
        except lmdb.MapFullError:
            environment.set_mapsize(environment.info()["map_size"] * 2)
