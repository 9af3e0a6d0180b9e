"""Where a warehouse's files lie: the paths that `Warehouse` gives are covered by the named locations."""

from pathlib import Path

import pytest

from definitions import layers
from lakehouse.data_locations import DATA_LOCATIONS, LAYERS, location_of
from lakehouse.tables import Warehouse

WAREHOUSE = Warehouse("s3://lake/house")
PATHS = {
    **{layer.name: WAREHOUSE.table(layer.name, "household_spend", 2).path for layer in LAYERS},
    "quarantine": WAREHOUSE.quarantine("transactions").path,
    "profiles": WAREHOUSE.profiles.path,
    "spines": WAREHOUSE.spine("churn_30d").path,
    "layouts": WAREHOUSE.layout("household_spend", "household").path,
    "reports": WAREHOUSE.reports,
    "staging": WAREHOUSE.staging("run-1", "household_spend"),
    "runs": WAREHOUSE.runs.path,
    "releases": WAREHOUSE.releases.path,
    "leases": WAREHOUSE.leases,
    "training set": f"{WAREHOUSE.training_set('churn').path}/data",
    "training set pages": f"{WAREHOUSE.training_set('churn').path}/card.html",
}


@pytest.mark.parametrize("name", PATHS)
def test_each_path_of_the_warehouse_is_in_its_location(name: str) -> None:
    inside = PATHS[name].removeprefix(f"{WAREHOUSE.root}/")
    for path in (inside, f"{inside}/_delta_log/00000000000000000000.json"):
        location = location_of(path)
        assert location is not None
        assert location.name == name


def test_other_paths_are_in_none() -> None:
    for path in ("runs2", "raw/transactions", "training_sets/churn/copies/1.parquet", "scratch/x", "profiles_old/a"):
        assert location_of(path) is None, path


def test_the_layers_are_those_of_the_definitions() -> None:
    assert tuple(location.name for location in LAYERS) == layers.LAYERS


def test_names_are_unique_and_each_says_what_it_holds() -> None:
    assert len({location.name for location in DATA_LOCATIONS}) == len(DATA_LOCATIONS)
    assert all(location.holds for location in DATA_LOCATIONS)


def test_each_location_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "tables.md").read_text("utf-8")
    for location in DATA_LOCATIONS:
        assert f"| `{location.pattern}` | {location.holds} | {location.found_by.value} |" in page
