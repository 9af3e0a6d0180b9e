"""A draft of a snapshot: records and what describes them, written and on the disk when this returns."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from online_store.arrow_records import encoded
from online_store.embedded.folder import RECORDS_FILES, SnapshotFile, sync_to_disk, write_durably
from online_store.embedded.guards import translated_failures
from online_store.embedded.records_writer import DuplicateKey, SectionWriter
from online_store.errors import OnlineStoreError
from online_store.record import RecordForm, Tally
from online_store.snapshot import FORMAT, SnapshotDescription, StoredView

Views = Mapping[str, Iterable[pa.RecordBatch]]


def written(draft: Path, description: SnapshotDescription, views: Views) -> SnapshotFile:
    """Raises OnlineStoreError for rows that are not as described, and for a disk that takes no more."""
    path = draft / RECORDS_FILES[FORMAT]
    with translated_failures(draft):
        file = path.open("w+b")
    try:
        records = {view.table: _section(file, view, views[view.table], draft) for view in description.views}
    finally:
        with translated_failures(draft):
            file.close()
    with translated_failures(draft):
        sync_to_disk(path)
        content = SnapshotFile(description, path.stat().st_size, records)
        write_durably(draft / "snapshot.json", content.to_json())
        return content


def _section(file: BinaryIO, view: StoredView, batches: Iterable[pa.RecordBatch], draft: Path) -> dict[str, Any]:
    """One view's records: their count and sum, and where they lie."""
    form, tally = RecordForm(view), Tally()
    with translated_failures(draft):
        writer = SectionWriter(file)
    for pairs in encoded(form, batches):
        with translated_failures(draft):
            for key, value in pairs:
                tally.add(key, value)
                writer.add(key, value)
    try:
        with translated_failures(draft):
            section = writer.finish()
            file.flush()
    except DuplicateKey as twice:
        raise OnlineStoreError(
            f"{view.table}: two rows have the key {form.keys(twice.key)}; a snapshot has one per entity."
        ) from None
    if tally.records != view.rows:
        raise OnlineStoreError(
            f"{view.table}: {tally.records:,} rows came, and the published version {view.table_version} has "
            f"{view.rows:,}; nothing was exported. Read that version, whole."
        )
    return {**tally.to_fields(), "section": section.to_fields()}
