"""A small nightly run of one table, as jobs make it: recovered ledger, lease, stage, publish, ledger, release.

`main` joins the Spark of the test that calls it in another process, so that killing it costs no new Spark. As a
program, `nightly.py WAREHOUSE RUN_ID ROWS`, it starts its own.
"""

import os
import sys
from datetime import UTC, datetime

from lakehouse.commits import CommitNote, Published, SliceNote, replace_slices, slices_at, stage
from lakehouse.leases.leases import LeaseDesk
from lakehouse.ledger.ledger import Ledger
from lakehouse.ledger.records import Run, SliceRecord, StepRecord
from lakehouse.tables import Warehouse, read

T = datetime(2017, 11, 30, tzinfo=UTC)
SLICE = "2017-11-30T00:00:00Z"
TABLE = "aggregate/household_spend/v1"


def households(spark, rows: int):
    return spark.range(rows).selectExpr(
        "id as household_id",
        "timestamp'2017-11-30T00:00:00Z' as event_time",
        "date'2017-11-30' as event_date",
        "cast(id * 2 as double) as spend",
    )


def note(run_id: str, rows: int, *, piece: str = SLICE) -> CommitNote:
    pieces = {piece: SliceNote(rows, f"hash of {rows}")}
    return CommitNote(run_id, "household_spend", "fp1", {"raw/transactions/v1": 3}, pieces)


def publish_households(spark, warehouse: Warehouse, lease, rows: int) -> Published:
    staged = stage(
        households(spark, rows),
        warehouse.staging(lease.run_id, "household_spend"),
        partition_by=["event_date"],
    )
    return replace_slices(
        spark, read(spark, staged.path, version=staged.version), warehouse.address(TABLE),
        predicate=slices_at([T]), partition_by=["event_date"], sort_by=["household_id"],
        lease=lease, note=note(lease.run_id, rows),
    )  # fmt: skip


def run_night(spark, root: str, run_id: str, rows: int) -> str:
    """'published', or 'unchanged' where the ledger knows that the table holds these rows."""
    warehouse = Warehouse(root)
    ledger = Ledger.open(spark, warehouse)
    ledger.recover()
    known = ledger.state().published.get((TABLE, SLICE))
    run = Run(run_id, "build")
    with LeaseDesk.at(warehouse.leases, run_id=run_id).acquire_all([TABLE]) as leases:
        ledger.start(run)
        if known is not None and known.hash == f"hash of {rows}":
            status, version = "unchanged", known.table_version
        else:
            status = "published"
            version = publish_households(spark, warehouse, leases[TABLE], rows).version
        piece = SliceRecord(
            TABLE, SLICE, status, rows, f"hash of {rows}", version,
            fingerprint="fp1", inputs={"raw/transactions/v1": 3},
        )  # fmt: skip
        step = StepRecord(TABLE, status, rows_in=rows, rows_out=rows, seconds=0.5, table_version=version)
        ledger.finish(run, steps=[step], slices=[piece], status="done")
        ledger.release(run_id, {TABLE: version}, as_of=[SLICE], slices={TABLE: [SLICE]})
    return status


def joined_spark(port: str, secret: str):
    os.environ.update(PYSPARK_GATEWAY_PORT=port, PYSPARK_GATEWAY_SECRET=secret)
    from pyspark import SparkContext
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    gateway = launch_gateway()
    running = gateway.jvm.org.apache.spark.SparkContext.getOrCreate()
    context = SparkContext(gateway=gateway, jsc=gateway.jvm.JavaSparkContext.fromSparkContext(running))
    return SparkSession(context)


def own_spark():
    from lakehouse.session.start import SessionSettings, open_session

    return open_session(SessionSettings(master="local[2]", driver_memory="1g", shuffle_partitions=2))


def main(root: str, run_id: str, rows: str, *gateway: str) -> None:
    run_night(joined_spark(*gateway) if gateway else own_spark(), root, run_id, int(rows))


if __name__ == "__main__":
    main(*sys.argv[1:])
