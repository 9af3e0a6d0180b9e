"""A label is refused where it is written, if no correct spine follows from its declaration (S27)."""

from dataclasses import replace

import pytest

from definitions.errors import DefinitionError
from definitions.labels import AtStart, Every
from features.entities import campaign, household, product
from features.labels import churn_30d, coupon_14d
from features.raw.campaign_descriptions import campaign_descriptions
from features.raw.campaigns import campaigns
from features.raw.coupon_redemptions import coupon_redemptions
from features.raw.demographics import demographics
from features.raw.transactions import transactions


def test_an_entity_is_seen_by_the_keys_that_the_source_has():
    assert coupon_14d.key_names == ("household_id", "campaign_id")
    assert coupon_14d.seen is transactions
    assert coupon_14d.seen_by == ("household_id",)
    assert churn_30d.seen is churn_30d.source


def test_members_are_paired_by_what_identifies_the_fact_that_they_belong_to():
    assert AtStart(campaign_descriptions, members=campaigns).on == ("campaign_id",)


@pytest.mark.parametrize(
    ("refused", "message"),
    [
        (lambda: replace(churn_30d, column="churned"), "call it is_… or has_…"),
        (lambda: replace(churn_30d, source=campaign_descriptions), "labels need events"),
        (lambda: replace(churn_30d, horizon="0d"), "contains no fact"),
        (lambda: replace(churn_30d, horizon="30"), "is not a duration"),
        (lambda: replace(churn_30d, entities=(household, campaign)), "has no key 'campaign_id'"),
        (lambda: replace(churn_30d, seen_in=campaign_descriptions), "no entity can be found there"),
        (lambda: replace(coupon_14d, entities=(product,)), "has no key 'product_id'"),
        (lambda: Every(first="2017-01-02T12:00:00", step="7d"), "has no zone"),
        (lambda: Every(first="2017-01-02", step="0s"), "longer than 0s"),
        (lambda: AtStart(demographics, members=campaigns), "the first needs a clock"),
        (lambda: AtStart(campaign_descriptions, members=coupon_redemptions), "the second must be static"),
        (lambda: AtStart(campaign_descriptions, members=demographics), "no column in common"),
    ],
)
def test_an_impossible_label_can_not_be_written(refused, message):
    with pytest.raises(DefinitionError, match=message):
        refused()
