"""A feature service: what it takes, what a spine must bring, and what it refuses where it is written."""

from dataclasses import replace

import pytest

from definitions.errors import DefinitionError, UnknownName
from definitions.registry import load
from definitions.services import FeatureService, features_of
from definitions.versions import service_features, service_fingerprint
from features.aggregate.household_spend import household_spend
from features.aggregate.household_visits import household_visits
from features.aggregate.product_sales import product_sales
from features.derived.basket_lines import basket_lines
from features.entities import campaign, household
from features.raw.campaign_descriptions import campaign_descriptions
from features.raw.demographics import demographics
from ziggurat.model import Column, Entity, EventTime, Kind, LoadTime, Source

SPEND = features_of(household_spend, "sales_value_sum_7d", "spend_trend")


def service(*selections, name="spend_v1"):
    return FeatureService(name, features=selections, owner="crm")


def names(selection):
    return [column.name for column in selection.columns]


def test_columns_come_out_in_the_order_in_which_they_are_taken():
    taken = service(features_of(household_visits, "visit_count_distinct_7d"), SPEND)
    assert names(taken) == [
        "household_visits__visit_count_distinct_7d",
        "household_spend__sales_value_sum_7d",
        "household_spend__spend_trend",
    ]


def test_without_names_all_published_features_are_taken_and_no_hidden_one():
    assert features_of(household_visits).names == tuple(feature.name for feature in household_visits.published)
    assert not any(name.startswith("visit_time") for name in features_of(household_visits).names)


def test_facts_give_all_columns_but_their_keys_and_clocks():
    taken = features_of(campaign_descriptions, entity=campaign).names
    assert taken == ("campaign_type", "start_date", "end_date")
    assert "unit_price" in features_of(basket_lines, entity=household).names


def test_a_role_names_its_columns_and_the_spines_key():
    pair = service(SPEND, replace(SPEND, role="neighbour"))
    assert names(pair)[2] == "neighbour_household_spend__sales_value_sum_7d"
    assert pair.keys == (("household_id", "bigint"), ("neighbour_household_id", "bigint"))


def test_a_service_over_two_entities_needs_the_keys_of_both():
    both = service(SPEND, features_of(product_sales, "quantity_sum_7d"))
    assert both.keys == (("household_id", "bigint"), ("product_id", "bigint"))


def test_the_publish_delay_is_the_longest_of_its_snapshots():
    assert service(SPEND).publish_delay_us == 4 * 3_600_000_000
    assert service(features_of(demographics, entity=household)).publish_delay_us == 0


def test_an_age_limit_shorter_than_cadence_and_publish_delay_is_refused():
    assert features_of(household_spend, max_age="28h").max_age_us == 28 * 3_600_000_000
    with pytest.raises(DefinitionError, match=r"max_age 27h of 'household_spend' is shorter .*100,800 s.*S18"):
        features_of(household_spend, max_age="27h")


@pytest.mark.parametrize(
    ("refused", "error", "message"),
    [
        (lambda: features_of(household_spend, "spend_tend"), UnknownName, "Did you mean 'spend_trend'"),
        (lambda: features_of(household_visits, "visit_time_max_lifetime"), UnknownName, "is not a feature"),
        (lambda: features_of(household_spend, "spend_trend", "spend_trend"), DefinitionError, "taken twice"),
        (lambda: features_of(basket_lines), DefinitionError, "name the entity"),
        (lambda: features_of(household_spend, entity=campaign), DefinitionError, "describes household"),
        (lambda: features_of(basket_lines, entity=campaign), DefinitionError, "key 'campaign_id' is bigint"),
        (lambda: features_of(demographics, entity=household, max_age="9d"), DefinitionError, "has no age"),
        (lambda: features_of(household_spend, role="Neighbour"), DefinitionError, "is not a name"),
        (lambda: service(), DefinitionError, "takes no features"),
        (lambda: service(SPEND, features_of(household_spend)), DefinitionError, "'household_spend'; take all"),
        (lambda: service(SPEND, name="Spend v1"), DefinitionError, "is not a name"),
    ],
)
def test_what_can_not_be_joined_is_refused_where_it_is_written(refused, error, message):
    with pytest.raises(error, match=message):
        refused()


