"""The rows that an export puts online, view by view, and their content hash as it is published."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

import pyarrow as pa
import pyarrow.dataset as ds
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from definitions.durations import day_or_instant, to_datetime
from definitions.errors import UsageError
from definitions.operations.table import is_online
from definitions.registry import key_of
from definitions.services import FeatureService, Selection, features_of
from definitions.types import arrow_type
from definitions.versions import fingerprints, meaning_of
from definitions.views import Definition
from jobs.build.continued import continuation_of, continued_rows, named_failures
from jobs.export.progress import Report
from jobs.inputs.histories import history_of
from jobs.inputs.releases import Released
from jobs.run.context import Context
from jobs.spines.spine import LABEL_TIME
from kernels.content_hash import ContentHash, combine, partial_sums
from lakehouse.tables import filesystem
from online_store.record import Record
from online_store.snapshot import StoredColumn, StoredView
from pit_join import History, evidence_column, join_with_evidence
from quality.measure import SLICE
from temporal.instants import instant

_AT_ONCE = 50_000
_INSTANT = arrow_type("timestamp")


@dataclass(frozen=True, kw_only=True)
class ExportedView:
    """One view's rows, staged as parquet files: keys, event_time, available_time, then its columns."""

    stored: StoredView
    path: str
    schema: pa.Schema
    as_of_us: int
    known_at_us: int | None

    def batches(self) -> Iterator[pa.RecordBatch]:
        located = filesystem(self.path)
        if located is None:
            raise UsageError(f"the export stages its rows in {self.path}, whose file system is not known to Arrow.")
        found = ds.dataset(located[1], filesystem=located[0], format="parquet", exclude_invalid_files=False)
        for batch in found.to_batches(columns=self.schema.names, batch_size=_AT_ONCE):
            # A batch without rows gives none.
            yield from pa.Table.from_batches([batch]).cast(self.schema).combine_chunks().to_batches()


def exported_views(
    context: Context,
    services: Sequence[FeatureService],
    as_of_us: int,
    released: Released,
    *,
    scratch: str,
    report: Report,
) -> list[ExportedView]:
    """Every view that the services read, once. Cost: a small Spark job per view, some of them side by side."""
    wanted = _wanted(services)
    known_at_us = as_of_us + max(service.publish_delay_us for service in services)
    continuation = continuation_of(context, services, released, until_us=known_at_us)
    with named_failures(context, continuation, released):
        facts = continued_rows(context, continuation, released)

    def made(numbered: tuple[int, Selection]) -> ExportedView:
        number, selection = numbered
        history = history_of(context, selection, released, keys={}, rows=facts.get(key_of(selection.view)))
        rows = _snapshot(history, as_of_us) if selection.is_snapshot else _latest(history, known_at_us)
        path = f"{scratch}/{number:03d}"
        rows.write.mode("overwrite").parquet(path)
        return _exported(selection, released, path, as_of_us)

    report(0, len(wanted), "views")
    views = []
    with (
        named_failures(context, continuation, released),
        ThreadPoolExecutor(context.options.workers, thread_name_prefix="export") as pool,
    ):
        for view in pool.map(made, enumerate(wanted)):
            views.append(view)
            report(len(views), len(wanted), "views")
    return views


def refuse_unservable(services: Sequence[FeatureService]) -> None:
    """Raises UsageError for services that can't be served online, or not from one snapshot."""
    _wanted(services)


def _wanted(services: Sequence[FeatureService]) -> list[Selection]:
    """Snapshots with all their features, so that the next service needs no export; facts with what is taken of them."""
    chosen: dict[str, Selection] = {}
    for selection in (selection for service in services for selection in service.features):
        _require_online(selection.view)
        table = key_of(selection.view)
        before = chosen.get(table)
        if before is not None and before.entity != selection.entity:
            raise UsageError(
                f"'{selection.view.name}' is taken by {before.entity.name} and by {selection.entity.name}; the online "
                "store keeps a view under one key. Export the services one by one, or give one a view of its own."
            )
        taken = (*before.names, *selection.names) if before else selection.names
        names = () if selection.is_snapshot else tuple(dict.fromkeys(taken))
        chosen[table] = features_of(selection.view, *names, entity=selection.entity)
    return list(chosen.values())


