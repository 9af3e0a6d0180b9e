"""The leak test, `ziggurat training-set prove`: no cell of a training set may change when its future does."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from pyspark.sql import functions as F

from jobs.inputs import histories
from jobs.leak_test import rebuild
from jobs.training_set.manifest_files import manifest_of
from pit_join import History
from tests.e2e.small.bike_models import released_models
from tests.e2e.small.bikes import Bikes

SERVICE = '''"""A service that reads every layer, facts themselves among them."""

from {package}.aggregate.rider_activity import rider_activity
from {package}.cross_entity.rider_vs_plan import rider_vs_plan
from {package}.derived.trips import trips
from {package}.entities import rider
from {package}.raw.riders import riders
from {package}.raw.rides import rides
from ziggurat.model import FeatureService, features_of

layers_v1 = FeatureService(
    "layers_v1",
    features=(
        features_of(rider_activity, "ride_count_30d", "fare_sum_30d", "days_since_last_ride", max_age="8d"),
        features_of(rider_vs_plan, "fare_sum_30d_ratio_to_mean", "plan_members"),
        features_of(trips, "speed_kmh", "fare", entity=rider),
        features_of(rides, "metres", entity=rider),
        features_of(riders, "plan", entity=rider),
    ),
    owner="growth",
)
'''
# Around the two snapshots (out at 04:00) and the rides that came late or were corrected; one before all of them.
LABEL_TIMES = ("2024-03-29T00:00:00Z", "2024-06-01T05:00:00Z", "2024-06-02T08:00:00Z", "2024-06-08T04:00:00Z")


@pytest.fixture(scope="module")
def bikes(spark_session, tmp_path_factory: pytest.TempPathFactory) -> Bikes:
    bikes = released_models(tmp_path_factory, tmp_path_factory.mktemp("tested models"))
    bikes.definition("layers.py").write_text(SERVICE.replace("{package}", bikes.package), "utf-8")
    lines = [f"R0{rider},{at}" for at in LABEL_TIMES for rider in range(1, 10)]
    (bikes.folder / "riders-spine.csv").write_text(
        "\n".join(["rider_id,label_time", *lines, "R01,", ",2024-06-02T08:00:00Z"])
    )
    return bikes


def built(bikes: Bikes, name: str, *more: str) -> None:
    said = bikes.ziggurat("training-set", "--service", "layers_v1", "--spine", "riders-spine.csv", "--out", name, *more)
    assert said.code == 0, said.err + said.out


def certificate(bikes: Bikes, name: str) -> dict:
    return json.loads((bikes.folder / "warehouse" / "training_sets" / name / "certificate.json").read_text())


def newest_run(bikes: Bikes) -> tuple[str, str]:
    run = json.loads(bikes.ziggurat("runs", "list", "--limit", "1", "--json").out)
    return run["command"], run["status"]


def test_a_training_set_without_a_leak_holds_and_its_certificate_says_so(bikes: Bikes) -> None:
    built(bikes, "honest")
    assert certificate(bikes, "honest")["proof"]["told"] == "not run: ziggurat training-set prove honest"
    said = bikes.ziggurat("training-set", "prove", "honest")
    assert said.code == 0, said.err
    assert "none of" in said.out
    result = certificate(bikes, "honest")["proof"]
    assert result["verdict"] == "held"
    assert [instant["label_time"] for instant in result["instants"]] == list(LABEL_TIMES)
    assert (result["entities"], result["rows"], result["cells"]) == (10, 37, 37 * 9 * 2)
    # On 1 June a correction, four rides of June and one that was recorded late can't be known.
    assert result["facts"] == {"raw/rides/v1": 22}
    assert [instant["poisoned"]["raw/rides/v1"] for instant in result["instants"]] == [22, 6, 6, 0]
    assert not list((bikes.folder / "warehouse" / "staging").rglob("*.parquet"))
    page = (bikes.folder / "warehouse" / "training_sets" / "honest" / "certificate.html").read_text()
    assert "None of" in page
    assert newest_run(bikes) == ("training-set prove honest", "ended")


def test_a_leak_in_the_engine_changes_cells_takes_the_certificate_back_and_ends_with_its_own_code(
    bikes: Bikes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def known_at_once(*args: Any, **how: Any) -> History:
        """Every fact is available when it happens; the certificate relies on these clocks."""
        honest = history_of(*args, **how)
        if honest.is_snapshot or honest.is_static:
            return honest
        return replace(honest, frame=honest.frame.withColumn("available_time", F.col("event_time")))

    history_of = histories.history_of
    monkeypatch.setattr(histories, "history_of", known_at_once)
    monkeypatch.setattr(rebuild, "history_of", known_at_once)
    built(bikes, "leaking")
    said = bikes.ziggurat("training-set", "prove", "leaking")
    assert said.code == 39
    assert re.search(
        r"changed: these features depend on facts of the future\. The first: \w+__\w+ of rider_id=R0\d at 2024-06-0",
        said.sentence,
    )
    refused = certificate(bikes, "leaking")
    assert not refused["is_certified"]
    assert refused["reasons"][0].startswith("leak test: ")
    assert not manifest_of(bikes.warehouse, "leaking").card.is_certified
    shown = bikes.ziggurat("training-set", "show", "leaking")
    assert "NOT certified: leak test" in shown.out
    assert newest_run(bikes) == ("training-set prove leaking", "failed")


def test_a_set_that_uses_the_latest_knowledge_is_not_tested(bikes: Bikes) -> None:
    built(bikes, "today", "--knowledge", "latest")
    said = bikes.ziggurat("training-set", "prove", "today")
    assert said.code == 2
    assert "nothing to prove" in said.sentence
