"""Layouts of published views, from the command line: built, kept up by builds, behind, compacted, deleted."""

import shutil

import pytest

from jobs.inputs.histories import histories_of
from jobs.inputs.releases import newest_release
from kernels.content_hash import combine, partial_sums
from pit_join import explain_join, join_with_evidence
from tests.e2e.small.bikes import FIRST, SECOND, Bikes
from ziggurat.workspace import open as open_workspace

SERVICES = '''"""What the models read: snapshots, facts that are corrected, and a table without a time."""

from {package}.aggregate.rider_activity import rider_activity
from {package}.cross_entity.rider_vs_plan import rider_vs_plan
from {package}.derived.trips import trips
from {package}.entities import rider
from {package}.raw.riders import riders
from {package}.raw.rides import rides
from ziggurat.model import FeatureService, features_of

rides_v1 = FeatureService(
    "rides_v1",
    features=(
        features_of(rider_activity, "ride_count_30d", "fare_sum_30d"),
        features_of(rider_vs_plan, "plan_members"),
        features_of(trips, "speed_kmh", "metres", entity=rider, max_age="20d"),
        features_of(rides, "fare", entity=rider),
        features_of(riders, "plan", entity=rider),
    ),
    owner="growth",
)
'''
DAYS = [
    f"2024-{month:02}-{day:02}T{hour}:00:00Z" for month in (5, 6) for day in range(1, 13, 2) for hour in ("05", "17")
]


@pytest.fixture(scope="module")
def bikes(spark_session, tmp_path_factory: pytest.TempPathFactory) -> Bikes:
    """One as-of released, and a spine of riders at many instants."""
    bikes = Bikes.written(tmp_path_factory.mktemp("laid out") / "laid bikes")
    bikes.definition("services.py").write_text(SERVICES.replace("{package}", bikes.package), "utf-8")
    lines = [f"R{rider:02},{at}" for rider in (*range(1, 11), 99) for at in DAYS]
    (bikes.folder / "spine.csv").write_text("\n".join(["rider_id,label_time", *lines]) + "\n")
    bikes.built(FIRST)
    return bikes


def joined(bikes: Bikes) -> tuple[dict[str, str], str, str]:
    """The strategy of each view, and the content of the join with the layouts and without."""
    with bikes.at_home():
        context = open_workspace(conf="conf.yaml").context
        histories = histories_of(context, context.registry.service("rides_v1"), newest_release(context))
        spine = context.spark.read.csv(str(bikes.folder / "spine.csv"), header=True)
        spine = spine.selectExpr("rider_id", "cast(label_time as timestamp) as label_time")
        chosen = {choice.history: choice.strategy for choice in explain_join(spine, histories)}
        hashes = [_hash(join_with_evidence(spine, histories, strategy=strategy)) for strategy in ("auto", "sql")]
    return chosen, hashes[0], hashes[1]


def _hash(frame) -> str:
    told = [f"{name}.*" if name.startswith("_evidence") else name for name in frame.columns]
    flat = frame.select(*told)
    flat = flat.toDF(*(f"c{index}" for index in range(len(flat.columns)))).selectExpr("*", "0L as slice")
    return combine(partial_sums(flat.toArrow(), slice_column="slice"))[0].hex


LAID = {
    "rider_activity": "colocated",
    "rider_vs_plan": "colocated",
    "trips": "colocated",
    "rides": "colocated",
    "riders": "sql",  # static
}


def test_a_layout_is_built_kept_up_by_builds_and_answers_as_without_it(bikes: Bikes) -> None:
    assert "no view has a layout" in bikes.ziggurat("layout", "list").out
    assert "no view has a layout" in bikes.ziggurat("layout", "compact").out
    chosen, laid, plain = joined(bikes)
    assert set(chosen.values()) == {"sql"}
    assert laid == plain

    said = bikes.ziggurat("layout", "build")
    assert said.code == 0, said.err
    assert said.out.count("built") == 4
    before = joined(bikes)
    assert before == (LAID, plain, plain)
    assert bikes.ziggurat("layout", "build").out.count("unchanged") == 4

    # Late rides and corrections come: dates that were laid out change. The build brings the layouts up.
    kept = bikes.folder / "layouts of the first release"
    root = bikes.folder / "warehouse" / "layouts"
    shutil.copytree(root, kept)
    bikes.deliver_june()
    bikes.built(SECOND)
    runs = [line.split() for line in bikes.ziggurat("layout", "list").out.splitlines() if "layouts/" in line]
    assert len(runs) == 4
    chosen, laid, plain = joined(bikes)
    assert (chosen, laid) == (LAID, plain)
    assert plain != before[1]

    # Behind the release: what is missing is shuffled; where nobody can tell what that is, a join goes without.
    shutil.rmtree(root)
    shutil.copytree(kept, root)
    chosen, laid, again = joined(bikes)
    assert (chosen, laid, again) == ({**LAID, "rides": "sql"}, plain, plain)

    said = bikes.ziggurat("layout", "compact", "trips")
    assert (said.code, said.out.count("compacted")) == (0, 1)
    assert joined(bikes)[1] == plain

    shutil.rmtree(root)
    chosen, laid, again = joined(bikes)
    assert (set(chosen.values()), laid, again) == ({"sql"}, plain, plain)


def test_a_view_that_no_service_joins_by_time_needs_no_layout(bikes: Bikes) -> None:
    said = bikes.ziggurat("layout", "build", "rider_activty")
    assert said.code == 2
    assert "Did you mean 'rider_activity'" in said.sentence
    assert "riders" in bikes.ziggurat("layout", "build", "riders").sentence


def test_a_layout_that_is_damaged_never_fails_a_build(bikes: Bikes) -> None:
    bikes.ziggurat("layout", "build", "rider_activity")
    for note in (bikes.folder / "warehouse" / "layouts").rglob("_notes/*.json"):
        note.write_text("not JSON")
    said = bikes.ziggurat("build", "--as-of", "2024-05-25")
    assert said.code == 0, said.err
    assert "was not kept up" in said.out + said.err
    shutil.rmtree(bikes.folder / "warehouse" / "layouts")