def _require_online(view: Definition) -> None:
    if not view.is_snapshot:
        return
    offline = sorted({feature.operation for feature in view.published if not is_online(feature.operation)})
    if offline:
        raise UsageError(
            f"'{view.name}' publishes {', '.join(offline)}, which can't be served online. Move those features to a "
            "view of their own, and leave it out of the exported services."
        )


def _snapshot(history: History, as_of_us: int) -> DataFrame:
    standing = (F.col("event_time") == instant(as_of_us)) & F.col("superseded_at").isNull()
    return history.frame.where(standing).select(*history.keys, "event_time", "available_time", *history.features)


def _latest(history: History, known_at_us: int) -> DataFrame:
    """Facts as the join gives them at that instant; a static source has no times."""
    keys = history.frame.select(*history.keys).dropna().distinct().withColumn(LABEL_TIME, instant(known_at_us))
    joined = join_with_evidence(keys, [history], label_time=LABEL_TIME)
    evidence = evidence_column(history.name)
    values = [F.col(f"{history.name}__{name}").alias(name) for name in history.features]
    return joined.where(F.col(f"{evidence}.outcome") == "matched").select(
        *history.keys, F.col(f"{evidence}.event_time"), F.col(f"{evidence}.available_time"), *values
    )


def _exported(selection: Selection, released: Released, path: str, as_of_us: int) -> ExportedView:
    view, keys = selection.view, selection.entity.keys
    types = {column.feature: column.type for column in selection.columns}
    marks = fingerprints(view)
    units = {column.feature: column.unit for column in selection.columns}
    schema = pa.schema(
        [pa.field(name, arrow_type(type_)) for name, type_ in keys]
        + [pa.field("event_time", _INSTANT), pa.field("available_time", _INSTANT)]
        + [pa.field(name, arrow_type(type_)) for name, type_ in types.items()]
    )
    known_at_us = as_of_us + view.cut_delay_us if selection.is_snapshot else None
    stored = StoredView(
        key_of(view),
        tuple(keys),
        columns=tuple(
            StoredColumn(name, type_, unit=units[name], fingerprint=marks[name]) for name, type_ in types.items()
        ),
        table_version=released.version(view),
        definition=meaning_of(view),
        rows=0,
        content_hash="",
        is_static=selection.is_static,
    )
    draft = ExportedView(stored=stored, path=path, schema=schema, as_of_us=as_of_us, known_at_us=known_at_us)
    staged = _combined(draft, (pa.Table.from_batches([batch]) for batch in draft.batches()))
    hashed = released.published.hash(key_of(view), day_or_instant(as_of_us)) if selection.is_snapshot else staged.hex
    return replace(draft, stored=replace(stored, rows=staged.rows, content_hash=hashed))


def content_hash(view: ExportedView, records: Iterable[Record]) -> str:
    """S34 of records as they were read back, laid out as the published rows were when theirs was taken."""
    return _combined(view, _tables(view, iter(records))).hex


def _combined(view: ExportedView, tables: Iterable[pa.Table]) -> ContentHash:
    found = ContentHash("0" * 64, 0)
    for table in tables:
        for part in combine(partial_sums(_laid_out(view, table), slice_column=SLICE)).values():
            found += part
    return found


def _laid_out(view: ExportedView, table: pa.Table) -> pa.Table:
    """As `measure` hashes a snapshot's slice: the slice, keys, clocks with known_at, features."""
    keys = len(view.stored.keys)
    slices = pa.array([view.as_of_us] * table.num_rows, pa.int64())
    if view.known_at_us is not None:
        known = pa.array([view.known_at_us] * table.num_rows, pa.int64()).cast(_INSTANT)
        table = table.add_column(keys + 1, "known_at", known)
    return table.add_column(0, SLICE, slices)


def _tables(view: ExportedView, records: Iterator[Record]) -> Iterator[pa.Table]:
    while many := list(islice(records, _AT_ONCE)):
        rows = [(*r.keys, _instant(r.event_time_us), _instant(r.available_time_us), *r.values) for r in many]
        columns = zip(*rows, strict=True)
        yield pa.table(
            [pa.array(cells, field.type) for cells, field in zip(columns, view.schema, strict=True)], schema=view.schema
        )


def _instant(us: int | None) -> datetime | None:
    return None if us is None else to_datetime(us)
