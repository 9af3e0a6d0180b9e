"""An expression that fails on a value, a sum that leaves its type: a sentence with view, feature and key (S24)."""

import re
from collections.abc import Callable

import pandas as pd
import pytest

from definitions.errors import ExpressionFailed
from jobs.training_set.manifest_files import find_manifest
from tests.e2e.small.bikes import Bikes
from ziggurat.workspace import Workspace
from ziggurat.workspace import open as open_workspace

AGGREGATE = '''"""Sums that may leave their type."""

from {package}.derived.trips import trips
from {package}.entities import rider
from ziggurat.model import DAILY, LIFETIME, AggregateView, expression, sum_of

sums = AggregateView(
    "sums",
    entity=rider,
    source=trips,
    version=1,
    owner="growth",
    windows=(LIFETIME,),
    freshness=DAILY,
    cut_delay="4h",
    features=({features}),
)
'''
# The first ride has the greatest bigint as its metres, the second half of it, and a rider of its own each.
RIDES = """ride_id,rider_id,started_at,minutes,metres,fare,recorded_at
71,R01,2024-05-30 10:00:00,10,9223372036854775807,1.00,2024-05-30T09:00:00Z
72,R02,2024-05-30 11:00:00,10,4611686018427387904,1.00,2024-05-30T10:00:00Z
73,R02,2024-05-30 12:00:00,10,4611686018427387904,1.00,2024-05-30T11:00:00Z
74,R03,2024-05-30 13:00:00,10,300,1.00,2024-05-30T12:00:00Z
"""
AS_OF = "2024-05-31"
TRY = "try_add, try_subtract or try_multiply"


def without_snapshots(bikes: Bikes) -> None:
    bikes.definition("aggregate/rider_activity.py").unlink()
    for path in bikes.definition("cross_entity").glob("rider*.py"):
        path.unlink()


@pytest.fixture(scope="module")
def bikes(spark_session, tmp_path_factory: pytest.TempPathFactory) -> Bikes:
    bikes = Bikes.written(tmp_path_factory.mktemp("failing") / "failing bikes")
    bikes.spring.write_text(RIDES)
    without_snapshots(bikes)
    trips = bikes.definition("derived/trips.py")
    trips.write_text(trips.read_text().replace(", at_least=0, at_most=60", ""))
    return bikes


def refused(bikes: Bikes, code: int, *words: str) -> None:
    said = bikes.ziggurat("build", "--as-of", AS_OF)
    text = said.err + said.out
    assert said.code == code, text
    assert "Traceback" not in text
    assert "org.apache.spark" not in text
    missing = [word for word in words if word not in text]
    assert not missing, text


def test_a_computed_column_of_a_source_names_itself_and_the_row_it_fails_on(bikes: Bikes) -> None:
    """Before anything is built, so that the source is read."""
    rides = bikes.definition("raw/rides.py")
    before = rides.read_text()
    column = '        Column("recorded_at"'
    rides.write_text(before.replace(column, f'        Column("far", "bigint", computed="metres * 3"),\n{column}'))
    try:
        refused(bikes, 27, "source 'rides', feature 'far': metres * 3 fails", TRY)
    finally:
        rides.write_text(before)


def test_an_expression_of_a_derived_view_names_itself_and_the_row_it_fails_on(bikes: Bikes) -> None:
    trips = bikes.definition("derived/trips.py")
    before = trips.read_text()
    speed = 'expression("speed_kmh", "try_divide(metres * 60, minutes * 1000)", unit="km/h")'
    assert speed in before, before
    cases = {
        '"metres * 60"': ("view 'trips' v1, feature 'speed_kmh': metres * 60 fails", "ride_id=7", TRY),
        '"cast(rider_id as bigint)"': ("feature 'speed_kmh': cast(rider_id as bigint) fails", "ride_id=7", "try_cast"),
        '"cast(metres - 1000 as int)"': ("cast(metres - 1000 as int) fails", "ride_id=7", "try_cast"),
    }
    for expression, words in cases.items():
        trips.write_text(before.replace(speed, f'expression("speed_kmh", {expression})'))
        refused(bikes, 27, *words)
    trips.write_text(before.replace(speed, 'expression("speed_kmh", "try_multiply(metres, 60)")'))
    bikes.built(AS_OF)


@pytest.mark.parametrize(
    ("features", "code", "words"),
    [
        (
            'sum_of("metres"),',
            20,
            ("view 'sums' v1, output 'metres_sum_lifetime': a sum of 'metres' leaves int64", "coarser quantum"),
        ),
        (
            'sum_of("metres * 2", named="twice"),',
            27,
            ("view 'sums' v1, feature 'twice_sum_lifetime': metres * 2 fails", "rider_id=R0", TRY),
        ),
        (
            'sum_of("cast(metres as double) * 1e300", named="far", quantum="0.01"),',
            20,
            (
                "view 'sums' v1, feature 'far_sum_lifetime': a value of 'cast(metres as",
                "rider_id=R0",
                "quantum",
            ),
        ),
        (
            'sum_of("minutes"), expression("big", "minutes_sum_lifetime * 1000000000000000000"),',
            27,
            ("view 'sums' v1, feature 'big': minutes_sum_lifetime * 1000000000000000000 fails", "rider_id=R0", TRY),
        ),
    ],
)
def test_an_aggregate_names_the_feature_that_fails(
    bikes: Bikes, features: str, code: int, words: tuple[str, ...]
) -> None:
    text = AGGREGATE.replace("{package}", bikes.package).replace("{features}", features)
    bikes.definition("aggregate/sums.py").write_text(text)
    refused(bikes, code, *words)


