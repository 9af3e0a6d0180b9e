"""The leak test before Spark starts: its label times, the facts that can be known then, and the widened keys."""

from dataclasses import replace

import pytest

from definitions.durations import instant_us
from definitions.errors import ExpressionFailed
from definitions.registry import key_of
from features.cross_entity.household_taste import household_taste
from features.cross_entity.household_vs_cohort import household_vs_cohort
from features.entities import campaign, household
from features.raw.campaign_descriptions import campaign_descriptions
from features.raw.demographics import demographics
from features.services import churn_v1, coupon_v1
from jobs.leak_test.rebuild import named_failures
from jobs.leak_test.sample import spread
from jobs.leak_test.scenarios import (
    SCENARIO,
    Knowable,
    Perturbation,
    everything_below,
    scenarios_of,
    wide_selection,
    widened,
)
from kernels.operations.sum import SumOverflow
from ziggurat.model import FeatureService, features_of

NOON, SUNDAY, BEFORE = map(instant_us, ("2017-07-03T12:00:00Z", "2017-07-02", "2017-06-25"))
HOUR_US = 3_600_000_000


@pytest.mark.parametrize(
    ("times", "chosen"), [(0, []), (1, [0]), (5, [0, 1, 2, 3, 4]), (6, [0, 1, 2, 4, 5]), (101, [0, 25, 50, 75, 100])]
)
def test_label_times_are_spread_from_the_first_to_the_last(times: int, chosen: list[int]) -> None:
    assert spread(range(times)) == chosen


def test_a_snapshot_may_know_what_its_cut_knew_and_a_fact_what_its_label_time_knows() -> None:
    service = FeatureService(
        "three_v1",
        features=(
            features_of(household_taste),
            features_of(campaign_descriptions, "campaign_type", entity=campaign),
            features_of(demographics, "age", entity=household),
        ),
        owner="tests",
    )
    snapshots, facts = scenarios_of(
        service, [NOON], {(0, NOON): [BEFORE, SUNDAY]}, perturbations=[Perturbation.REMOVED]
    )
    assert snapshots.knowable == Knowable(SUNDAY, SUNDAY + 4 * HOUR_US)
    assert facts.knowable == Knowable(NOON, NOON, includes_edge=True)  # a plan counts from its first instant
    assert (snapshots.selections, facts.selections) == ((0,), (1,))
    assert set(snapshots.as_ofs) == {key_of(household_taste), key_of(household_taste.of)}
    assert set(snapshots.as_ofs.values()) == {(BEFORE, SUNDAY)}


def test_a_snapshot_that_was_stamped_as_out_before_its_cut_knows_no_more_than_its_label_time() -> None:
    service = FeatureService("one_v1", features=(features_of(household_taste),), owner="tests")
    (scenario,) = scenarios_of(
        service, [SUNDAY + HOUR_US], {(0, SUNDAY + HOUR_US): [SUNDAY]}, perturbations=[Perturbation.MIXED]
    )
    assert scenario.knowable == Knowable(SUNDAY, SUNDAY + HOUR_US)


def test_views_that_may_know_the_same_share_a_scenario_and_each_perturbation_has_its_own() -> None:
    seen = {(index, NOON): [SUNDAY] for index in range(len(churn_v1.features))}
    both = scenarios_of(churn_v1, [NOON], seen, perturbations=[Perturbation.REMOVED, Perturbation.REPLACED])
    assert [scenario.number for scenario in both] == [0, 1]
    assert {scenario.selections for scenario in both} == {tuple(range(len(churn_v1.features)))}


def test_a_service_that_can_see_no_snapshot_yet_needs_no_scenario() -> None:
    assert scenarios_of(churn_v1, [NOON], {}, perturbations=[Perturbation.REMOVED]) == ()


@pytest.mark.parametrize("service", [churn_v1, coupon_v1], ids=lambda service: service.name)
def test_every_view_with_a_clock_gets_the_scenario_as_one_more_key_and_keeps_all_else(service: FeatureService) -> None:
    for selection in service.features:
        if getattr(selection.view, "is_static", False):
            assert widened(selection.view) is selection.view
            continue
        wide = wide_selection(selection)
        assert wide.entity.key_names == (*selection.entity.key_names, SCENARIO)
        assert replace(wide, view=selection.view, entity=selection.entity) == selection
        below = everything_below(wide.view)
        assert set(below) >= set(everything_below(selection.view)) - {"raw/demographics/v1"}


def test_members_of_a_cohort_are_those_of_their_own_scenario() -> None:
    for view in (household_taste, household_vs_cohort):
        wide = widened(view)
        assert wide.group.by == (*view.group.by, SCENARIO)
        assert wide.group.source.identity == ("household_id", SCENARIO)
        assert wide.group.unknown is view.group.unknown


def test_a_value_that_can_not_be_computed_is_named_with_what_the_leak_test_did() -> None:
    """Replaced values may leave a type that the facts themselves fit; other failures stay what they are."""
    named = ExpressionFailed("view 'trips' v1, feature 'x': metres * 60 fails.")
    with (
        pytest.raises(ExpressionFailed, match=r"fails\. The leak test replaces values of the future by the least and"),
        named_failures(lambda error: named),
    ):
        raise SumOverflow("metres")
    with pytest.raises(SumOverflow, match="metres"), named_failures(lambda error: None):
        raise SumOverflow("metres")
