"""Facts after the newest as-of: a derived view has those that its sources give, wherever they are read (S14)."""

import json
from dataclasses import dataclass
from typing import Self

import pandas as pd
import pyarrow.parquet as pq
import pytest
from chispa import assert_df_equality

from definitions.zones import offsets
from jobs.run.context import SilentListener
from jobs.training_set.manifest_files import manifest_of
from lakehouse.session import zone_data
from tests.e2e.small.bikes import Bikes
from ziggurat.workspace import open as open_workspace

SERVICE = '''"""The same facts twice: as they were delivered, and with what a derived view adds to them."""

from {package}.aggregate.rider_activity import rider_activity
from {package}.derived.trips import trips
from {package}.entities import rider
from {package}.raw.rides import rides
from ziggurat.model import FeatureService, features_of

twice_v1 = FeatureService(
    "twice_v1",
    features=(
        features_of(rides, "ride_id", "metres", entity=rider),
        features_of(trips, "ride_id", "metres", "district", entity=rider),
        features_of(rider_activity, "ride_count_lifetime"),
    ),
    owner="growth",
)
'''
NEWEST = "2024-06-01"
# Rides of two riders; the clocks of their docks are two hours ahead of UTC. At the newest as-of the second ride is not
# known yet, the others down to the fifth have not happened.
RIDES = """ride_id,rider_id,started_at,minutes,metres,fare,recorded_at
1,R01,2024-05-30 10:00:00,10,100,1.00,2024-05-30T09:00:00Z
2,R01,2024-05-31 10:00:00,10,200,1.00,2024-06-02T09:00:00Z
3,R01,2024-06-03 10:00:00,10,300,1.00,2024-06-03T09:00:00Z
4,R02,2024-06-01 03:00:00,10,400,1.00,2024-06-01T02:00:00Z
5,R02,2024-06-09 10:00:00,10,500,1.00,2024-06-09T09:00:00Z
6,R02,2024-05-20 10:00:00,10,600,1.00,2024-05-20T09:00:00Z
"""
# The first ride happened later than that, as is known on 4 June: it becomes the newest of its rider.
CORRECTED = "1,R01,2024-06-03 12:00:00,10,111,1.00,2024-06-04T10:00:00Z\n"
SPINE = [
    ("R01", "2024-06-01T00:00:00Z", "1"),
    ("R01", "2024-06-01T04:00:00Z", "1"),
    ("R01", "2024-06-02T08:59:59Z", "1"),
    ("R01", "2024-06-02T09:00:00Z", "2"),
    ("R01", "2024-06-03T08:59:59Z", "2"),
    ("R01", "2024-06-03T09:00:00Z", "3"),
    ("R01", "2024-06-04T10:00:00Z", "3"),
    ("R02", "2024-06-01T00:00:00Z", "6"),
    ("R02", "2024-06-01T04:00:00Z", "4"),
    ("R02", "2024-06-10T00:00:00Z", "5"),
    ("R09", "2024-06-10T00:00:00Z", ""),
]
Rows = dict[tuple[str, str], dict[str, object]]


@pytest.fixture(scope="module")
def bikes(spark_session, tmp_path_factory: pytest.TempPathFactory) -> Bikes:
    bikes = Bikes.written(tmp_path_factory.mktemp("facts") / "late bikes")
    bikes.definition("services.py").write_text(SERVICE.replace("{package}", bikes.package), "utf-8")
    bikes.spring.write_text(RIDES)
    lines = [f"{rider},{at}" for rider, at, _ in SPINE]
    (bikes.folder / "spine.csv").write_text("\n".join(["rider_id,label_time", *lines]))
    bikes.built(NEWEST)
    return bikes


def done(bikes: Bikes, *words: str) -> str:
    said = bikes.ziggurat(*words)
    assert said.code == 0, said.err + said.out
    return said.out


def made(bikes: Bikes, name: str, spine: str = "spine.csv") -> Rows:
    done(bikes, "training-set", "--service", "twice_v1", "--spine", spine, "--out", name)
    version = manifest_of(bikes.warehouse, name).data.version
    rows = bikes.table(f"training_sets/{name}/data", version=version).to_pylist()
    return {(row["rider_id"], f"{row['label_time']:%Y-%m-%dT%H:%M:%SZ}"): row for row in rows}


def rides(rows: Rows) -> dict[tuple[str, str], str]:
    """The ride that each row sees in raw. It must be the one that it sees in the derived view."""
    for at, row in rows.items():
        assert (row["trips__ride_id"], row["trips__metres"]) == (row["rides__ride_id"], row["rides__metres"]), at
        assert (row["trips__district"] is None) == (row["rides__ride_id"] is None), at
    return {at: str(row["rides__ride_id"] or "") for at, row in rows.items()}


