"""What a service answers: its columns in order, by the rules of age (S18) and of who was seen (D17)."""

import datetime as dt
from decimal import Decimal

import pytest

from definitions.errors import UnknownName, UsageError
from online_store.answer import answer
from online_store.errors import OnlineStoreError
from online_store.key_text import key_value
from online_store.snapshot import SnapshotDescription, StoredSelection, StoredService
from tests.online.examples import DAY_US, DEALS, FIRST_US, SPEND, a_snapshot, a_view, nightly


@pytest.fixture
def reader(embedded):
    """The snapshot of the third day; what it says is 2 everywhere."""
    embedded.export(*nightly(2))
    with embedded.open() as reader:
        yield reader


NOW = FIRST_US + 2 * DAY_US


def test_a_service_answers_its_columns_in_its_order_with_what_they_mean(reader):
    result = answer(reader, "churn_v1", {"household_id": 22}, NOW + 3)
    assert result.values == {
        "household_spend__visit_count_7d": 24,
        "household_spend__sales_value_sum_7d": 2.0,
        "demographics__age": "35-44",
    }
    assert next(iter(result.values)) == "household_spend__visit_count_7d"
    assert (result.service, result.fingerprint, result.at_us) == ("churn_v1", "c" * 64, NOW + 3)
    assert (result.snapshot_id, result.as_of, result.release) == (reader.snapshot_id, "2017-11-03", 2)
    spend, profile = result.views
    assert (spend.name, spend.table, spend.as_of, spend.state) == ("household_spend", SPEND, "2017-11-03", "fresh")
    assert spend.definition.startswith("household_spend0")
    assert (spend.event_time_us, spend.age_us) == (NOW, 3)
    assert [(feature.type, feature.unit) for feature in spend.features] == [("bigint", ""), ("double", "USD")]
    assert (profile.state, profile.event_time_us, profile.age_us) == ("static", None, None)


@pytest.mark.parametrize(
    ("age_us", "state", "value"),
    [(0, "fresh", 2.0), (2 * DAY_US - 1, "fresh", 2.0), (2 * DAY_US, "expired", None), (900 * DAY_US, "expired", None)],
)
def test_a_value_is_kept_while_it_is_younger_than_max_age_strictly(reader, age_us, state, value):
    [spend, profile] = answer(reader, "churn_v1", {"household_id": 22}, NOW + age_us).views
    assert (spend.state, spend.age_us, spend.event_time_us) == (state, age_us, NOW)
    assert spend.features[1].value == value
    assert (spend.features[0].value is None) == (value is None)
    assert profile.features[0].value == "35-44"


def test_age_counts_from_the_record_not_from_the_snapshot(reader):
    keys = {"household_id": 22, "product_id": "früh/1", "referrer_household_id": 1}
    deals, _ = answer(reader, "referral_v2", keys, NOW).views
    assert (deals.age_us, deals.state, deals.features[0].value) == (3 * DAY_US, "expired", None)


def test_an_entity_that_was_not_seen_gets_nulls_and_no_age(reader):
    spend, profile = answer(reader, "churn_v1", {"household_id": 23}, NOW).views
    for view in (spend, profile):
        assert (view.state, view.event_time_us, view.age_us) == ("unseen", None, None)
        assert {feature.value for feature in view.features} == {None}


def test_one_row_names_entities_in_several_roles(reader):
    keys = {"household_id": "1", "product_id": "x", "referrer_household_id": "333"}
    result = answer(reader, "referral_v2", keys, NOW)
    assert result.values == {"deals__deal_count": None, "referrer_household_spend__visit_count_7d": 335}
    assert [(key.name, key.value, key.type) for key in result.keys] == [
        ("household_id", 1, "bigint"),
        ("product_id", "x", "string"),
        ("referrer_household_id", 333, "bigint"),
    ]


def test_an_instant_before_the_snapshot_is_refused(reader):
    with pytest.raises(UsageError, match=r"2017-11-02T23:59:59\.999999Z lies before 2017-11-03"):
        answer(reader, "churn_v1", {"household_id": 22}, NOW - 1)


