"""What a plan asks of the rows: both ways of counting give what the definitions of S11 and S28 say, row by row."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from deltalake import write_deltalake
from hypothesis import given, settings
from hypothesis import strategies as st

from definitions.durations import instant_us, to_datetime
from definitions.registry import Registry, load
from definitions.sources import Source
from definitions.views import DerivedView
from jobs.build.delta_statistics import DeltaStatistics
from jobs.build.row_statistics import FactsWanted, LaterThan, RowStatistics
from jobs.run.context import Context, Job
from jobs.run.published import PublishedState
from lakehouse.ledger.records import SliceRecord
from lakehouse.ledger.state import LedgerState
from lakehouse.reader import DeltaReader
from lakehouse.tables import Warehouse
from tests.e2e.small.bikes import Bikes

RIDES = "raw/rides/v1"
BEGIN, HOUR, DAY = instant_us("2024-05-30"), 3_600_000_000, 86_400_000_000
DELAYS = (0, 4 * HOUR)


@dataclass(frozen=True)
class Fact:
    event_us: int
    known_us: int
    loaded_us: int


# Hours, and a microsecond beside them, so that ties with a limit are common.
instants = st.builds(lambda hours, more: BEGIN + hours * HOUR + more, st.integers(0, 96), st.integers(-1, 1))
facts = st.builds(Fact, instants, instants, st.sampled_from([BEGIN, BEGIN + DAY, BEGIN + DAY + 1, BEGIN + 3 * DAY]))


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    bikes = Bikes.written(tmp_path_factory.mktemp("statistics") / "counted bikes")
    with bikes.at_home():
        yield load(bikes.package)


def written(root: Path, rows: Sequence[Fact]) -> PublishedState:
    """Raw rides, one file per load and month, and a ledger that knows them."""
    stamp = pa.timestamp("us", tz="UTC")
    table = pa.table(
        {
            "ride_id": pa.array(range(len(rows)), pa.int64()),
            "event_time": pa.array([fact.event_us for fact in rows], pa.int64()).cast(stamp),
            "available_time": pa.array([fact.known_us for fact in rows], pa.int64()).cast(stamp),
            "loaded_at": pa.array([fact.loaded_us for fact in rows], pa.int64()).cast(stamp),
            "event_date": pa.array([month_of(fact.event_us) for fact in rows], pa.date32()),
        }
    )
    loads = sorted({fact.loaded_us for fact in rows})
    for loaded_us in loads:
        part = table.filter(pc.equal(table["loaded_at"], pa.scalar(loaded_us, pa.int64()).cast(stamp)))
        write_deltalake(f"{root}/{RIDES}", part, mode="append", partition_by=["event_date"])
    published = PublishedState(LedgerState())
    published.add([SliceRecord(RIDES, "all", "published", len(rows), table_version=len(loads) - 1)])
    return published


def month_of(us: int) -> date:
    return to_datetime(us).date().replace(day=1)


def grown(statistics: RowStatistics, source: Source, since_us: int) -> dict[int, list[int]]:
    """By cut delay, the as-ofs whose slice holds a row that was loaded since."""
    loads = statistics.loaded_since(source, since_us, delays_us=DELAYS)
    return {
        delay: [us for us in as_ofs() if any(rows.first_as_of_us[delay] <= us for rows in loads)] for delay in DELAYS
    }


def as_ofs() -> list[int]:
    return [BEGIN + hours * HOUR for hours in range(0, 100, 3)]


def expected_growth(rows: Sequence[Fact], since_us: int) -> dict[int, list[int]]:
    def holds(fact: Fact, as_of_us: int, delay: int) -> bool:
        return fact.loaded_us > since_us and fact.event_us < as_of_us and fact.known_us <= as_of_us + delay

    return {delay: [us for us in as_ofs() if any(holds(fact, us, delay) for fact in rows)] for delay in DELAYS}


def is_new(fact: Fact, before: LaterThan) -> bool:
    is_loaded_since = before.loaded_at_us is not None and fact.loaded_us > before.loaded_at_us
    return fact.event_us >= before.event_us or fact.known_us > before.known_us or is_loaded_since


def expected_partitions(rows: Sequence[Fact], wanted: FactsWanted) -> list[int]:
    before = wanted.later_than
    known = [fact for fact in rows if fact.event_us < wanted.as_of_us and fact.known_us <= wanted.cut_us]
    if before is not None:
        known = [fact for fact in known if is_new(fact, before)]
    return sorted({instant_us(month_of(fact.event_us).isoformat()) for fact in known})


later = st.builds(LaterThan, event_us=instants, known_us=instants, loaded_at_us=st.sampled_from([BEGIN, BEGIN + DAY]))
questions = st.builds(FactsWanted, as_of_us=instants, cut_us=instants, later_than=st.one_of(st.none(), later))


@settings(max_examples=60, deadline=None)
@given(st.lists(facts, min_size=1, max_size=12), questions, st.sampled_from([BEGIN - 1, BEGIN, BEGIN + DAY]))
def test_without_spark_the_answers_are_those_of_the_definition(
    registry: Registry, rows: list[Fact], wanted: FactsWanted, since_us: int
) -> None:
    root = Path(tempfile.mkdtemp())
    try:
        statistics = DeltaStatistics(DeltaReader(), Warehouse(str(root)), written(root, rows))
        assert grown(statistics, rides(registry), since_us) == expected_growth(rows, since_us)
        assert sorted(statistics.partitions(trips(registry), wanted)) == expected_partitions(rows, wanted)
    finally:
        shutil.rmtree(root)


def test_spark_gives_the_same_with_one_pass_per_source(
    spark, tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobs.build import spark_statistics
    from jobs.build.spark_statistics import SparkStatistics

    rows = [
        Fact(BEGIN + hours * HOUR, BEGIN + (hours * 7 % 90) * HOUR + hours % 2, BEGIN + (hours % 4) * DAY)
        for hours in range(0, 96, 5)
    ]
    published = written(tmp_path, rows)
    context = Context(spark=spark, warehouse=Warehouse(str(tmp_path)), registry=registry)
    job = Job(context=context, run_id="statistics", leases={}, published=published)
    statistics = SparkStatistics(job)
    opened, read = [], spark_statistics.read
    monkeypatch.setattr(spark_statistics, "read", lambda *args, **how: opened.append(args) or read(*args, **how))
    for since_us in (BEGIN - 1, BEGIN + DAY, BEGIN + 2 * DAY):
        assert grown(statistics, rides(registry), since_us) == expected_growth(rows, since_us)
    assert len(opened) == 1
    assert grown(SparkStatistics(job), rides(registry), BEGIN + DAY) == expected_growth(rows, BEGIN + DAY)
    delta = DeltaStatistics(DeltaReader(), context.warehouse, published)
    for days in (1, 3):
        before = LaterThan(event_us=BEGIN + days * DAY, known_us=BEGIN + DAY, loaded_at_us=BEGIN + DAY)
        wanted = FactsWanted(as_of_us=BEGIN + 3 * DAY, cut_us=BEGIN + 3 * DAY + HOUR, later_than=before)
        counted = statistics.partitions(trips(registry), wanted)
        assert sorted(counted) == sorted(delta.partitions(trips(registry), wanted)) == expected_partitions(rows, wanted)
    everything = FactsWanted(as_of_us=BEGIN + 9 * DAY, cut_us=BEGIN + 9 * DAY, later_than=None)
    assert statistics.partitions(trips(registry), everything) == delta.partitions(trips(registry), everything)
    assert (delta.bytes(RIDES) or 0) > (delta.bytes(RIDES, ["2024-05-01"]) or 0) > 0


def test_nothing_is_known_of_a_table_that_only_spark_can_read(tmp_path: Path) -> None:
    published = PublishedState(LedgerState())
    published.add([SliceRecord(RIDES, "all", "published", 1, table_version=0)])
    assert DeltaStatistics(DeltaReader(), Warehouse("abfss://far/away"), published).bytes(RIDES) is None


def rides(registry: Registry) -> Source:
    source = registry.by_key[RIDES]
    assert isinstance(source, Source)
    return source


def trips(registry: Registry) -> DerivedView:
    view = registry.by_key["derived/trips/v1"]
    assert isinstance(view, DerivedView)
    return view
