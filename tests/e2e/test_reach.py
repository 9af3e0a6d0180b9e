"""One event dated 2099 decides nothing: not the guard of a build, not label times, not what a label is (S5, S27)."""

import json

import pytest

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