def test_an_unknown_service_says_which_was_meant(reader):
    with pytest.raises(UnknownName, match=r"has no service 'churn_v2'\. Did you mean 'churn_v1'"):
        answer(reader, "churn_v2", {"household_id": 22}, NOW)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({}, r"'referral_v2' needs household_id \(bigint\), product_id \(string\), referrer_household_id \(bigint\); "
             "'household_id' is missing"),
        ({"household_id": 1, "product_id": "x"}, "'referrer_household_id' is missing"),
        ({"household_id": 1, "product_id": "x", "referrer_household_id": 2, "store": 3}, r"no key 'store'; it needs"),
        ({"household_id": "x1", "product_id": "x", "referrer_household_id": 2}, "'x1' is not a whole number of 64"),
    ],
)  # fmt: skip
def test_keys_that_do_not_fit_are_refused_with_those_that_are_needed(reader, keys, message):
    with pytest.raises(UsageError, match=message):
        answer(reader, "referral_v2", keys, NOW)


@pytest.mark.parametrize(
    ("type_", "given", "value"),
    [
        ("bigint", "1234", 1234),
        ("bigint", "-0012", -12),
        ("bigint", 2**63 - 1, 2**63 - 1),
        ("int", "2147483647", 2**31 - 1),
        ("string", "1234", "1234"),
        ("string", "", ""),
        ("date", "2017-11-30", dt.date(2017, 11, 30)),
        ("timestamp", "2017-11-30T01:00:00+01:00", dt.datetime(2017, 11, 30, tzinfo=dt.UTC)),
        ("decimal(10,2)", "12.5", Decimal("12.50")),
        ("decimal(38,0)", "9" * 38, Decimal("9" * 38)),
        ("boolean", "true", True),
    ],
)
def test_key_text_is_read_by_the_type_of_the_key(type_, given, value):
    result = key_value(given, type_, where="key")
    assert (type(result), str(result)) == (type(value), str(value))


@pytest.mark.parametrize(
    ("type_", "given"),
    [
        ("bigint", "12.0"), ("bigint", "1_000"), ("bigint", ""), ("bigint", "١٢"), ("bigint", str(2**63)),
        ("bigint", True), ("bigint", 12.0), ("bigint", "9" * 9_999), ("int", "2147483648"), ("string", 1234),
        ("string", "\udcff"), ("date", "2017-11-31"), ("date", "20171130"), ("timestamp", "2017-11-30T01:00:00"),
        ("decimal(10,2)", "12.505"), ("decimal(10,2)", "NaN"), ("decimal(4,2)", "123.00"), ("boolean", "yes"),
        ("binary", "%"),
    ],
)  # fmt: skip
def test_text_that_is_no_such_key_is_a_usage_error(type_, given):
    with pytest.raises(UsageError, match=r"service 'x', key 'k': .* is not "):
        key_value(given, type_, where="service 'x', key 'k'")


def test_a_description_that_does_not_hold_together_is_refused():
    view = a_view(DEALS, keys={"household_id": "bigint"}, columns={"n": "int"}, rows=1)

    def described(table=DEALS, keys=(("household_id", "household_id"),), features=("n",)):
        selection = StoredSelection("deals", table, keys=keys, features=features)
        return a_snapshot(view, services=[StoredService("s_v1", "f", selections=(selection,))])

    assert isinstance(described(), SnapshotDescription)
    for wrong, message in (
        ({"table": "other"}, "the snapshot has no view 'other'"),
        ({"features": ("m",)}, "has no column 'm'"),
        (
            {"keys": (("household_id", "id"),)},
            r"its keys name \['id'\], but .* has \['household_id'\]",
        ),
    ):
        with pytest.raises(OnlineStoreError, match=f"service 's_v1', 'deals': .*{message}"):
            described(**wrong)
    with pytest.raises(OnlineStoreError, match="can't hold 'aggregate/deals/v2' twice"):
        a_snapshot(view, view)
    with pytest.raises(OnlineStoreError, match="longer than 255 bytes"):
        a_view("raw/" + "x" * 252, keys={"id": "bigint"}, columns={}, rows=0)
