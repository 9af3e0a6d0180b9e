"""The rows of the table `profiles`: one per published slice and feature."""

import pandas as pd

from definitions.durations import instant_us
from quality.profile_table import PROFILES, ProfiledSlices, profile_rows

SPEND = "aggregate/household_spend/v1"
FIRST, SECOND = "2017-11-29", "2017-11-30"


def profile(*slices: str) -> pd.DataFrame:
    lines = [
        {
            "slice": instant_us(name), "feature": "spend", "rows": 3, "nulls": 1, "nans": 0,
            "minimum": 1.5, "maximum": 4.0, "mean": 2.75,
        }
        for name in slices
    ]  # fmt: skip
    return pd.DataFrame(lines)


def test_a_published_slice_has_a_row_per_feature_with_the_version_that_holds_it() -> None:
    rows = profile_rows("run-1", [ProfiledSlices(SPEND, {SECOND: 7}, profile(SECOND))])
    assert rows.schema == PROFILES
    assert rows.to_pylist() == [
        {
            "table": SPEND, "slice": SECOND, "run_id": "run-1", "table_version": 7, "feature": "spend",
            "rows": 3, "nulls": 1, "nans": 0, "minimum": 1.5, "maximum": 4.0, "mean": 2.75,
        }
    ]  # fmt: skip


def test_a_slice_that_was_measured_and_not_published_has_none() -> None:
    rows = profile_rows("run-1", [ProfiledSlices(SPEND, {SECOND: 7}, profile(FIRST, SECOND))])
    assert rows["slice"].to_pylist() == [SECOND]
    assert profile_rows("run-1", [ProfiledSlices(SPEND, {}, profile(FIRST))]).num_rows == 0
    assert profile_rows("run-1", [ProfiledSlices("raw/baskets/v1", {"delivery": 0}, None)]).num_rows == 0


def test_figures_that_are_missing_are_null() -> None:
    nothing = profile(SECOND).assign(minimum=float("nan"), maximum=float("nan"), mean=float("nan"), nulls=3)
    (row,) = profile_rows("run-1", [ProfiledSlices(SPEND, {SECOND: 7}, nothing)]).to_pylist()
    assert (row["nulls"], row["minimum"], row["maximum"], row["mean"]) == (3, None, None, None)
