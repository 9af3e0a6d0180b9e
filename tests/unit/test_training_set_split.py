"""A split from the words of the command line: the request they make, or the refusal with its fix."""

from dataclasses import replace

import pytest

from definitions.durations import DAY_US, instant_us
from definitions.errors import SpineColumnsError, UsageError
from features.labels import churn_30d
from jobs.training_set.manifest import SplitRequest
from jobs.training_set.manifest_files import manifest_of, write_manifest
from jobs.training_set.split import Split, parse_split, refuse_split_column, with_gap
from lakehouse.tables import Warehouse
from tests.support.stored_manifest import stored_manifest


def test_shares_and_instants_are_read_in_one_form_however_they_are_written():
    assert parse_split("0.70,.15, 0.15", "", "30d") == SplitRequest(shares=("0.7", "0.15", "0.15"), gap="30d")
    at = SplitRequest(at=("2024-06-01T00:00:00Z", "2024-07-01T22:00:00Z"), gap="0s")
    assert parse_split("", "2024-06-01,2024-07-02T00:00:00+02:00", "0s") == at
    assert parse_split("", "", "") is None


def test_a_manifest_keeps_the_request_and_the_boundaries(tmp_path):
    warehouse = Warehouse(str(tmp_path))
    for request in (parse_split("0.7,0.15,0.15", "", "30d"), parse_split("", "2024-06-01,2024-07-01", "7d"), None):
        stored = stored_manifest()
        write_manifest(warehouse, replace(stored, options=replace(stored.options, split=request)))
        manifest = manifest_of(warehouse, stored.name)
        assert manifest.options.split == request
        assert Split.of_part(manifest.split) == Split(instant_us("2024-06-03"), instant_us("2024-06-08"), DAY_US)
    assert Split.of_part(None) is None


@pytest.mark.parametrize(
    ("words", "message"),
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
def test_a_wrong_option_is_refused_with_the_fix(words, message):
    with pytest.raises(UsageError, match=message):
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
        refuse_split_column(["household_id", "Split"])
    refuse_split_column(["household_id", "split_by"])
