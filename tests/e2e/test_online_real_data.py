"""The shipped services scored and served: batch frame, online store and published snapshot agree, bit for bit (S32)."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from definitions.durations import instant_us
from definitions.errors import NotReleased
from definitions.registry import key_of
from definitions.types import arrow_type
from jobs.export.job import ExportOutcome
from online_store.answer import State, answer
from online_store.embedded.store import EmbeddedStore
from online_store.store import SnapshotReader
from tests.e2e.oracle.joined import Published, unlike
from tests.e2e.small.bikes import PROJECT_ROOT
from ziggurat.settings import store_settings

AS_OF = "2017-11-30"
OUT = "2017-11-30T04:00:00Z"  # after the four hours that baskets and redemptions take to land
INSTANT = pa.timestamp("us", tz="UTC")
NEVER_SEEN = 10_000_000
ENGINES = ("pyspark", "pandas", "pyarrow", "numpy", "sqlglot", "great_expectations", "delta", "jobs", "compute")


@pytest.fixture(scope="module")
def published(groceries) -> Published:
    return Published(groceries.table)


@pytest.fixture(scope="module")
def scored(groceries) -> pa.Table:
    return groceries.workspace.batch_frame("churn_v1", as_of=AS_OF).toArrow()


def selections(groceries, service: str = "churn_v1"):
    return groceries.workspace.registry.service(service).features


def test_a_batch_frame_holds_the_published_snapshots_in_the_services_order(groceries, published, scored) -> None:
    """Whoever was seen by then is in it, once; what has no row of this as-of is of an older one, and says so."""
    service = groceries.workspace.registry.service("churn_v1")
    ages = [f"{selection.name}__age" for selection in service.features]
    assert scored.column_names == ["household_id", "label_time", *(c.name for c in service.columns), *ages]
    everybody = " UNION ".join(f"SELECT household_id FROM {s.name}" for s in service.features)
    values = ", ".join(f"{s.name}.{c.feature} AS {c.name}" for s in service.features for c in s.columns)
    age = "date_diff('second', {0}.event_time, label_time)::DOUBLE AS {0}__age"
    joins = " ".join(
        f"LEFT JOIN (FROM {s.name} WHERE event_time = TIMESTAMPTZ '{AS_OF}') AS {s.name} USING (household_id)"
        for s in service.features
    )
    expected = published.ask(f"""
        SELECT household_id, label_time, {values}, {", ".join(age.format(s.name) for s in service.features)}
        FROM (SELECT household_id, TIMESTAMPTZ '{OUT}' AS label_time FROM ({everybody})) {joins}
    """)
    assert unlike(scored, expected, by=("household_id",)) == []
    assert scored.num_rows == 2_463
    assert scored["household_visits__age"].to_pylist() == [4 * 3600.0] * 2_463
    assert 0 < scored["household_coupons__age"].null_count < 2_463


def test_entities_given_are_the_rows_of_a_batch_frame_a_stranger_too(groceries, scored) -> None:
    frame = groceries.workspace.batch_frame
    asked = pd.DataFrame({"customer": [22, NEVER_SEEN, 1], "campaign_id": [18, 18, 23], "segment": ["a", "b", "c"]})
    found = frame("coupon_v1", as_of=AS_OF, entities=asked, keys={"household_id": "customer"}).toArrow().to_pylist()
    rows = {row["customer"]: row for row in found}
    assert list(rows[22])[:4] == ["customer", "campaign_id", "segment", "label_time"]
    assert (rows[22]["segment"], rows[NEVER_SEEN]["segment"]) == ("a", "b")
    mine = dict(zip(scored["household_id"].to_pylist(), scored.to_pylist(), strict=True))
    for household in (22, 1):
        assert rows[household]["household_spend__spend_trend"] == mine[household]["household_spend__spend_trend"]
        assert rows[household]["household_spend__age"] == 4 * 3600.0
    stranger = {name: value for name, value in rows[NEVER_SEEN].items() if name.startswith("household_")}
    assert set(stranger.values()) == {None}
    # Campaign 18 began a month ago; campaign 23 will begin on 28 December.
    began = datetime(2017, 10, 30, 4, tzinfo=UTC)
    age = (datetime(2017, 11, 30, 4, tzinfo=UTC) - began).total_seconds()
    assert (rows[NEVER_SEEN]["campaign_descriptions__campaign_type"], rows[22]["campaign_descriptions__age"]) == (
        "Type A", age,
    )  # fmt: skip
    assert (rows[1]["campaign_descriptions__campaign_type"], rows[1]["campaign_descriptions__age"]) == (None, None)


@pytest.fixture(scope="module")
def exported(groceries) -> ExportOutcome:
    return groceries.workspace.export(as_of=AS_OF)


@pytest.fixture(scope="module")
def folder(groceries) -> Path:
    return store_settings(groceries.workspace.settings).folder


@pytest.fixture(scope="module")
def reader(exported, folder: Path) -> Iterator[SnapshotReader]:
    with EmbeddedStore(folder).open() as opened:
        yield opened


def shipped_views(groceries) -> Mapping[str, str]:
    """Table key -> name of all views that a service reads."""
    services = groceries.workspace.registry.services
    return {key_of(s.view): s.view.name for service in services for s in service.features}


def test_every_record_reads_back_as_the_published_row(groceries, published, exported, reader) -> None:
    """All entities and all features of every view that a service reads: snapshots whole, facts as they were known."""
    tables = shipped_views(groceries)
    assert {view.table for view in reader.description.views} == set(tables)
    counted = 0
    for view in reader.description.views:
        name, keys = tables[view.table], [key for key, _ in view.keys]
        fields = [*view.keys, ("event_time", "timestamp"), ("available_time", "timestamp")]
        fields += [(column.name, column.type) for column in view.columns]
        cells = [
            (*record.keys, *map(instant, (record.event_time_us, record.available_time_us)), *record.values)
            for record in reader.records(view.table)
        ]
        schema = pa.schema([pa.field(name, arrow_type(type_)) for name, type_ in fields])
        found = pa.table([list(column) for column in zip(*cells, strict=True)], schema=schema)
        if view.is_static:
            expected = published.ask(f"SELECT {', '.join(found.drop_columns(CLOCKS).column_names)} FROM {name}")
            assert found["event_time"].null_count == found.num_rows
            found = found.drop_columns(CLOCKS)
        elif name == "campaign_descriptions":
            expected = published.ask(
                f"SELECT {', '.join(found.column_names)} FROM {name} WHERE event_time <= TIMESTAMPTZ '{OUT}'"
            )
        else:
            expected = groceries.snapshot(name, AS_OF)
            declared = [feature.name for feature in groceries.workspace.definition(name).published]
            assert list(view.column_names) == declared
            expected = expected.select(found.column_names)
        assert unlike(found, expected, by=keys) == [], name
        assert view.rows == found.num_rows
        counted += found.num_rows
    assert exported.records == counted
    assert exported.views == len(tables) == 9


CLOCKS = ["event_time", "available_time"]


def instant(us: int | None) -> datetime | None:
    return None if us is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)


def test_every_household_is_answered_what_a_batch_frame_scores_and_six_are_unseen(
    groceries, published, scored, reader
) -> None:
    households = published.ask(
        f"SELECT DISTINCT household_id FROM read_parquet('{groceries.sources / 'transactions.parquet'}')"
    )["household_id"].to_pylist()
    rows = {row["household_id"]: row for row in scored.to_pylist()}
    unseen = set()
    for household in households:
        told = answer(reader, "churn_v1", {"household_id": household}, instant_us(OUT))
        if all(view.state is State.UNSEEN for view in told.views):
            unseen.add(household)
            assert set(told.values.values()) == {None}
            continue
        assert told.values == {name: rows[household][name] for name in told.values}
        ages = {view.name: None if view.age_us is None else view.age_us / 1e6 for view in told.views}
        assert ages == {name: rows[household][f"{name}__age"] for name in ages}
    assert len(households) == 2_469
    assert unseen == set(households) - set(rows)
    assert len(unseen) == 6


def test_a_value_is_taken_away_at_the_very_instant_of_its_age_limit(reader) -> None:
    keys = {"household_id": "22", "campaign_id": "18"}
    edge = instant_us("2017-12-09")  # nine days
    fresh, expired = (answer(reader, "coupon_v1", keys, at) for at in (edge - 1, edge))
    states = [[str(view.state) for view in told.views] for told in (fresh, expired)]
    coupons = "fresh" if fresh.views[1].event_time_us is not None else "unseen"
    assert states[0] == ["fresh", coupons, "fresh", "fresh", "fresh", "static"]
    assert states[1] == ["fresh", coupons.replace("fresh", "expired"), "expired", "expired", "expired", "static"]
    name = "household_visits__visit_count_distinct_30d"
    assert (fresh.values[name] is None, expired.values[name]) == (False, None)


def test_a_look_up_answers_in_a_process_that_loads_no_engine(groceries, exported, reader, tmp_path: Path) -> None:
    words = ["get", "household_id=22", "--service", "churn_v1", "--json", "--at", OUT]
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "ziggurat", *words, "-s", f"warehouse={groceries.warehouse}"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2_000:]
    lines = [line for line in done.stderr.splitlines() if not line.startswith("import time:")]
    assert lines == []
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert {"online_store", "ziggurat"} <= loaded
    assert not loaded & set(ENGINES)

    told = json.loads(done.stdout)
    expected = answer(reader, "churn_v1", {"household_id": 22}, instant_us(OUT))
    assert [(f["name"], f["value"]) for view in told["views"] for f in view["features"]] == list(
        expected.values.items()
    )
    assert (told["snapshot"], told["as_of"], told["at"]) == (exported.snapshot_id, AS_OF, OUT)
    assert [view["age_us"] for view in told["views"]] == [view.age_us for view in expected.views]
    assert all(value is not None for value in list(expected.values.values())[:8])


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_export_again_writes_nothing(groceries, exported, folder: Path) -> None:
    assert not exported.is_unchanged
    before, versions = tree(folder), groceries.versions()
    again = groceries.workspace.export(as_of=AS_OF)
    assert (again.is_unchanged, again.snapshot_id) == (True, exported.snapshot_id)
    after = tree(folder)
    lock = str(folder / ".lock")
    assert {path: told for path, told in after.items() if path != lock} == {
        path: told for path, told in before.items() if path != lock
    }
    assert groceries.versions() == versions


def test_an_as_of_that_views_lack_is_refused_with_their_names_and_nothing_is_written(
    groceries, exported, folder: Path
) -> None:
    before = tree(folder)
    with pytest.raises(NotReleased) as refused:
        groceries.workspace.export(as_of="2017-11-29", services=("churn_v1",))
    assert refused.value.exit_code == 32
    for selection in selections(groceries):
        assert selection.view.name in str(refused.value)
    assert "ziggurat build --as-of 2017-11-29" in str(refused.value)
    assert tree(folder) == before
    assert not list((groceries.warehouse / "staging").glob("export-*"))
