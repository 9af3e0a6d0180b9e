"""Every rule of the point-in-time join, with every strategy, in sessions of several zones and settings."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pit_join import History, lay_out, point_in_time_join
from pit_join.strategies import STRATEGIES
from tests.spec.pit_join.stacked import Cases, Prepare, session_like
from tests.support.drawn import frame, same

ZONES = ("UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia")
PARTITIONS = (1, 3, 7)


def laid_out(folder: Path) -> Prepare:
    """Each history in buckets; every other one has half of its event times in the tail.

    Facts of one event time are in one of the two, as in tables, where a new run replaces whole days.
    """

    def prepare(history: History) -> History:
        if history.is_static:
            return history
        path = str(folder / history.name)
        if history.identity or int(history.name[1:]) % 2:
            return lay_out(history, path, buckets=2)
        laid = lay_out(replace(history, frame=history.frame.where("hash(event_time) % 2 = 0")), path, buckets=2).layout
        assert laid
        return replace(history, layout=replace(laid, tail=history.frame.where("hash(event_time) % 2 <> 0")))

    return prepare


@pytest.fixture(scope="module")
def cases_of(spark_session, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Cases]:
    """The drawn frames in the form that a strategy needs, made once."""
    made: dict[bool, Cases] = {}

    def cases(strategy: str) -> Cases:
        is_laid_out = strategy == "colocated"
        if is_laid_out not in made:
            prepare = laid_out(tmp_path_factory.mktemp("layouts")) if is_laid_out else None
            made[is_laid_out] = Cases(spark_session, prepare=prepare)
        return made[is_laid_out]

    return cases


def settings(index: int, zone: str) -> dict[str, str]:
    return {
        "spark.sql.session.timeZone": zone,
        "spark.sql.ansi.enabled": "true" if index % 2 else "false",
        "spark.sql.shuffle.partitions": str(PARTITIONS[(index + 1) % 3]),
        "spark.sql.adaptive.coalescePartitions.enabled": "false",
    }


# Every zone joins the first batch, which has everything that a zone could change; the others take turns.
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_gives_the_same_in_every_session(spark, cases_of, strategy: str, zone: str) -> None:
    cases, index = cases_of(strategy), ZONES.index(zone) + list(STRATEGIES).index(strategy)
    turn = 1 + index % (len(cases.batches) - 1)
    with session_like(spark, settings(index, zone)):
        failures = cases.failures(strategy, partitions=PARTITIONS[index % 3], only={0, turn})
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_without_evidence_the_features_are_the_same(spark, cases_of, strategy: str) -> None:
    """Without evidence, clocks that the result does not need are not carried, nor outcomes that can only be a match."""
    cases = cases_of(strategy)
    at_label = [index for index, batch in enumerate(cases.batches) if batch[0].first.knowledge == "at_label"]
    index = at_label[list(STRATEGIES).index(strategy) % len(at_label)]
    found = cases.features(strategy, index, is_plain=True)
    wanted = cases.features("sql", index, is_plain=False)
    assert found == wanted, f"{found - wanted} for {wanted - found}"


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_s15_an_empty_spine_stays_empty(spark, tmp_path: Path, strategy: str) -> None:
    facts = frame(spark, "who:bigint  event_time  value\n1  3d  a")
    history = History("view", facts, keys=("who",), features=("value",))
    history = laid_out(tmp_path)(replace(history, name="h1")) if strategy == "colocated" else history
    spine = frame(spark, "who:bigint  label_time:timestamp")
    same(point_in_time_join(spine, [history], strategy=strategy).select("who"), "who:bigint")