SHOP = Entity("shop", keys=(("shop_id", "bigint"),))
HOME_SHOP = Entity("home_shop", keys=(("home_shop_id", "bigint"),))


def facts(name, *features, kind=Kind.EVENTS, key="shop_id"):
    """A source with a key and these columns."""
    clock = {"event_time": EventTime("at"), "available": LoadTime()} if kind is Kind.EVENTS else {}
    columns = (Column(key, "bigint"), Column("at", "timestamp"), *(Column(feature, "bigint") for feature in features))
    return Source(name=name, kind=kind, version=1, owner="tests", columns=columns, **clock)


@pytest.mark.parametrize(
    ("selections", "message"),
    [
        (
            (features_of(facts("a", "b__c"), "b__c", entity=SHOP), features_of(facts("a__b", "c"), "c", entity=SHOP)),
            "'b__c' of 'a' and 'c' of 'a__b' would both be the column 'a__b__c'",
        ),
        (
            (features_of(facts("owners", "age"), "age", entity=SHOP),),
            "'age' of 'owners' and the age of 'owners' in batch frames would both be the column 'owners__age'",
        ),
        (
            (
                features_of(facts("a", "b"), "b", entity=SHOP, role="home"),
                features_of(facts("d", "e", key="home_shop_id"), "e", entity=HOME_SHOP),
            ),
            "column 'home_shop_id' would be the key 'shop_id' in the role 'home' and the key 'home_shop_id'; choose",
        ),
        (
            (features_of(facts("a", "b", key="a__b"), "b", entity=Entity("odd", keys=(("a__b", "bigint"),))),),
            "the join key 'a__b' and 'b' of 'a' would both be the column 'a__b'",
        ),
    ],
)
def test_two_things_of_one_name_are_refused_with_both(selections, message):
    with pytest.raises(DefinitionError, match=message):
        service(*selections)


def test_a_static_view_has_no_age_in_a_batch_frame_and_may_have_a_feature_of_that_name():
    assert names(features_of(facts("owners", "age", kind=Kind.STATIC), "age", entity=SHOP)) == ["owners__age"]
    assert service(features_of(facts("owners", "age", kind=Kind.STATIC), "age", entity=SHOP)).columns


def test_one_key_of_two_entities_is_one_column_of_the_spine():
    both = Entity("visit", keys=(("shop_id", "bigint"), ("at", "timestamp")))
    pair = service(features_of(facts("a", "b"), "b", entity=SHOP), features_of(facts("d", "e"), "e", entity=both))
    assert [key for key, _ in pair.keys] == ["shop_id", "at"]


def test_the_fingerprint_covers_what_changes_values_and_their_order_and_nothing_else():
    mark = service_fingerprint(service(SPEND))
    assert service_fingerprint(FeatureService("other_v1", features=(SPEND,), owner="x", doc="words")) == mark
    others = [
        service(features_of(household_spend, "spend_trend", "sales_value_sum_7d")),
        service(replace(SPEND, max_age="9d")),
        service(replace(SPEND, role="neighbour")),
        service(replace(SPEND, names=("sales_value_sum_7d",))),
    ]
    assert len({mark, *map(service_fingerprint, others)}) == 1 + len(others)


def test_seeing_the_label_instant_is_part_of_the_services_meaning_and_of_no_columns():
    declared = features_of(campaign_descriptions, "campaign_type", entity=campaign)
    without = replace(declared, view=replace(campaign_descriptions, includes_label_instant=False))
    assert service_features(service(declared)) == service_features(service(without))
    assert service_fingerprint(service(declared)) != service_fingerprint(service(without))


def test_the_shipped_services_and_labels_are_found_by_name():
    registry = load()
    assert registry.service("churn_v1").keys == (("household_id", "bigint"),)
    assert registry.label("coupon_14d").key_names == ("household_id", "campaign_id")
    with pytest.raises(UnknownName, match=r"no feature service is called 'churn'.* Did you mean 'churn_v1'"):
        registry.service("churn")
    with pytest.raises(UnknownName, match="no label is called 'churn_v1'"):
        registry.label("churn_v1")
