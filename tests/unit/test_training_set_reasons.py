"""Why a column differs, as two manifests tell it."""

from dataclasses import replace
from typing import Any

import pytest

from jobs.training_set.diff_reasons import explain_differences
from jobs.training_set.manifest import Manifest

VIEW = {
    "table": "aggregate/spend/v1", "version": 3, "features": {"total": "f00d"}, "entity": "household",
    "keys": [["household_id", "bigint"]], "spine_keys": ["household_id"], "role": "", "max_age": "9d",
    "includes_label_instant": False,
}  # fmt: skip
BEFORE = Manifest(
    name="churn", run_id="r", made_at="", service="churn_v1", service_fingerprint="", features={}, release=1, tables={},
    origin="label churn, version 1", spine={}, options={"knowledge": "at_label"}, data={}, views={"spend": VIEW},
)  # fmt: skip


def whys(column: str, **changed: Any) -> list[tuple[str, str]]:
    return [(reason.why, reason.told) for reason in explain_differences(column, BEFORE, replace(BEFORE, **changed))]


@pytest.mark.parametrize(
    ("changed", "why", "told"),
    [
        ({"features": {"total": "beef"}}, "definition", "fingerprint f00d and beef"),
        ({"table": "aggregate/spend/v2"}, "definition", "aggregate/spend/v1 and aggregate/spend/v2"),
        ({"version": 4}, "data", "aggregate/spend/v1 at versions 3 and 4"),
        ({"max_age": ""}, "options", "max_age 9d and none"),
    ],
)
def test_a_feature_differs_by_its_definition_its_data_or_how_it_is_joined(changed, why, told):
    assert whys("spend__total", views={"spend": {**VIEW, **changed}}) == [(why, told)]


def test_every_reason_is_told_and_none_is_made_up():
    other = {"spend": {**VIEW, "version": 4, "max_age": "30d"}}
    found = whys("spend__total", views=other, options={"knowledge": "latest"})
    assert [why for why, _ in found] == ["data", "options", "options"]
    assert whys("spend__total") == [("unknown", "the manifests tell of no change: verify both")]


def test_a_column_of_the_spine_differs_by_its_labels_and_a_split_by_its_options_or_its_rows():
    assert whys("is_churned", origin="survey.csv") == [
        ("labels", "the spines differ: label churn, version 1 and survey.csv")
    ]
    a = replace(BEFORE, split={"gap": "30d"}, options={"split": {"gap": "30d"}})
    assert [r.why for r in explain_differences("split", a, replace(a, options={"split": {"gap": "40d"}}))] == [
        "options"
    ]
    assert [r.why for r in explain_differences("split", a, a)] == ["labels"]
