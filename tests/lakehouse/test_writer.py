"""Commits made without Spark are what Spark would have made: rows, history, properties, transactions, checksums."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, Schema
from deltalake.exceptions import DeltaError
from py4j.protocol import Py4JError

from lakehouse import writer
from lakehouse.checksums import fits_checksum
from lakehouse.commits import TABLE_PROPERTIES, replace_slices
from lakehouse.leases.leases import LeaseDesk
from lakehouse.reader import DeltaReader, NeedsSpark
from lakehouse.slices import WholeSlices
from lakehouse.small_tables import replace_slices_by_rows
from lakehouse.tables import Warehouse, _history_by_spark, history, read
from lakehouse.writer import MOST_ROWS, SmallCommit, write
from tests.lakehouse.nightly import note

T, NOON = datetime(2017, 11, 30, tzinfo=UTC), datetime(2017, 11, 30, 12, tzinfo=UTC)
NEXT = datetime(2017, 12, 1, 23, 59, 59, 999_999, tzinfo=UTC)
SCHEMA = pa.schema(
    [
        ("household_id", pa.int64()),
        ("event_time", pa.timestamp("us", tz="UTC")),
        ("event_date", pa.date32()),
        ("code", pa.string()),
        ("is_member", pa.bool_()),
        ("visits", pa.int32()),
        ("spend", pa.float64()),
        ("cents", pa.decimal128(12, 2)),
        ("exact", pa.decimal128(38, 0)),
        ("raw", pa.binary()),
        ("words", pa.list_(pa.string())),
    ]
)


def rows(*instants: datetime, first: int = 0) -> pa.Table:
    """A row with a value in every column, and one with none, for each instant."""
    full = {"code": "é'", "is_member": True, "visits": -1, "spend": -0.0, "cents": Decimal("-1.50"),
            "exact": Decimal(10**37), "raw": b"\0\xff", "words": ["a", None]}  # fmt: skip
    found = []
    for number, at in enumerate(instants):
        keys = {"event_time": at, "event_date": at.date()}
        found.append({"household_id": first + 2 * number, **keys, **full})
        found.append({"household_id": first + 2 * number + 1, **keys, **dict.fromkeys(full)})
    return pa.Table.from_pylist(found, schema=SCHEMA)


def commit(content: pa.Table, version: int, *, at: tuple[datetime, ...] = (), **other) -> SmallCommit:
    replaces = WholeSlices.of_instants(at) if at else None
    return SmallCommit(
        rows=content, transaction=("app", version), properties=TABLE_PROPERTIES, partition_by=["event_date"],
        replaces=replaces, **other,
    )  # fmt: skip


def content(path: Path | str) -> list[dict]:
    return sorted(DeltaReader().rows(str(path)), key=lambda row: row["household_id"])


def statistics(table: Path, version: int) -> list[dict]:
    log = (table / f"_delta_log/{version:020d}.json").read_text("utf-8")
    actions = [json.loads(line) for line in log.splitlines()]
    return [json.loads(action["add"]["stats"]) for action in actions if "add" in action]


def test_rows_come_back_as_they_were_written(tmp_warehouse: Path) -> None:
    table = tmp_warehouse / "it's `quoted` [here] é"
    write(str(table), commit(rows(T, NEXT), 1))
    write(str(table), commit(rows(NOON, first=10), 2))
    assert content(table) == [*rows(T, NEXT).to_pylist(), *rows(NOON, first=10).to_pylist()]


def test_readers_that_skip_files_by_their_statistics_find_every_row(tmp_warehouse: Path) -> None:
    table = tmp_warehouse / "t"
    write(str(table), commit(rows(T, NOON), 0))
    dataset = DeltaTable(str(table)).to_pyarrow_dataset()
    for name, value in {"code": "é'", "visits": -1, "cents": Decimal("-1.50"), "spend": 0.0}.items():
        assert dataset.to_table(filter=pc.field(name) == value).num_rows == 2, name
        assert dataset.to_table(filter=pc.field(name).is_null()).num_rows == 2, name


def test_a_transaction_that_is_in_already_adds_nothing(tmp_warehouse: Path) -> None:
    for version in (3, 3, 2, 0):
        write(str(tmp_warehouse), commit(rows(T), version))
    assert DeltaReader().version(str(tmp_warehouse)) == 0


def test_transaction_zero_is_a_transaction(tmp_warehouse: Path) -> None:
    for _ in range(2):
        write(str(tmp_warehouse), commit(rows(T), 0))
    assert DeltaReader().version(str(tmp_warehouse)) == 0


def test_slices_are_replaced_whole_and_others_stay(tmp_warehouse: Path) -> None:
    write(str(tmp_warehouse), commit(rows(T), 1))
    write(str(tmp_warehouse), commit(rows(NOON, first=10), 2))
    write(str(tmp_warehouse), commit(rows(NEXT, first=20), 3))
    write(str(tmp_warehouse), commit(rows(NOON, NEXT, first=30), 4, at=(NOON, NEXT)))
    assert content(tmp_warehouse) == [*rows(T).to_pylist(), *rows(NOON, NEXT, first=30).to_pylist()]


def test_a_slice_is_replaced_by_nothing(tmp_warehouse: Path) -> None:
    write(str(tmp_warehouse), commit(rows(T, NEXT), 1))
    write(str(tmp_warehouse), commit(rows(), 2, at=(T,)))
    assert content(tmp_warehouse) == rows(T, NEXT).to_pylist()[2:]


def test_a_table_may_begin_without_rows(tmp_warehouse: Path) -> None:
    write(str(tmp_warehouse), commit(rows(), 1))
    assert content(tmp_warehouse) == []


def test_files_tell_their_times_and_nothing_that_could_be_wrong(tmp_warehouse: Path) -> None:
    write(str(tmp_warehouse), commit(rows(T), 1))
    write(str(tmp_warehouse), commit(rows(NEXT), 2))
    found = [statistics(tmp_warehouse, version)[0] for version in (0, 1)]
    bounds = {"event_time": "2017-11-30T00:00:00.000Z", "code": "é'", "visits": -1, "spend": 0.0, "cents": -1.5}
    assert found[0]["minValues"] == {"household_id": 0} | bounds
    assert found[0]["maxValues"] == {"household_id": 1} | bounds
    assert (found[0]["numRecords"], found[0]["nullCount"]["event_time"], found[0]["nullCount"]["code"]) == (2, 0, 1)
    # Cut to the millisecond, as Spark cuts it.
    assert found[1]["maxValues"]["event_time"] == "2017-12-01T23:59:59.999Z"


def test_long_texts_have_bounds_around_them_and_infinities_none(tmp_warehouse: Path) -> None:
    """Readers that skip files by bounds find the texts. JSON has no infinity."""
    text, last = "x" * 33, "z" * 32 + "\U0010ffff"
    drawn = rows(T, NOON).to_pylist()
    drawn[0] |= {"spend": float("inf"), "code": text}
    drawn[1] |= {"code": "y" * 33}
    drawn[2] |= {"code": "y" * 32 + "z"}
    write(str(tmp_warehouse), commit(pa.Table.from_pylist(drawn[:3], schema=SCHEMA), 1))
    (found,) = statistics(tmp_warehouse, 0)
    low, high = found["minValues"], found["maxValues"]
    assert (low["code"], high["code"]) == ("x" * 32, "y" * 32 + "\U0010ffff")
    assert low["code"] < text
    assert high["code"] > "y" * 32 + "z"
    assert "spend" not in {*low, *high}
    dataset = DeltaTable(str(tmp_warehouse)).to_pyarrow_dataset()
    assert dataset.to_table(filter=pc.field("code") == text).num_rows == 1
    drawn[3] |= {"code": last}  # above which no text is
    write(str(tmp_warehouse), commit(pa.Table.from_pylist(drawn[3:], schema=SCHEMA), 2))
    assert "code" not in statistics(tmp_warehouse, 1)[0]["maxValues"]


def test_every_file_has_hadoops_checksum_and_every_page_its_own(tmp_warehouse: Path) -> None:
    """The first outlives no copy; then that of the page tells that a byte is another."""
    write(str(tmp_warehouse), commit(rows(T), 1))
    write(str(tmp_warehouse), commit(rows(NOON), 2))
    files = [*tmp_warehouse.rglob("*.parquet"), *tmp_warehouse.rglob("*.json")]
    assert len(files) == 4
    for file in files:
        kept = file.with_name(f".{file.name}.crc")
        assert kept.read_bytes()[:8] == b"crc\0\0\0\2\0", file  # 512 bytes a sum, as Hadoop writes it
        blocks = -(-file.stat().st_size // 512)
        assert (len(kept.read_bytes()), fits_checksum(file)) == (8 + 4 * blocks, True)
        whole = file.read_bytes()
        for at in (0, len(whole) // 2, len(whole) - 1):
            file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            assert not fits_checksum(file), (file, at)
        file.write_bytes(whole)
        kept.write_bytes(b"crc\0\0\0\0\0")  # no length of a block
        assert not fits_checksum(file)
        kept.unlink()
        assert fits_checksum(file)
    data = files[0]
    footer = int.from_bytes(data.read_bytes()[-8:-4], "little") + 8
    damaged = bytearray(data.read_bytes())
    damaged[len(damaged) - footer - 1] ^= 1  # the last byte of the last page
    data.write_bytes(damaged)
    with pytest.raises(OSError, match=r"checksum|CRC"):
        pq.read_table(data, page_checksum_verification=True, partitioning=None)


def test_slices_are_days_and_instants_in_utc() -> None:
    """Whatever zone an instant is written in; the predicate that Spark is given says the same to the microsecond."""
    tokyo = timezone(timedelta(hours=9))
    last = datetime(2017, 12, 1, 8, 59, 59, 999_999, tzinfo=tokyo)  # of 30 November
    assert WholeSlices.of_days([last]).dates == (date(2017, 11, 30),)
    both = WholeSlices.of_instants([last, NEXT, NEXT])
    assert both.dates == (date(2017, 11, 30), date(2017, 12, 1))
    assert both.predicate == (
        "event_date in (date'2017-11-30', date'2017-12-01') and event_time in "
        "(timestamp'2017-11-30T23:59:59.999999Z', timestamp'2017-12-01T23:59:59.999999Z')"
    )
    assert WholeSlices.of_days([T]).predicate == "event_date in (date'2017-11-30')"
    drawn = rows(T, last.astimezone(UTC), NEXT)
    assert both.rows_of(drawn)["household_id"].to_pylist() == [2, 3, 4, 5]
    assert WholeSlices.of_days([T]).rows_of(drawn)["household_id"].to_pylist() == [0, 1, 2, 3]


def test_rows_outside_the_slices_that_they_replace_are_refused_before_anything_is_written(tmp_warehouse: Path) -> None:
    warehouse = Warehouse(str(tmp_warehouse))
    table, only = warehouse.address("aggregate/x/v1"), WholeSlices.of_instants([T])
    with (
        LeaseDesk.at(warehouse.leases, run_id="run-a").acquire(table.key) as lease,
        pytest.raises(ValueError, match="2 of 4 rows lie outside the slices"),
    ):
        replace_slices_by_rows(
            None, rows(T, NOON), table, replaces=only, sort_by=[], lease=lease, note=note("run-a", 4)
        )
    assert not Path(table.path).exists()


OTHER_COLUMN = rows(T).append_column("more", pa.array([1, 2]))
OTHER_TYPE = rows(T).set_column(0, "household_id", pa.array(["a", "b"]))
LOCAL_TIME = rows(T).append_column("at", pa.array([datetime(2024, 1, 1)] * 2, pa.timestamp("us")))
NO_DATE = rows(T).set_column(2, "event_date", pa.array([None, date(2017, 11, 30)], pa.date32()))


@pytest.mark.parametrize("content_", [OTHER_COLUMN, OTHER_TYPE, OTHER_TYPE.drop(["code"]), LOCAL_TIME, NO_DATE])
def test_what_it_does_not_write_is_left_to_spark_with_the_table_untouched(tmp_warehouse: Path, content_) -> None:
    write(str(tmp_warehouse), commit(rows(T), 1))
    with pytest.raises(NeedsSpark):
        write(str(tmp_warehouse), commit(content_, 2))
    assert DeltaReader().version(str(tmp_warehouse)) == 0
    assert content(tmp_warehouse) == rows(T).to_pylist()


def test_many_rows_other_places_and_slices_in_a_file_with_others_are_left_to_spark(tmp_warehouse: Path) -> None:
    write(str(tmp_warehouse / "a"), commit(rows(T, NOON), 1))
    many = pa.table({"household_id": range(MOST_ROWS + 1)})
    for path, asked in (
        (tmp_warehouse / "a", commit(rows(NOON), 2, at=(NOON,))),
        (tmp_warehouse / "many", SmallCommit(rows=many, transaction=("app", 1), properties={})),
        (tmp_warehouse / "50%", commit(rows(T), 1)),
        ("s3://bucket/a", commit(rows(T), 1)),
        ("hdfs://host/a", commit(rows(T), 1)),
    ):
        with pytest.raises(NeedsSpark):
            write(str(path), asked)
    assert content(tmp_warehouse / "a") == rows(T, NOON).to_pylist()
    assert not (tmp_warehouse / "many").exists()


@pytest.mark.parametrize(
    "feature",
    [{"delta.enableDeletionVectors": "true"}, {"delta.appendOnly": "true"}, {"delta.columnMapping.mode": "name"}],
)
def test_tables_with_features_are_left_to_spark(tmp_warehouse: Path, feature: dict) -> None:
    schema = Schema.from_arrow(SCHEMA)
    DeltaTable.create(str(tmp_warehouse), schema, partition_by=["event_date"], configuration=feature)
    with pytest.raises(NeedsSpark):
        write(str(tmp_warehouse), commit(rows(T), 2, at=(T,)))


def test_a_commit_that_comes_between_is_never_overwritten(tmp_warehouse: Path) -> None:
    write(str(tmp_warehouse), commit(rows(T), 1))
    looked_at = DeltaTable(str(tmp_warehouse))
    write(str(tmp_warehouse), commit(rows(NOON, first=10), 2))
    for stale in (looked_at, None):
        with pytest.raises(DeltaError):
            writer._write(tmp_warehouse, stale, commit(rows(NEXT, first=20), 3))
    assert content(tmp_warehouse) == [*rows(T).to_pylist(), *rows(NOON, first=10).to_pylist()]
    looked_at = DeltaTable(str(tmp_warehouse))
    foreign = DeltaTable(str(tmp_warehouse))
    foreign.create_write_transaction([], "append", Schema.from_arrow(SCHEMA), ["event_date"])  # of no transaction
    with pytest.raises(DeltaError):
        writer._write(tmp_warehouse, looked_at, commit(rows(NEXT, first=20), 3))


def test_every_tenth_version_has_a_checkpoint_from_which_the_table_is_read(tmp_warehouse: Path) -> None:
    for version in range(11):
        write(str(tmp_warehouse), commit(rows(T, first=10 * version), version))
    log = tmp_warehouse / "_delta_log"
    assert json.loads((log / "_last_checkpoint").read_text())["version"] == 10
    for old in log.glob("0*.json"):
        if old.stem < f"{10:020d}":
            old.unlink()
    assert len(content(tmp_warehouse)) == 22


def test_spark_and_this_process_take_turns_at_one_table(spark, tmp_warehouse: Path) -> None:
    """More than two checkpoints, made by both; every version reads alike, and so do history and properties."""
    path, expected = str(tmp_warehouse / "turns"), []
    for version in range(23):
        batch, at = rows(T, NEXT, first=100 * version), (T, NEXT)
        before = expected[-1] if expected else []
        if version % 5 == 3:  # Spark replaces a part of what this process wrote
            batch, at, where = batch.slice(2), (NEXT,), WholeSlices.of_instants([NEXT]).predicate
            writer = spark.createDataFrame(batch).write.format("delta").mode("overwrite").option("replaceWhere", where)
            writer.options(txnAppId="app", txnVersion=str(version)).save(path)
        else:
            at = at if version % 2 else ()
            write(path, commit(batch, version, at=at, note=f"n {version}"))
        expected.append([*(row for row in before if row["event_time"] not in at), *batch.to_pylist()])
    for version in (3, 9, 10, 19, 20, 22):
        found = read(spark, path, version=version).toArrow().to_pylist()
        assert sorted(found, key=_key) == sorted(expected[version], key=_key)
    assert content(path) == sorted(expected[22], key=_key)
    assert history(spark, path, limit=23) == _history_by_spark(spark, path, limit=23)
    detail = spark.sql(f"describe detail delta.`{path}`").first()
    assert (detail["minReaderVersion"], detail["minWriterVersion"], detail["partitionColumns"]) == (
        1,
        2,
        ["event_date"],
    )
    assert {name: detail["properties"][name] for name in TABLE_PROPERTIES} == TABLE_PROPERTIES
    exact = read(spark, path).where("exact = 10000000000000000000000000000000000000 and household_id >= 2200")
    assert exact.count() == 2  # no statistics of a file may hide them
    assert read(spark, path).where("event_time >= timestamp'2017-12-01T23:59:59.999999Z'").count() == 4


def _key(row: dict) -> int:
    return row["household_id"]


def test_both_ways_make_the_same_table(spark, tmp_warehouse: Path) -> None:
    warehouse = Warehouse(str(tmp_warehouse))
    batch, where, found = rows(T, NEXT), WholeSlices.of_instants([T, NEXT]), []
    for is_here in (True, False):
        table, frame = warehouse.address(f"aggregate/{'here' if is_here else 'spark'}/v1"), spark.createDataFrame(batch)
        with LeaseDesk.at(warehouse.leases, run_id="run-a").acquire(table.key) as lease:
            said = {"lease": lease, "note": note("run-a", 4)}
            if is_here:
                replace_slices_by_rows(spark, batch, table, replaces=where, sort_by=["household_id"], **said)
            else:
                slices = {"predicate": where.predicate, "partition_by": ["event_date"], "sort_by": ["household_id"]}
                replace_slices(spark, frame, table, **slices, **said)
        published = read(spark, table.path)
        files = [(Path(uri).parent.name, uri.endswith(".snappy.parquet")) for uri in DeltaTable(table.path).file_uris()]
        found.append((published.schema, sorted(map(str, published.collect())), metadata(table.path), sorted(files)))
    assert found[0] == found[1]


def metadata(path: str) -> tuple:
    table = DeltaTable(path)
    protocol = table.protocol()
    return (
        table.metadata().configuration,
        table.metadata().partition_columns,
        (protocol.min_reader_version, protocol.min_writer_version),
        json.loads(table.schema().to_json()),
    )


def test_spark_finds_a_flipped_byte_in_a_file_and_so_does_this_process(spark, tmp_warehouse: Path) -> None:
    by_spark, here = tmp_warehouse / "by spark", tmp_warehouse / "here"
    spark.createDataFrame(rows(T)).write.format("delta").partitionBy("event_date").save(str(by_spark))
    write(str(here), commit(rows(T), 1))
    for table in (by_spark, here):
        file = next(table.rglob("*.parquet"))
        assert fits_checksum(file)
        assert file.with_name(f".{file.name}.crc").exists()
        damaged = bytearray(file.read_bytes())
        damaged[len(damaged) // 2] ^= 1
        file.write_bytes(damaged)
        assert not fits_checksum(file)
        with pytest.raises(Py4JError, match="ChecksumException"):
            read(spark, str(table)).collect()