def features(row: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in row.items() if "__" in name and not name.endswith("__age")}


def test_what_is_scored_and_served_is_what_a_training_row_of_that_instant_sees(
    bikes: Bikes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The snapshots of the newest as-of are out four hours later; by then a ride of that night is known."""
    at = f"{NEWEST}T04:00:00Z"
    (bikes.folder / "at.csv").write_text("\n".join(["rider_id,label_time", f"R01,{at}", f"R02,{at}"]))
    trained = made(bikes, "trained", "at.csv")
    assert rides(trained) == {("R01", at): "1", ("R02", at): "4"}
    done(bikes, "batch-frame", "--service", "twice_v1", "--as-of", NEWEST, "--out", "scored")
    scored = {row["rider_id"]: row for row in pq.read_table(bikes.folder / "scored").to_pylist()}
    done(bikes, "export", "--as-of", NEWEST, "--service", "twice_v1")
    for rider in ("R01", "R02"):
        answer = json.loads(done(bikes, "get", f"rider_id={rider}", "--service", "twice_v1", "--at", at, "--json"))
        served = {feature["name"]: feature["value"] for view in answer["views"] for feature in view["features"]}
        assert features(scored[rider]) == features(trained[rider, at]) == served
    # Where Java's zone data are of another year, nothing is derived with them.
    monkeypatch.setattr(zone_data, "offsets", lambda _: offsets("Asia/Tokyo"))
    monkeypatch.setattr(zone_data, "_AGREED", set())
    for words in (
        ("training-set", "--service", "twice_v1", "--spine", "at.csv", "--out", "zoned"),
        ("batch-frame", "--service", "twice_v1", "--as-of", NEWEST),
        ("export", "--as-of", NEWEST, "--service", "twice_v1"),
        ("training-set", "prove", "trained"),
    ):
        said = bikes.ziggurat(*words)
        assert (said.code, "is used by an expression, and Spark's Java shows another time" in said.err) == (50, True)


@dataclass(frozen=True)
class Recorded(SilentListener):
    """What was done of all, as it was reported."""

    steps: list[tuple[int, int, str]]

    def in_run(self, run_id: str, *, parent: str) -> Self:
        return self

    def progress(self, table: str, done: int, total: int, unit: str) -> None:
        self.steps.append((done, total, unit))


def test_a_batch_frame_that_is_joined_view_by_view_is_the_one_that_is_joined_at_once(bikes: Bikes) -> None:
    """A key twice, none, one that was never seen; and how far it is, view by view."""
    listed = pd.DataFrame({"note": list("abcde"), "rider_id": ["R01", "R01", None, "R02", "R09"]})
    recorded = Recorded([])
    with bikes.at_home():
        workspace = open_workspace(conf="conf.yaml", listener=recorded)
        for entities in (None, listed):
            at_once = workspace.batch_frame("twice_v1", as_of=NEWEST, entities=entities)
            with workspace.opened_batch_frame("twice_v1", as_of=NEWEST, entities=entities) as frame:
                assert_df_equality(frame, at_once, ignore_row_order=True, ignore_nullable=True)
                assert frame.count() == (2 if entities is None else 5)
    assert recorded.steps == [(done, 3, "views") for done in range(4)] * 2


def test_a_training_set_sees_the_same_facts_in_raw_and_derived_whatever_the_newest_as_of_is(bikes: Bikes) -> None:
    assert rides(made(bikes, "early")) == {(rider, at): ride for rider, at, ride in SPINE}
    early = manifest_of(bikes.warehouse, "early")
    assert set(early.views["trips"].derived_from) == {"raw/rides/v1", "raw/riders/v1"}
    assert set(early.tables) > {"raw/rides/v1", "raw/riders/v1"}
    assert "derived from its sources" in {view.name: view.clock for view in early.certificate.views}["trips"]
    done(bikes, "training-set", "prove", "early")
    # Facts that have versions are derived anew, all of them.
    bikes.spring.write_text(RIDES + CORRECTED)
    bikes.built(NEWEST, "--select", "rides")
    corrected = made(bikes, "corrected")
    assert rides(corrected) == {(rider, at): ride for rider, at, ride in SPINE} | {("R01", "2024-06-04T10:00:00Z"): "1"}
    done(bikes, "training-set", "prove", "corrected")
    # An as-of after every label changes no fact, and nothing is left to derive.
    bikes.built("2024-06-12", "-s", "build.data_may_lag=30d")
    late = made(bikes, "late")
    names = [name for name in features(next(iter(late.values()))) if not name.startswith("rider_activity")]
    assert all(late[at][name] == row[name] for at, row in corrected.items() for name in names)
    assert not manifest_of(bikes.warehouse, "late").views["trips"].derived_from
    for name in ("early", "corrected", "late"):
        done(bikes, "training-set", "verify", name)
