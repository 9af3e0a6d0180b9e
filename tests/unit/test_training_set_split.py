"""A split as the command line says it: what is taken, and what is refused with the fix."""

import pytest

from definitions.errors import SpineColumnsError, UsageError
from features.labels import churn_30d
from jobs.training_set.split import Split, refuse_taken
from jobs.training_set.split_request import SplitRequest, parse_split, with_gap


def test_shares_and_instants_are_read_in_one_form_however_they_are_written():
    assert parse_split("0.70,.15, 0.15", "", "30d") == SplitRequest(shares=("0.7", "0.15", "0.15"), gap="30d")
    at = SplitRequest(at=("2024-06-01T00:00:00Z", "2024-07-01T22:00:00Z"), gap="0s")
    assert parse_split("", "2024-06-01,2024-07-02T00:00:00+02:00", "0s") == at
    assert parse_split("", "", "") is None


def test_what_the_manifest_tells_is_the_split_that_was_asked_for():
    for asked in (parse_split("0.7,0.15,0.15", "", "30d"), parse_split("", "2024-06-01,2024-07-01", "7d")):
        assert SplitRequest.of_manifest({"split": asked.told()}) == asked
    assert SplitRequest.of_manifest({"knowledge": "at_label"}) is None
    assert Split.of_manifest({}) is None


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("0.7,0.15,0.15", "2024-06-01,2024-07-01", ""), "give one of them"),
        (("0.7,0.3", "", ""), "they add up to 1"),
        (("0.7,0.2,0.2", "", ""), "they add up to 1"),
        (("1.2,-0.1,-0.1", "", ""), "they add up to 1"),
        (("nan,0.5,0.5", "", ""), "they add up to 1"),
        (("a,b,c", "", ""), "they add up to 1"),
        (("", "2024-06-01", ""), "write two instants"),
        (("", "2024-07-01,2024-06-01", ""), "in this order"),
        (("", "2024-06-01T12:00:00,2024-07-01", ""), "has no zone"),
        (("0.7,0.15,0.15", "", "1 month"), "--gap: '1 month' is not a duration"),
        (("", "", "30d"), "say --split"),
    ],
)
def test_what_can_t_be_meant_is_refused_with_the_fix(words, told):
    with pytest.raises(UsageError, match=told):
        parse_split(*words)


def test_the_gap_is_the_label_s_horizon_and_never_shorter():
    shares = SplitRequest(shares=("0.7", "0.15", "0.15"))
    assert with_gap(shares, churn_30d).gap == "30d"
    assert with_gap(SplitRequest(shares=shares.shares, gap="40d"), churn_30d).gap == "40d"
    with pytest.raises(UsageError, match="shorter than the horizon of label 'churn_30d', 30d"):
        with_gap(SplitRequest(shares=shares.shares, gap="29d"), churn_30d)
    with pytest.raises(UsageError, match="say it with --gap 30d"):
        with_gap(shares, None)
    assert with_gap(SplitRequest(shares=shares.shares, gap="0s"), None).gap == "0s"


def test_a_spine_column_that_the_split_would_write_is_refused():
    with pytest.raises(SpineColumnsError, match="column 'Split'"):
        refuse_taken(["household_id", "Split"])
    refuse_taken(["household_id", "split_by"])