LATE_SERVICE = '''"""Facts of a derived view, which no table holds yet after the newest as-of."""

from {package}.derived.trips import trips
from {package}.entities import rider
from ziggurat.model import FeatureService, features_of

late_v1 = FeatureService("late_v1", features=(features_of(trips, "speed_kmh", entity=rider),), owner="growth")
'''
# The second ride fails, and happens after the as-of that is built; the third, which fails too, a week later.
LATE_RIDES = """ride_id,rider_id,started_at,minutes,metres,fare,recorded_at
81,R01,2024-05-30 10:00:00,10,3000,1.00,2024-05-30T09:00:00Z
82,R02,2024-05-31 12:00:00,10,9223372036854775807,1.00,2024-05-31T10:30:00Z
83,R03,2024-06-07 12:00:00,10,9223372036854775807,1.00,2024-06-07T10:30:00Z
"""
BEFORE, AFTER = "2024-05-31T09:00:00Z", "2024-06-02T00:00:00Z"
SENTENCE = "view 'trips' v1, feature 'speed_kmh': metres * 60 fails, of the row with ride_id=82: "


@pytest.fixture(scope="module")
def late(spark_session, tmp_path_factory: pytest.TempPathFactory) -> Bikes:
    bikes = Bikes.written(tmp_path_factory.mktemp("late") / "late failing bikes")
    bikes.definition("services.py").write_text(LATE_SERVICE.replace("{package}", bikes.package), "utf-8")
    bikes.spring.write_text(LATE_RIDES)
    without_snapshots(bikes)
    trips = bikes.definition("derived/trips.py")
    text = trips.read_text().replace(", at_least=0, at_most=60", "")
    trips.write_text(text.replace('"try_divide(metres * 60, minutes * 1000)"', '"metres * 60"'))
    bikes.built(AS_OF)
    for name, at in (("before", BEFORE), ("after", AFTER)):
        lines = [f"{rider},{at}" for rider in ("R01", "R02", "R09")]
        (bikes.folder / f"{name}.csv").write_text("\n".join(["rider_id,label_time", *lines]))
    return bikes


def test_a_fact_that_no_table_holds_yet_fails_in_the_same_words(late: Bikes) -> None:
    """Wherever it would be derived: in a training set, a batch frame, an export, and frames that Python is handed."""
    training = ("training-set", "--service", "late_v1", "--out", "late", "--spine")
    later = ("--service", "late_v1", "--as-of", "2024-06-02")
    batch, export = ("batch-frame", *later), ("export", *later)
    for words in ((*training, "after.csv"), batch, (*batch, "--out", "scored"), export):
        said = late.ziggurat(*words)
        assert (said.code, SENTENCE in said.err) == (27, True), (words, said.err)
        assert len(said.err.strip().splitlines()) == 1, said.err
    assert find_manifest(late.warehouse, "late") is None
    assert not (late.folder / "scored").exists()
    spine = pd.DataFrame({"rider_id": ["R01", "R02"], "label_time": pd.to_datetime([AFTER, AFTER])})
    frames: list[Callable[[Workspace], object]] = [
        lambda workspace: workspace.training_set("late_v1", spine),
        lambda workspace: workspace.batch_frame("late_v1", as_of="2024-06-02"),
        lambda workspace: workspace.preview("trips", as_of="2024-06-02", sample=1.0),
    ]
    with late.at_home():
        workspace = open_workspace(conf="conf.yaml")
        for frame in frames:
            with pytest.raises(ExpressionFailed, match=re.escape(SENTENCE)):
                frame(workspace)


def test_a_fact_of_later_than_all_rows_is_not_computed(late: Bikes) -> None:
    training = ("training-set", "--service", "late_v1", "--out", "early", "--spine")
    batch = ("batch-frame", "--service", "late_v1", "--as-of", AS_OF, "--out", "scored")
    for words in ((*training, "before.csv"), batch):
        said = late.ziggurat(*words)
        assert said.code == 0, said.err
    (row,) = [row for row in late.table("training_sets/early/data").to_pylist() if row["rider_id"] == "R01"]
    assert row["trips__speed_kmh"] == 3000 * 60
    with late.at_home():
        spine = pd.DataFrame({"rider_id": ["R01"], "label_time": pd.to_datetime([BEFORE])})
        frame = open_workspace(conf="conf.yaml").training_set("late_v1", spine)
        assert frame.toPandas()["trips__speed_kmh"].tolist() == [3000 * 60]
    assert late.ziggurat("training-set", "verify", "early").code == 0
