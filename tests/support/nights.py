"""A project of a few rows in a folder: delivered to, built at a stated clock, its ledger lost, its tables read.

Tables are read by Delta's other implementation. Builds run on the session of the tests.
"""

import csv
import shutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from definitions.durations import instant_us, to_us
from definitions.registry import Registry
from jobs.build.job import build
from jobs.build.plan import Plan
from jobs.build.without_spark import PlanContext, plan_without_spark, unchanged_without_spark
from jobs.run.context import Context, Options
from jobs.run.outcome import RunOutcome
from jobs.run.request import Request, new_run_id
from lakehouse.files.location import Location
from lakehouse.tables import Warehouse
from quality import RowRule
from tests.support.night_definitions import rides, status, taps

COLUMNS = {source.name: [column.name for column in source.columns] for source in (rides, status, taps)}
_TIMES = ("started_at", "recorded_at", "since", "told_at", "at")
_WIDE = RowRule(may_shrink=1.0, may_grow=1e9)
Row = Mapping[str, Any]


@dataclass
class NightProject:
    """Delivered files and a warehouse. `registry` is what the next build's definitions are.

    In a folder that is there already it is the project that another process has begun.
    """

    folder: Path
    registry: Registry
    deliveries: int = 0
    _options: Options = field(default_factory=lambda: Options(workers=2, data_may_lag="3650d", row_rule=_WIDE))

    def __post_init__(self) -> None:
        if not self.folder.exists():
            for name in COLUMNS:
                (self.folder / "data" / name).mkdir(parents=True)
                self.deliver(name)  # an empty file: nothing was delivered yet

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(str(self.folder / "warehouse"))

    @property
    def locations(self) -> dict[str, Location]:
        formats = {"rides": "csv", "status": "csv", "taps": "parquet"}
        return {name: Location(str(self.folder / "data" / name), kind) for name, kind in formats.items()}

    def deliver(self, source: str, *rows: Sequence[Any]) -> Path:
        """One more file in a source's folder, and where it is; a row has the source's columns in order, None: null.

        Each file has a column `bike` more, which no source declares at first.
        """
        self.deliveries += 1
        path = self.folder / "data" / source / f"{self.deliveries:04d}.{self.locations[source].format}"
        named = [dict(zip(COLUMNS[source], map(_written, row), strict=True)) for row in rows]
        named = [{**row, "bike": f"b{row.get('ride_id')}"} for row in named]
        if source == "taps":
            at = pa.array([row["at"] and datetime.fromisoformat(row["at"]) for row in named], pa.timestamp("us", "UTC"))
            riders = pa.array([row["rider_id"] for row in named], pa.string())
            amounts = pa.array([row["amount"] for row in named], pa.int64())
            bikes = pa.array([row["bike"] for row in named], pa.string())
            columns = {"rider_id": riders, "at": at, "amount": amounts, "bike": bikes}
            pq.write_table(pa.table(columns), path)
            return path
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, [*COLUMNS[source], "bike"])
            writer.writeheader()
            writer.writerows(named)
        return path

    def build(self, spark: SparkSession, at: str, *as_ofs: str, select: str = "", is_live: bool = False) -> RunOutcome:
        """As the command does: without Spark where there is nothing to do, else with it."""
        request = _request(as_ofs, select)
        now = moment(at)
        done = unchanged_without_spark(self.plan_context, request, now=now, run_id=new_run_id(now))
        context = self.context(spark, now)
        outcome = done or build(replace(context, options=replace(context.options, is_live=is_live)), request)
        if outcome.error is not None:
            raise outcome.error
        return outcome

    def plan(self, at: str, *as_ofs: str, select: str = "") -> Plan:
        return plan_without_spark(self.plan_context, _request(as_ofs, select), now=moment(at))

    def context(self, spark: SparkSession, now: datetime) -> Context:
        return Context(
            spark=spark,
            warehouse=self.warehouse,
            registry=self.registry,
            locations=self.locations,
            options=self._options,
            clock=lambda: now,
        )

    @property
    def plan_context(self) -> PlanContext:
        return PlanContext(
            warehouse=self.warehouse,
            registry=self.registry,
            locations=self.locations,
            data_may_lag=self._options.data_may_lag,
        )

    def lose_ledger(self) -> None:
        shutil.move(self.warehouse.runs.path, f"{self.folder}/lost-{uuid.uuid4().hex}")

    def rows(self, key: str) -> list[dict[str, Any]]:
        return [dict(row) for row in DeltaTable(f"{self.warehouse.root}/{key}").to_pyarrow_table().to_pylist()]

    def snapshot(self, view: str, as_of: str) -> dict[str, dict[str, Any]]:
        """The rows of one as-of by rider."""
        at = moment(as_of)
        return {row["rider_id"]: row for row in self.rows(f"aggregate/{view}/v1") if row["event_time"] == at}

    def versions(self) -> dict[str, int]:
        return {table.key: DeltaTable(table.path).version() for table in self.warehouse.published_tables()}


def moment(text: str) -> datetime:
    """`2024-03-04`, or `03-04T05:00` of 2024, in UTC."""
    full = text if text.startswith("20") else f"2024-{text}"
    return datetime.fromisoformat(full).replace(tzinfo=UTC)


def moment_us(text: str) -> int:
    return to_us(moment(text))


def _request(as_ofs: Sequence[str], select: str) -> Request:
    instants = tuple(instant_us(moment(as_of).isoformat()) for as_of in as_ofs)
    return Request(command="build", as_ofs_us=instants, select=tuple(select.split()))


def _written(value: Any) -> Any:
    """Times of 2024 as `03-04T05:00`."""
    if isinstance(value, bool):
        return str(value).lower()
    is_time = isinstance(value, str) and len(value) in (5, 11) and value[2] == "-"
    return moment(value).isoformat() if is_time else value
