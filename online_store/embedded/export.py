"""The embedded store's export: a draft is written, read back, made durable and named, then the pointer flips."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from online_store.embedded.draft import Views, written
from online_store.embedded.folder import SnapshotFile, StoreFolder, read_snapshot_file, sync_to_disk
from online_store.embedded.guards import locked, translated_failures
from online_store.embedded.reader import EmbeddedReader
from online_store.errors import NothingExported, OnlineStoreError, StoreDamaged, StoreOfAnotherVersion
from online_store.snapshot import SnapshotDescription
from online_store.store import Exported, SnapshotReader

KEPT_SNAPSHOTS = 3


def export(
    folder: StoreFolder,
    description: SnapshotDescription,
    views: Views,
    *,
    step: Callable[[str], None],
    check: Callable[[SnapshotReader], None],
    rollback: bool,
) -> Exported:
    """See `EmbeddedStore.export`."""
    _check_views(description, views)
    with locked(folder.root):
        with translated_failures(folder.root):
            done = _as_is(folder, description)
            if done is None:
                _check_order(folder, description, rollback)
        if done is None:
            done = _exported(folder, description, views, step, check)
        step("clean")
        with translated_failures(folder.root):
            _clean(folder)
        return done


def _exported(
    folder: StoreFolder,
    description: SnapshotDescription,
    views: Views,
    step: Callable[[str], None],
    check: Callable[[SnapshotReader], None],
) -> Exported:
    draft = folder.snapshots / f".draft-{description.snapshot_id}-{os.getpid()}"
    try:
        step("write")
        with translated_failures(folder.root):
            _clear(draft)
        content = written(draft, description, views)
        step("verify")
        with EmbeddedReader(draft) as reader:
            reader.verify()
            check(reader)
        step("publish")
        with translated_failures(folder.root):
            _publish(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    step("flip")
    with translated_failures(folder.root):
        folder.point_at(description.snapshot_id)
    return _outcome(content, is_unchanged=False)


def _clear(draft: Path) -> None:
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    sync_to_disk(draft.parent.parent)


def _publish(draft: Path, folder: StoreFolder) -> None:
    """Give the draft its snapshot's name; no reader opens it before the flip."""
    sync_to_disk(draft)
    snapshot = folder.snapshots / read_snapshot_file(draft).description.snapshot_id
    if snapshot.exists():  # of an export that was killed before its flip; or damaged; or older, and not in use
        folder.discard(snapshot)
    draft.rename(snapshot)
    sync_to_disk(folder.snapshots)


def _check_views(description: SnapshotDescription, views: Views) -> None:
    described = {view.table for view in description.views}
    if described != set(views):
        raise OnlineStoreError(
            f"the description names the views {sorted(described)}, and rows came for {sorted(views)}; give both alike."
        )


def _as_is(folder: StoreFolder, description: SnapshotDescription) -> Exported | None:
    """The outcome when CURRENT is exactly this snapshot, and every record of it can still be read."""
    try:
        current = folder.current()
        if current.name != description.snapshot_id:
            return None
        with EmbeddedReader(current) as reader:
            reader.verify()
        return _outcome(read_snapshot_file(current), is_unchanged=True)
    except (NothingExported, StoreDamaged, StoreOfAnotherVersion, FileNotFoundError):
        return None


def _check_order(folder: StoreFolder, description: SnapshotDescription, rollback: bool) -> None:
    """The newer wins (S33). A damaged snapshot is not compared: this export replaces it."""
    try:
        current = read_snapshot_file(folder.current()).description
    except (NothingExported, StoreDamaged, FileNotFoundError):
        return
    except StoreOfAnotherVersion as other:
        if other.is_newer and not rollback:
            raise
        return
    if description.order < current.order and not rollback:
        raise OnlineStoreError(
            f"'{folder.root}' answers from {current.as_of} (release {current.release}), which is newer than "
            f"{description.as_of} (release {description.release}); add --rollback to publish the older one (S33)."
        )


def _clean(folder: StoreFolder) -> None:
    """What killed exports left, and snapshots beyond the newest three; a reader that has one open keeps its files."""
    for draft in folder.snapshots.glob(".draft-*"):
        shutil.rmtree(draft)
    folder.pointer.with_name(".CURRENT.new").unlink(missing_ok=True)
    current = folder.current()
    newest = sorted((path for path in folder.snapshots.iterdir() if path.is_dir()), key=_order, reverse=True)
    for snapshot in newest[KEPT_SNAPSHOTS:]:
        if snapshot != current:
            folder.discard(snapshot)


def _order(snapshot: Path) -> tuple[int, int, int]:
    try:
        return read_snapshot_file(snapshot).description.order
    except (StoreDamaged, StoreOfAnotherVersion):
        return (-(2**63), 0, 0)


def _outcome(content: SnapshotFile, *, is_unchanged: bool) -> Exported:
    records = sum(int(tally["records"]) for tally in content.records.values())
    return Exported(content.description.snapshot_id, records, content.bytes, is_unchanged)
