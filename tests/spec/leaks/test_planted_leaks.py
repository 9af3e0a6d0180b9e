"""Known leaks, planted in this process: the engine as it is passes, and each leak is caught as the docs say."""

import json
from collections.abc import Callable

import pytest
from pyspark.errors import PySparkException

from pit_join import History, certify, gather_evidence, join_with_evidence
from tests.e2e.small.bikes import FIRST, SECOND, Bikes
from tests.spec.leaks.join_leaks import JOIN_LEAKS, JoinLeak
from tests.spec.leaks.layer_leaks import LAYER_LEAKS, LayerLeak
from tests.spec.leaks.leak import CATCHERS, CERTIFICATE, CONFORMANCE, LEAK_TEST, SPEC
from tests.spec.leaks.pyramid_leaks import (
    DEFINITIONS,
    HONEST,
    LABEL_TIMES,
    PYRAMID_LEAKS,
    RIDES,
    SERVICE,
    plant_in_the_pyramid,
)
from tests.spec.leaks.table import LEAKS, PAGE, written
from tests.spec.pit_join.rules import RULES, Rule
from tests.spec.pit_join.stacked import failures, session_like
from tests.support.drawn import frame

FACTS = """
who  event_time  available_time  value
a    2d          2d              before
a    4d          4d              at the label time
b    3d          9d              known later
"""
SPINE = """
who  label_time:timestamp
a    4d
b    4d
"""


def test_there_are_many_and_the_docs_name_what_catches_each() -> None:
    assert len({leak.name for leak in LEAKS}) == len(LEAKS) >= 15
    assert all(leak.caught_by and set(leak.caught_by) <= set(CATCHERS) for leak in LEAKS)
    assert PAGE.read_text("utf-8") == written(), "python -m tests.spec.leaks.table"


def rules_of(leak: JoinLeak) -> list[Rule]:
    return [rule for rule in RULES if rule.says.startswith(leak.rules)]


def is_certified(spark) -> bool:
    """Whether a join is certified whose facts are at the label time, and known only after it."""
    history = History(
        "history", frame(spark, FACTS), keys=("who",), features=("value",), available_time="available_time"
    )
    joined = join_with_evidence(frame(spark, SPINE), [history], strategy="sql").localCheckpoint()
    whole = {"rows_in": 2, "rows_out": joined.count(), "spine_hash_in": "same", "spine_hash_out": "same"}
    return certify(gather_evidence(joined, [history]), [history], **whole).is_certified


def test_the_join_as_it_is_breaks_no_rule_and_is_certified(spark) -> None:
    rules = [rule for rule in RULES if any(rule in rules_of(leak) for leak in JOIN_LEAKS)]
    assert failures(spark, "sql", rules=rules) == []
    assert is_certified(spark)


@pytest.mark.parametrize("leak", JOIN_LEAKS, ids=lambda leak: leak.name)
def test_a_leak_in_the_join_is_caught(spark, monkeypatch: pytest.MonkeyPatch, leak: JoinLeak) -> None:
    rules = rules_of(leak)
    assert len(rules) == len(leak.rules)
    leak.plant(monkeypatch)
    with session_like(spark, leak.session):
        caught = {
            CONFORMANCE: bool(failures(spark, "sql", rules=rules)),
            CERTIFICATE: not is_certified(spark),
        }
    assert tuple(catcher for catcher, is_caught in caught.items() if is_caught) == leak.caught_by


SPECS = {leak.spec: leak for leak in LAYER_LEAKS}


@pytest.mark.parametrize("leak", LAYER_LEAKS, ids=lambda leak: leak.name)
def test_a_leak_below_the_join_is_caught(spark, monkeypatch: pytest.MonkeyPatch, leak: LayerLeak) -> None:
    """The spec holds without the leak, and fails with it; a spec of several leaks is run without one only once."""
    if SPECS[leak.spec] is leak:
        leak.spec(spark)
    leak.plant(monkeypatch)
    with pytest.raises((AssertionError, PySparkException)):
        leak.spec(spark)
    assert leak.caught_by == (SPEC,)


@pytest.fixture(scope="module")
def has_changed(spark_session, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bool]:
    """Whether a column of a view changed when its future did, in one project with all leaks of the pyramid."""
    bikes = Bikes.written(tmp_path_factory.mktemp("leaks") / "leaking bikes")
    bikes.definition("leaks.py").write_text(DEFINITIONS.replace("{package}", bikes.package), "utf-8")
    (bikes.folder / "data" / "rides" / "2024-leaks.csv").write_text(RIDES, "utf-8")
    bikes.deliver_june()
    lines = [f"R0{rider},{at}" for at in LABEL_TIMES for rider in (1, 2, 4, 5, 7)]
    (bikes.folder / "spine.csv").write_text("\n".join(["rider_id,label_time", *lines]), "utf-8")
    with pytest.MonkeyPatch.context() as monkeypatch:
        plant_in_the_pyramid(monkeypatch)
        commands = (
            ("backfill", "--start", FIRST, "--end", SECOND, "--every", "7d"),
            ("training-set", "--service", SERVICE, "--spine", "spine.csv", "--out", "leaking"),
        )
        for command in commands:
            said = bikes.ziggurat(*command)
            assert said.code == 0, said.err + said.out
        said = bikes.ziggurat("training-set", "prove", "leaking")
        assert said.code == 39, said.err + said.out
    certificate = json.loads(
        (bikes.folder / "warehouse" / "training_sets" / "leaking" / "certificate.json").read_text()
    )
    changed = {change["column"].split("__")[0] for change in certificate["proof"]["changes"]}
    assert not certificate["proof"]["is_stale"]
    return changed.__contains__


@pytest.mark.parametrize("view", HONEST)
def test_a_view_that_does_not_leak_passes(has_changed: Callable[[str], bool], view: str) -> None:
    assert not has_changed(view)


@pytest.mark.parametrize("leak", PYRAMID_LEAKS, ids=lambda leak: leak.name)
def test_a_leak_of_the_pyramid_is_caught(has_changed: Callable[[str], bool], leak) -> None:
    assert has_changed(leak.view)
    assert leak.caught_by == (LEAK_TEST,)
