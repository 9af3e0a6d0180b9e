"""The reasons why a column differs, from two manifests."""

from dataclasses import replace
from typing import Any

import pytest

from jobs.training_set.explain import explain_differences
from jobs.training_set.manifest import ManifestOptions, SplitRequest, ViewPart
from tests.support.stored_manifest import stored_manifest

VIEW = ViewPart(
    table="aggregate/spend/v1", version=3, features={"total": "f00d"}, entity="household",
    keys=(("household_id", "bigint"),), spine_keys=("household_id",), role="", max_age="9d",
    includes_label_instant=False,
)  # fmt: skip
BEFORE = replace(
    stored_manifest(),
    name="churn",
    origin="label churn, version 1",
    options=ManifestOptions(knowledge="at_label"),
    views={"spend": VIEW},
    split=None,
)


def reasons(column: str, **changed: Any) -> list[tuple[str, str]]:
    return [(reason.why, reason.told) for reason in explain_differences(column, BEFORE, replace(BEFORE, **changed))]


@pytest.mark.parametrize(
    ("changed", "why", "text"),
    [
        ({"features": {"total": "beef"}}, "definition", "fingerprint f00d and beef"),
        ({"table": "aggregate/spend/v2"}, "definition", "aggregate/spend/v1 and aggregate/spend/v2"),
        ({"version": 4}, "data", "aggregate/spend/v1 at versions 3 and 4"),
        ({"max_age": ""}, "options", "max_age 9d and none"),
        ({"spine_keys": ("customer",)}, "options", "spine_keys household_id and customer"),
        ({"keys": (("household_id", "int"),)}, "options", "keys household_id bigint and household_id int"),
    ],
)
def test_a_feature_differs_by_its_definition_its_data_or_how_it_is_joined(changed, why, text):
    assert reasons("spend__total", views={"spend": replace(VIEW, **changed)}) == [(why, text)]


def test_all_reasons_are_given_and_none_is_invented():
    other = {"spend": replace(VIEW, version=4, max_age="30d")}
    given = reasons("spend__total", views=other, options=ManifestOptions(knowledge="latest"))
    assert [why for why, _ in given] == ["data", "options", "options"]
    assert reasons("spend__total") == [("unknown", "both manifests name the same inputs: verify both")]


def test_a_column_of_the_spine_differs_by_its_labels_and_a_split_by_its_options_or_its_rows():
    assert reasons("is_churned", origin="survey.csv") == [
        ("labels", "the spines differ: label churn, version 1 and survey.csv")
    ]
    at = ("2024-06-03T00:00:00Z", "2024-06-08T00:00:00Z")
    a, b = (
        replace(
            BEFORE,
            split=stored_manifest().split,
            options=ManifestOptions(knowledge="at_label", split=SplitRequest(at=at, gap=gap)),
        )
        for gap in ("30d", "40d")
    )
    (reason,) = explain_differences("split", a, b)
    times = ",".join(at)
    assert (reason.why, reason.told) == ("options", f"split {times} gap 30d and {times} gap 40d")
    assert [reason.why for reason in explain_differences("split", a, a)] == ["labels"]
