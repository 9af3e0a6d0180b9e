"""What a plan asks of the rows: both ways of counting give what the definitions of S11 and S28 say, row by row."""

import shutil
import tempfile
from collections import Counter
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
from jobs.build.statistics.delta import DeltaStatistics
from jobs.build.statistics.questions import FactsWanted, Knowledge, RowStatistics
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
    ride: int = 0


# Hours, and a microsecond beside them, so that ties with a limit are common.
instants = st.builds(lambda hours, more: BEGIN + hours * HOUR + more, st.integers(0, 96), st.integers(-1, 1))
facts = st.builds(
    Fact, instants, instants, st.sampled_from([BEGIN, BEGIN + DAY, BEGIN + DAY + 1, BEGIN + 3 * DAY]), st.integers(0, 3)
)


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
            "ride_id": pa.array([fact.ride for fact in rows], pa.int64()),
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


def grown(statistics: RowStatistics, source: Source, since_us: int, *, has_versions: bool) -> dict[int, list[int]]:
    """By cut delay, the as-ofs whose slice a row that was loaded since can change."""
    loads = statistics.loaded_since(source, since_us, delays_us=DELAYS, has_versions=has_versions)
    return {
        delay: [us for us in as_ofs() if any(rows.first_as_of_us[delay] <= us for rows in loads)] for delay in DELAYS
    }


def as_ofs() -> list[int]:
    return [BEGIN + hours * HOUR for hours in range(0, 100, 3)]


def expected_growth(rows: Sequence[Fact], since_us: int, *, has_versions: bool) -> dict[int, list[int]]:
    def changes(fact: Fact, as_of_us: int, delay: int) -> bool:
        of_fact = [other for other in rows if other.ride == fact.ride] if has_versions else [fact]
        is_known = fact.loaded_us > since_us and fact.known_us <= as_of_us + delay
        return is_known and any(version.event_us < as_of_us for version in of_fact)

    return {delay: [us for us in as_ofs() if any(changes(fact, us, delay) for fact in rows)] for delay in DELAYS}


def is_new(fact: Fact, before: Knowledge) -> bool:
    return fact.known_us > before.cut_us or fact.loaded_us > before.loaded_at_us


def expected_partitions(rows: Sequence[Fact], wanted: FactsWanted) -> dict[int, int]:
    """By partition all rows that are available, of the partitions where one of them is new or late enough."""
    known = [fact for fact in rows if fact.event_us < wanted.as_of_us and fact.known_us <= wanted.cut_us]
    before = wanted.before
    changed = [f for f in known if before is None or is_new(f, before) or f.event_us >= wanted.from_us]
    counts = Counter(partition_us(fact) for fact in known)
    return {day: counts[day] for day in sorted({partition_us(fact) for fact in changed})}


def partition_us(fact: Fact) -> int:
    return instant_us(month_of(fact.event_us).isoformat())


def expected_first(rows: Sequence[Fact], before: Knowledge, cut_us: int) -> int | None:
    return min((fact.event_us for fact in rows if fact.known_us <= cut_us and is_new(fact, before)), default=None)


knowledge = st.builds(Knowledge, cut_us=instants, loaded_at_us=st.sampled_from([BEGIN, BEGIN + DAY]))
questions = st.builds(
    FactsWanted, as_of_us=instants, cut_us=instants, before=st.one_of(st.none(), knowledge), from_us=instants
)


@settings(max_examples=60, deadline=None)
@given(st.lists(facts, min_size=1, max_size=12), questions, st.sampled_from([BEGIN - 1, BEGIN, BEGIN + DAY]))
def test_without_spark_the_answers_are_those_of_the_definition(
    registry: Registry, rows: list[Fact], wanted: FactsWanted, since_us: int
) -> None:
    root = Path(tempfile.mkdtemp())
    try:
        warehouse, published, source = Warehouse(str(root)), written(root, rows), rides(registry)
        statistics = DeltaStatistics(DeltaReader(), warehouse, published)
        counting = DeltaStatistics(DeltaReader(), warehouse, published, counts_rows=True)
        for has_versions in (True, False):
            expected = expected_growth(rows, since_us, has_versions=has_versions)
            assert grown(statistics, source, since_us, has_versions=has_versions) == expected
        assert counting.partitions(source, wanted) == expected_partitions(rows, wanted)
        assert list(statistics.partitions(source, wanted)) == list(expected_partitions(rows, wanted))
        before = wanted.before or Knowledge(cut_us=BEGIN, loaded_at_us=BEGIN)
        first = statistics.first_new_event(source, before, cut_us=wanted.cut_us)
        assert first == expected_first(rows, before, wanted.cut_us)
    finally:
        shutil.rmtree(root)


def test_spark_gives_the_same_with_one_pass_per_source(
    spark, tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobs.build.statistics import spark as spark_statistics
    from jobs.build.statistics.spark import SparkStatistics

    rows = [
        Fact(BEGIN + hours * HOUR, BEGIN + (hours * 7 % 90) * HOUR + hours % 2, BEGIN + (hours % 4) * DAY, hours % 7)
        for hours in range(0, 96, 5)
    ]
    published, source = written(tmp_path, rows), rides(registry)
    context = Context(spark=spark, warehouse=Warehouse(str(tmp_path)), registry=registry)
    job = Job(context=context, run_id="statistics", leases={}, published=published)
    statistics = SparkStatistics(job)
    opened, read = [], spark_statistics.read
    monkeypatch.setattr(spark_statistics, "read", lambda *args, **how: opened.append(args) or read(*args, **how))
    for since_us in (BEGIN - 1, BEGIN + DAY, BEGIN + 2 * DAY):
        expected = expected_growth(rows, since_us, has_versions=False)
        assert grown(statistics, source, since_us, has_versions=False) == expected
    assert len(opened) == 1
    expected = expected_growth(rows, BEGIN + DAY, has_versions=True)
    assert grown(SparkStatistics(job), source, BEGIN + DAY, has_versions=True) == expected
    before = Knowledge(cut_us=BEGIN + DAY, loaded_at_us=BEGIN + DAY)
    for known in (before, None):
        wanted = FactsWanted(
            as_of_us=BEGIN + 3 * DAY, cut_us=BEGIN + 3 * DAY + HOUR, before=known, from_us=BEGIN + 2 * DAY
        )
        assert statistics.partitions(source, wanted) == expected_partitions(rows, wanted)
    for cut_us in (BEGIN, BEGIN + 2 * DAY):
        assert statistics.first_new_event(source, before, cut_us=cut_us) == expected_first(rows, before, cut_us)
    delta = DeltaStatistics(DeltaReader(), context.warehouse, published)
    assert statistics.dates(RIDES) == delta.dates(RIDES) == {month_of(fact.event_us).isoformat() for fact in rows}
    assert statistics.dates("derived/not_there/v1") == delta.dates("derived/not_there/v1") == set()
    assert (delta.bytes(RIDES) or 0) > (delta.bytes(RIDES, ["2024-05-01"]) or 0) > 0


def test_nothing_is_known_of_a_table_that_only_spark_can_read(tmp_path: Path) -> None:
    published = PublishedState(LedgerState())
    published.add([SliceRecord(RIDES, "all", "published", 1, table_version=0)])
    assert DeltaStatistics(DeltaReader(), Warehouse("abfss://far/away"), published).bytes(RIDES) is None


def rides(registry: Registry) -> Source:
    source = registry.by_key[RIDES]
    assert isinstance(source, Source)
    return source
