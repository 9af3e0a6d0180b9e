"""Statistics of rows without Spark: from tables' logs, and a few columns of files that may hold new rows."""

from collections import Counter
from collections.abc import Sequence
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

from definitions.durations import instant_us, to_us
from definitions.registry import key_of
from definitions.sources import Source
from definitions.tables import PartitionBy
from jobs.build.statistics.questions import FactsWanted, Knowledge, LoadedRows
from jobs.run.published import PublishedState
from lakehouse.reader import DataFile, DeltaReader, NeedsSpark
from lakehouse.tables import Warehouse
from temporal.instants import partition_of

_BEFORE_ALL = -(2**62)
_CLOCKS = ("event_time", "available_time", "loaded_at")


class DeltaStatistics:
    """Of the table versions that are published.

    counts_rows: the rows of a partition are counted; else they are those of its files, whenever available.
    """

    def __init__(
        self, reader: DeltaReader, warehouse: Warehouse, published: PublishedState, *, counts_rows: bool = False
    ) -> None:
        self._reader, self._warehouse, self._published = reader, warehouse, published
        self._counts_rows = counts_rows
        self._described = cache(self._files_of)

    def loaded_since(
        self, source: Source, since_us: int, *, delays_us: Sequence[int], has_versions: bool
    ) -> tuple[LoadedRows, ...]:
        rows = self._facts(source) if has_versions else self._rows(key_of(source), {"loaded_at": since_us})
        rows = rows.filter(pc.greater(rows["loaded_at"], since_us))
        firsts = {f"after_{delay}": _first_as_of(rows, delay) for delay in delays_us}
        loads = pa.table({"loaded_at": rows["loaded_at"], **firsts}).group_by("loaded_at")
        return tuple(
            LoadedRows(
                loaded_at_us=row["loaded_at"],
                first_as_of_us={delay: row[f"after_{delay}_min"] for delay in delays_us},
            )
            for row in loads.aggregate([(name, "min") for name in firsts]).to_pylist()
        )

    def first_new_event(self, source: Source, before: Knowledge, *, cut_us: int) -> int | None:
        rows = self._rows(key_of(source), _limits(before))
        is_new = pc.and_kleene(pc.less_equal(rows["available_time"], cut_us), _is_new(rows, before))
        first: int | None = pc.min(rows.filter(is_new)["event_time"]).as_py()
        return first

    def partitions(self, source: Source, wanted: FactsWanted) -> dict[int, int]:
        table, before = key_of(source), wanted.before
        limits = {} if before is None else {**_limits(before), "event_time": wanted.from_us - 1}
        rows = _available(self._rows(table, limits), wanted)
        if before is not None:
            is_later = pc.greater_equal(rows["event_time"], wanted.from_us)
            rows = rows.filter(pc.or_kleene(_is_new(rows, before), is_later))
        dates = sorted(_rows_by_date(rows, source.partition_by))
        return {instant_us(date): count for date, count in self._rows_of(source, dates, wanted).items()}

    def _rows_of(self, source: Source, dates: Sequence[str], wanted: FactsWanted) -> dict[str, int]:
        files = [file for file in self._files(key_of(source)) if file.event_date in dates]
        if not self._counts_rows:
            return {date: sum(file.rows or 0 for file in files if file.event_date == date) for date in dates}
        counts = _rows_by_date(_available(self._columns(key_of(source), files), wanted), source.partition_by)
        return {date: counts[date] for date in dates}

    def dates(self, table: str) -> set[str]:
        return {file.event_date for file in self._files(table) if file.event_date is not None}

    def bytes(self, table: str, dates: Sequence[str] | None = None) -> int | None:
        try:
            files = self._files(table)
        except NeedsSpark:
            return None
        return sum(file.bytes for file in files if dates is None or file.event_date in dates)

    def _facts(self, source: Source) -> pa.Table:
        """All rows' clocks; instead of its own event_time each row has the earliest of any version of its fact."""
        table, identity = key_of(source), list(source.identity)
        rows = self._columns(table, self._files(table), also=identity)
        try:
            firsts = rows.group_by(identity).aggregate([("event_time", "min")])
            # A null in an identity joins nothing; such a row may change any slice.
            joined = rows.drop_columns("event_time").join(firsts, keys=identity, join_type="left outer")
        except pa.ArrowNotImplementedError as error:
            raise NeedsSpark(f"{table} has an identity of a type that Arrow does not join") from error
        event_us = pc.fill_null(joined["event_time_min"], _BEFORE_ALL)
        return joined.select(["available_time", "loaded_at"]).append_column("event_time", event_us)

    def _rows(self, table: str, later_than: dict[str, int]) -> pa.Table:
        """Of the files that may hold a row later in one of these columns; {}: of all files."""
        files = [file for file in self._files(table) if not later_than or file.may_pass(later_than)]
        return self._columns(table, files)

    def _columns(self, table: str, files: Sequence[DataFile], *, also: Sequence[str] = ()) -> pa.Table:
        """The clocks as µs, and other columns as they are."""
        names = list(dict.fromkeys([*_CLOCKS, *also]))
        rows = self._reader.columns(self._warehouse.address(table).path, names, files=files)
        clocks = {name: rows[name].cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()) for name in _CLOCKS}
        return pa.table({name: clocks.get(name, rows[name]) for name in names})

    def _files(self, table: str) -> tuple[DataFile, ...]:
        return self._described(table, self._published.version(table))

    def _files_of(self, table: str, version: int | None) -> tuple[DataFile, ...]:
        path = self._warehouse.address(table).path
        return () if version is None else self._reader.files(path, version=version, times=_CLOCKS)


def _available(rows: pa.Table, wanted: FactsWanted) -> pa.Table:
    return rows.filter(
        pc.and_(pc.less(rows["event_time"], wanted.as_of_us), pc.less_equal(rows["available_time"], wanted.cut_us))
    )


def _rows_by_date(rows: pa.Table, grain: PartitionBy) -> Counter[str]:
    days = pc.value_counts(pc.floor_temporal(rows["event_time"].cast(pa.timestamp("us", tz="UTC")), unit="day"))
    counts: Counter[str] = Counter()
    for day in days.to_pylist():
        counts[partition_of(to_us(day["values"]), grain)] += day["counts"]
    return counts


def _limits(before: Knowledge) -> dict[str, int]:
    return {"available_time": before.cut_us, "loaded_at": before.loaded_at_us}


def _is_new(rows: pa.Table, before: Knowledge) -> pa.ChunkedArray:
    """Rows of others may have no load; they are new by what is known of them, as in SQL."""
    is_later = pc.greater(rows["available_time"], before.cut_us)
    return pc.or_kleene(is_later, pc.greater(rows["loaded_at"], before.loaded_at_us))


def _first_as_of(rows: pa.Table, delay: int) -> pa.ChunkedArray:
    return pc.max_element_wise(pc.add(rows["event_time"], 1), pc.subtract(rows["available_time"], delay))
