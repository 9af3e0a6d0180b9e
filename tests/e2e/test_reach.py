"""One event dated 2099 decides nothing: not the guard of a build, not label times, not what a label is (S5, S27)."""

import json

import pytest

from jobs.training_set.manifest_files import find_manifest, manifest_of
from tests.e2e.small.bike_models import LABEL
from tests.e2e.small.bikes import FIRST, Bikes

LABELS = '''"""What the model predicts."""

from {package}.entities import rider
from {package}.raw.rides import rides
from ziggurat.model import Every, Label

rides_again = Label(
    "rides_again",
    entities=(rider,),
    source=rides,
    column="has_ridden",
    horizon="7d",
    at=Every(first="2024-05-06T12:00:00Z", step="7d"),
    owner="growth",
)
'''
SERVICE = '''"""What the model reads."""

from {package}.aggregate.rider_activity import rider_activity
from ziggurat.model import FeatureService, features_of

reach_v1 = FeatureService("reach_v1", features=(features_of(rider_activity, "ride_count_30d"),), owner="growth")
'''
# Four rides that can't have happened: two of them were recorded before they did, two were loaded before.
WRONG = """901,R01,2099-06-01 10:00:00,10,100,1.00,2024-05-30T09:00:00Z
902,R01,2099-06-01 10:00:00,10,100,1.00,2099-06-01T10:00:00Z
903,R02,2024-07-01 10:00:00,10,100,1.00,2024-05-30T09:00:00Z
904,R02,2098-07-01 10:00:00,10,100,1.00,2024-05-30T09:00:00Z
"""
NEWEST = "2024-05-31T23:30:00Z"


@pytest.fixture(scope="module")
def bikes(spark_session, tmp_path_factory: pytest.TempPathFactory) -> Bikes:
    bikes = Bikes.written(tmp_path_factory.mktemp("reach") / "dated bikes")
    bikes.definition("labels.py").write_text(LABELS.replace("{package}", bikes.package), "utf-8")
    bikes.definition("services.py").write_text(SERVICE.replace("{package}", bikes.package), "utf-8")
    rides = bikes.definition("raw/rides.py")
    rides.write_text(rides.read_text().replace("max_quarantined_share=0.2", "max_quarantined_share=0.5"))
    bikes.spring.write_text(bikes.spring.read_text().rstrip("\n") + "\n" + WRONG)
    bikes.built(FIRST)
    return bikes


def test_rides_that_can_not_have_happened_yet_are_quarantined_with_the_reason(bikes: Bikes) -> None:
    ahead = [(reason, row.split(",")[0]) for reason, row in bikes.quarantined() if "event time lies" in reason]
    way_out = "if it is a plan, declare EventTime(…, known_in_advance=True)"
    assert ahead == [
        (f"event time lies after its available time; {way_out}", "903"),
        *[(f"event time lies after the load that brought it; {way_out}", ride) for ride in ("901", "902", "904")],
    ]
    steps = map(json.loads, bikes.ziggurat("runs", "show", "--json").out.splitlines())
    [rides] = [step for step in steps if step["step"] == "raw/rides/v1"]
    assert rides["message"].endswith(f"quarantined, reaches {NEWEST}")


def test_an_as_of_after_the_reach_is_refused_whatever_was_delivered(bikes: Bikes) -> None:
    said = bikes.ziggurat("build", "--as-of", "2024-07-02")
    assert (said.code, f"newest event is of {NEWEST}" in said.err) == (24, True)


def test_label_times_end_where_the_data_do(bikes: Bikes) -> None:
    said = bikes.ziggurat("labels", LABEL)
    assert said.code == 0, said.err
    assert f"the facts of rides reach {NEWEST}" in said.out
    rows = bikes.table(f"spines/{LABEL}").to_pylist()
    assert {f"{row['label_time']:%m-%d}" for row in rows} == {"05-06", "05-13", "05-20", "05-27"}
    assert {row["has_ridden"] for row in rows if f"{row['label_time']:%m-%d}" == "05-27"} == {None}
    again = bikes.ziggurat("labels", LABEL)
    assert "unchanged" in again.out
    assert f"the facts of rides reach {NEWEST}" in again.out


REACHES = f"raw/rides/v1 reaches {NEWEST}, and "
NOT_IN = "what happened since then is not in them"


def test_rows_of_a_day_or_more_after_the_reach_are_counted_and_warned_of_or_refused(bikes: Bikes) -> None:
    """The reach is 31 May, 23:30; a row of exactly a day later is not counted, one of a microsecond later is."""
    times = ["2024-05-30T00:00:00Z", "2024-06-01T23:30:00Z", "2024-06-01T23:30:00.000001Z", "2024-06-10T00:00:00Z"]
    (bikes.folder / "spine.csv").write_text("\n".join(["rider_id,label_time", *(f"R01,{at}" for at in times)]))
    words = ("training-set", "--service", "reach_v1", "--spine", "spine.csv", "--out", "late")
    refused = bikes.ziggurat(*words, "--beyond-reach", "refuse")
    warning = f"{REACHES}2 rows ask for a time more than 1d after that: {NOT_IN}"
    assert (refused.code, f"training set 'late': {warning}" in refused.err) == (37, True)
    assert find_manifest(bikes.warehouse, "late") is None
    said = bikes.ziggurat(*words)
    assert (said.code, f"warning: {warning}" in said.out) == (0, True)
    manifest = manifest_of(bikes.warehouse, "late")
    assert warning in manifest.certificate.warnings
    assert warning in manifest.card.warnings
    assert manifest.certificate.beyond_reach == {"raw/rides/v1": 2}
    assert manifest.certificate.is_certified
    assert "(2 rows lie after it)" in (bikes.folder / "warehouse/training_sets/late/certificate.html").read_text()
    assert f"warning: {warning}" in bikes.ziggurat("training-set", "show", "late").out
    longer = bikes.ziggurat(*words[:-1], "longer", "-s", "build.data_may_lag=10d", "--beyond-reach", "refuse")
    assert (longer.code, "warning: raw/rides" in longer.out) == (0, False)


def test_a_batch_frame_and_a_label_after_the_reach_say_so_too(bikes: Bikes) -> None:
    frame = ("batch-frame", "--service", "reach_v1", "--as-of", FIRST)
    assert "reaches" not in bikes.ziggurat(*frame).out
    soon = ("-s", "build.data_may_lag=1h")
    said = bikes.ziggurat(*frame, *soon)
    warning = f"warning: {REACHES}all rows ask for a time more than 1h after that: {NOT_IN}"
    assert (said.code, warning in said.out) == (0, True)
    said = bikes.ziggurat(*frame, *soon, "--beyond-reach", "refuse")
    assert (said.code, f"the batch frame of {FIRST}: {REACHES}all rows ask" in said.err) == (37, True)
    assert bikes.ziggurat("labels", LABEL, "--beyond-reach", "refuse").code == 0
