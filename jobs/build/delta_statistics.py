"""Statistics of rows without Spark: from tables' logs, and a few columns of files that may hold new rows."""

from collections.abc import Sequence
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

from definitions.durations import instant_us, to_us
from definitions.registry import key_of
from definitions.sources import Source
from definitions.views import DerivedView
from jobs.build.row_statistics import FactsWanted, LaterThan, LoadedRows
from jobs.run.published import PublishedState
from lakehouse.reader import DataFile, DeltaReader, NeedsSpark
from lakehouse.tables import Warehouse
from temporal.instants import partition_of


class DeltaStatistics:
    """Of the table versions that the ledger knows.

    Of facts that have versions or retractions the partitions are an upper bound: it does not see which facts were
    superseded before they could be known.
    """

    def __init__(self, reader: DeltaReader, warehouse: Warehouse, published: PublishedState) -> None:
        self._reader, self._warehouse, self._published = reader, warehouse, published
        self._files = cache(self._files_of)

    def loaded_since(self, source: Source, since_us: int, *, delays_us: Sequence[int]) -> tuple[LoadedRows, ...]:
        rows = self._rows(key_of(source), ["event_time", "available_time", "loaded_at"], {"loaded_at": since_us})
        rows = rows.filter(pc.greater(rows["loaded_at"], since_us))
        firsts = {
            f"after_{delay}": pc.max_element_wise(
                pc.add(rows["event_time"], 1), pc.subtract(rows["available_time"], delay)
            )
            for delay in delays_us
        }
        loads = pa.table({"loaded_at": rows["loaded_at"], **firsts}).group_by("loaded_at")
        return tuple(
            LoadedRows(
                loaded_at_us=row["loaded_at"],
                first_as_of_us={delay: row[f"after_{delay}_min"] for delay in delays_us},
            )
            for row in loads.aggregate([(name, "min") for name in firsts]).to_pylist()
        )

    def partitions(self, view: DerivedView, wanted: FactsWanted) -> dict[int, int]:
        table, before = key_of(view.source), wanted.later_than
        has_load = before is not None and before.loaded_at_us is not None
        names = ["event_time", "available_time", *(["loaded_at"] if has_load else [])]
        rows = self._rows(table, names, _later(before) if before is not None else {})
        is_wanted = pc.and_(
            pc.less(rows["event_time"], wanted.as_of_us), pc.less_equal(rows["available_time"], wanted.cut_us)
        )
        if before is not None:
            is_wanted = pc.and_(is_wanted, _is_new(rows, before))
        grain = view.root.partition_by
        instants = rows.filter(is_wanted)["event_time"].cast(pa.timestamp("us", tz="UTC"))
        days = pc.unique(pc.floor_temporal(instants, unit="day")).to_pylist()
        dates = sorted({partition_of(to_us(day), grain) for day in days})
        return {instant_us(date): self._rows_in(table, date) for date in dates}

    def bytes(self, table: str, dates: Sequence[str] | None = None) -> int | None:
        try:
            files = self._files(table)
        except NeedsSpark:
            return None
        return sum(file.bytes for file in files if dates is None or file.event_date in dates)

    def _rows_in(self, table: str, date: str) -> int:
        return sum(file.rows or 0 for file in self._files(table) if file.event_date == date)

    def _rows(self, table: str, names: Sequence[str], later_than: dict[str, int]) -> pa.Table:
        """Times as µs, of the files that may hold a row that is later in one of the columns; {}: of all files."""
        files = [file for file in self._files(table) if not later_than or file.may_pass(later_than)]
        rows = self._reader.columns(self._warehouse.address(table).path, names, files=files)
        return pa.table({name: rows[name].cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()) for name in names})

    def _files_of(self, table: str) -> tuple[DataFile, ...]:
        version = self._published.version(table)
        path = self._warehouse.address(table).path
        if version is None:
            return ()
        return self._reader.files(path, version=version, times=("event_time", "available_time", "loaded_at"))


def _later(before: LaterThan) -> dict[str, int]:
    load = {} if before.loaded_at_us is None else {"loaded_at": before.loaded_at_us}
    return {"event_time": before.event_us - 1, "available_time": before.known_us, **load}


def _is_new(rows: pa.Table, before: LaterThan) -> pa.ChunkedArray:
    is_new = pc.or_(
        pc.greater_equal(rows["event_time"], before.event_us), pc.greater(rows["available_time"], before.known_us)
    )
    if before.loaded_at_us is None:
        return is_new
    return pc.or_(is_new, pc.greater(rows["loaded_at"], before.loaded_at_us))
