"""Definitions answer what callers ask of their tables, so that no caller needs to know their kind."""

from typing import get_args

import pytest

from definitions import description, versions
from definitions.durations import DAY_US, duration_us
from definitions.registry import Registry, key_of, load
from definitions.tables import FactTable, PartitionBy, SnapshotTable
from definitions.views import Definition, View
from features.aggregate.household_spend import household_spend
from features.cross_entity.household_vs_cohort import household_vs_cohort
from features.derived.basket_lines import basket_lines
from features.entities import household
from features.raw.demographics import demographics
from features.raw.transactions import transactions
from jobs.leak_test import scenarios


@pytest.fixture(scope="module")
def shipped() -> Registry:
    return load()


@pytest.mark.parametrize(
    ("builders", "kinds"),
    [
        (description._KINDS, Definition),
        (versions._FINGERPRINTS, Definition),
        (versions._VIEW_MEANINGS, View),
        (scenarios._WIDENERS, Definition),
    ],
    ids=["description", "fingerprints", "meaning of views", "leak test"],
)
def test_every_kind_has_its_entry_where_kinds_differ(builders: dict, kinds: object) -> None:
    assert set(builders) == set(get_args(kinds))


def test_facts_have_no_cut_and_snapshots_no_lookups(shipped: Registry) -> None:
    for definition in shipped.definitions:
        assert isinstance(definition, SnapshotTable if definition.is_snapshot else FactTable)
        assert definition.is_delivered == (definition.layer == "raw")
        if definition.is_snapshot:
            assert definition.lookups == ()
            assert definition.partition_by is PartitionBy.DAY
            assert not definition.is_static
        else:
            assert (definition.entity, definition.key_names, definition.cut_delay_us) == (None, (), 0)


def test_each_stands_on_one_source_and_reads_others() -> None:
    assert transactions.root is transactions
    for view in (basket_lines, household_spend, household_vs_cohort):
        assert view.root is transactions
    assert transactions.sources_below == (transactions,)
    assert [source.name for source in basket_lines.sources_below] == ["transactions", "products", "promotions"]
    assert demographics in household_vs_cohort.sources_below
    assert len(set(household_vs_cohort.sources_below)) == len(household_vs_cohort.sources_below)


def test_a_driver_is_what_a_view_goes_through_row_by_row() -> None:
    assert basket_lines.driver is transactions
    assert household_spend.driver is basket_lines
    assert transactions.driver is household_vs_cohort.driver is None


def test_a_derived_view_keeps_the_partitions_of_its_source() -> None:
    assert basket_lines.partition_by is transactions.partition_by


def test_what_a_service_can_select_are_features_of_snapshots_and_columns_of_facts() -> None:
    assert list(household_spend.selectable) == [feature.name for feature in household_spend.published]
    assert set(basket_lines.selectable) == set(basket_lines.schema) - {"event_time", "available_time"}
    assert basket_lines.selectable["sales_value"].unit == "USD"
    assert basket_lines.selectable["unit_price"].operation == "expression"


def test_snapshots_are_joined_by_their_entity_and_facts_by_any_column() -> None:
    assert household_spend.join_columns == dict(household.keys)
    assert household_spend.key_names == household.key_names
    assert basket_lines.join_columns == basket_lines.schema


def test_the_next_snapshot_is_due_a_cadence_and_a_publish_delay_later() -> None:
    assert household_spend.successor_after_us == DAY_US + household_spend.publish_delay_us
    assert transactions.successor_after_us == 0


def test_the_columns_that_an_aggregate_depends_on_are_known_unless_it_chooses_a_fact(shipped: Registry) -> None:
    assert household_spend.columns_read is not None
    assert {"household_id", "sales_value", "basket_id", "quantity"} <= household_spend.columns_read
    assert "department" not in household_spend.columns_read
    for definition in shipped.definitions:
        if definition.layer != "aggregate":
            assert definition.columns_read is None, key_of(definition)


def test_availability_is_said_in_words() -> None:
    hours = household_spend.publish_delay_us / duration_us("1h")
    assert household_spend.availability == f"as-of + {hours:g} h (publish delay)"
    assert basket_lines.availability == "the latest of all facts that a row is made of"
    assert transactions.availability == "event + 4 h (landing delay), or the load that brought it late"
    assert demographics.availability == "none: static"
