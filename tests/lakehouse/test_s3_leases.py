"""Leases in a bucket: the same rules by conditional puts, on moto's S3."""

import json

import boto3
import pytest
from moto import mock_aws

from lakehouse.leases.leases import Claim, LeaseDesk
from lakehouse.leases.owners import LeaseOwner
from lakehouse.leases.stores import BucketClaims
from lakehouse.storage_errors import Fenced, LeaseHeld, StorageError

TABLE = "aggregate/household_spend/v1"


@pytest.fixture
def bucket(monkeypatch):
    for name, value in (("ACCESS_KEY_ID", "x"), ("SECRET_ACCESS_KEY", "x"), ("DEFAULT_REGION", "eu-west-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        yield "s3a://lake/ware house/leases"


def test_one_run_holds_a_table_and_tokens_grow(bucket: str):
    first = LeaseDesk.at(bucket, run_id="run-a").acquire(TABLE)
    with pytest.raises(LeaseHeld, match="run-a"):
        LeaseDesk.at(bucket, run_id="run-b").acquire(TABLE)
    first.release()
    with LeaseDesk.at(bucket, run_id="run-b").acquire(TABLE) as second:
        assert second.token == first.token + 1
        assert second.renew() == first.token + 2
        second.check()
    with pytest.raises(Fenced):
        first.check()


def test_a_claim_is_created_once_and_rewritten_only_by_who_wrote_it_last(bucket: str):
    mine, theirs = BucketClaims(bucket), BucketClaims(bucket)
    assert mine.create(TABLE, 7, b"mine")
    assert not theirs.create(TABLE, 7, b"theirs")
    assert not theirs.rewrite(TABLE, 7, b"theirs")
    assert mine.rewrite(TABLE, 7, b"mine again")
    assert theirs.read(TABLE, 7) == b"mine again"
    assert 0 <= theirs.age_seconds(TABLE, 7) < 60
    mine.drop(TABLE, 7)
    assert theirs.tokens(TABLE) == []
    assert not mine.rewrite(TABLE, 7, b"mine")
    assert theirs.read(TABLE, 7) is theirs.age_seconds(TABLE, 7) is None


def test_a_dead_holders_lease_is_taken_over(bucket: str):
    dead = Claim(TABLE, 7, "run-z", "2017-11-30T00:00:00+00:00", LeaseOwner("elsewhere", "", 1, ""))
    BucketClaims(bucket).create(TABLE, 7, dead.to_json())
    with pytest.raises(LeaseHeld, match="elsewhere"):
        LeaseDesk.at(bucket, run_id="run-a").acquire(TABLE)
    with LeaseDesk(BucketClaims(bucket), "run-a", stale_after_seconds=-1).acquire(TABLE) as lease:
        assert lease.token == 8
    assert json.loads(BucketClaims(bucket).read(TABLE, 8))["is_released"]


def test_a_missing_bucket_is_an_error_of_one_sentence(bucket: str):
    with pytest.raises(StorageError, match="the bucket does not exist"):
        LeaseDesk.at("s3://nowhere/leases", run_id="run-a").acquire(TABLE)
