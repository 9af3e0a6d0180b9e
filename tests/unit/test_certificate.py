"""A certificate holds the promises of a training set and the counts that show them; it reads no data."""

import json
from dataclasses import asdict, replace
from typing import Any

import pytest
from pyspark.sql.types import LongType, StringType, StructType, TimestampType

from pit_join import History
from pit_join.certificate import Certificate, HistoryEvidence, certify
from tests.support.drawn import at_us


class Columns:
    """A frame's schema: all that a history reads of a frame before it is joined."""

    schema = (
        StructType()
        .add("who", LongType())
        .add("value", StringType())
        .add("event_time", TimestampType())
        .add("available_time", TimestampType())
    )
    columns = schema.names


def history(name: str = "spend", **how: Any) -> History:
    given = {"keys": ("who",), "features": ("value",), "available_time": "available_time", "identity": ("who",), **how}
    return History(name, Columns(), **given)  # type: ignore[arg-type]


SNAPSHOT = {"is_snapshot": True, "identity": None}
STATIC = {"event_time": None, "available_time": None, "identity": None}


def evidence(name: str = "spend", **found: Any) -> HistoryEvidence:
    whole = HistoryEvidence(
        name=name,
        rows=10,
        matched=6,
        unseen=1,
        expired=1,
        ended=1,
        without_key=1,
        ties=0,
        event_at_label=0,
        available_at_label=0,
        newest_event_us=at_us("3d"),
        newest_available_us=at_us("4d"),
        smallest_event_gap_us=1,
        smallest_availability_gap_us=0,
        oldest_matched_us=5_000_000,
        first_label_us=at_us("4d"),
        last_label_us=at_us("9d"),
    )
    return replace(whole, **found)


def certificate(how: dict[str, Any] | None = None, found: dict[str, Any] | None = None, **given: Any) -> Certificate:
    arguments = {"rows_in": 10, "rows_out": 10, "spine_hash_in": "a1", "spine_hash_out": "a1", **given}
    return certify({"spend": evidence(**(found or {}))}, [history(**(how or {}))], **arguments)


UNSEEN = {
    "matched": 0,
    "unseen": 9,
    "expired": 0,
    "ended": 0,
    **dict.fromkeys(("newest_event_us", "newest_available_us", "smallest_event_gap_us"), None),
    **dict.fromkeys(("smallest_availability_gap_us", "oldest_matched_us"), None),
}


def test_what_kept_every_promise_is_certified_without_a_warning() -> None:
    found = certificate({"max_age": "7d"})
    assert found.is_certified
    assert (found.failed, found.reasons, found.warnings) == ((), (), ())
    assert [check.promise for check in found.checks] == [
        "rows in = rows out",
        "the spine's rows are unchanged",
        "spend: every row is accounted for",
        "spend: no event at or after its label time",
        "spend: nothing known only after its label time",
        "spend: nothing as old as max_age",
    ]


@pytest.mark.parametrize(
    ("how", "found", "given", "reason"),
    [
        ({}, {}, {"rows_in": 11}, "rows in = rows out: 11 and 10"),
        ({}, {}, {"spine_hash_out": "b2"}, "the spine's rows are unchanged: a1 became b2"),
        ({}, {"matched": 5}, {}, "spend: every row is accounted for: 5 + 1 + 1 + 1 + 1 = 9 of 10"),
        ({}, {"rows": 9, "unseen": 0}, {}, "spend: every row is accounted for: 6 + 0 + 1 + 1 + 1 = 9 of 10"),
        (
            {},
            {"smallest_event_gap_us": 0},
            {},
            "spend: no event at or after its label time: the nearest event lies 0 s before it",
        ),
        (
            {"includes_label_instant": True},
            {"smallest_event_gap_us": -1},
            {},
            "spend: no event after its label time: the nearest event lies 1 µs after it",
        ),
        (
            SNAPSHOT,
            {"smallest_event_gap_us": -86_400_000_000},
            {},
            "spend: no event after its label time: the nearest event lies 1 d after it",
        ),
        (
            {},
            {"smallest_availability_gap_us": -1},
            {},
            "spend: nothing known only after its label time: the nearest knowledge lies 1 µs after it",
        ),
        (
            {"max_age": "5s"},
            {},
            {},
            "spend: nothing as old as max_age: the oldest is 5 s old, the limit 5 s",
        ),
    ],
)
def test_a_broken_promise_is_a_reason_not_to_certify(how, found, given, reason) -> None:
    certified = certificate(how, found, **given)
    assert not certified.is_certified
    assert certified.reasons == (reason,)
    assert len(certified.failed) == 1


@pytest.mark.parametrize(
    ("gap_us", "words"),
    [
        (0, "0 s"),
        (999, "999 µs"),
        (60_000_000, "1 min"),
        (100_800_000_000, "1 d 4 h"),
        (691_199_999_999, "7 d 23 h 59 min 59 s 999,999 µs"),
    ],
)
def test_spans_of_time_are_exact_and_readable(gap_us: int, words: str) -> None:
    found = certificate(found={"smallest_availability_gap_us": gap_us})
    assert found.checks[4].found == f"the nearest knowledge lies {words} before it"


@pytest.mark.parametrize("how", [SNAPSHOT, {"includes_label_instant": True}])
def test_s14_a_snapshot_and_what_includes_the_label_instant_may_lie_at_it(how) -> None:
    assert certificate(how, {"smallest_event_gap_us": 0}).is_certified


def test_s18_a_value_one_microsecond_younger_than_max_age_is_in_order() -> None:
    assert certificate({"max_age": "5s"}, {"oldest_matched_us": 4_999_999}).is_certified


def test_s19_the_latest_knowledge_is_never_certified_though_no_promise_is_broken() -> None:
    found = certificate(found={"smallest_availability_gap_us": -1}, knowledge="latest")
    assert not found.is_certified
    assert found.failed == ()
    assert "knowledge is 'latest'" in found.reasons[0]


@pytest.mark.parametrize(
    ("how", "found", "warning"),
    [
        (
            SNAPSHOT,
            {**UNSEEN, "first_available_us": at_us("30d")},
            "no row has a value: label times run from 2017-01-05 to 2017-01-10, but its first fact was known at "
            "2017-01-31",
        ),
        (
            SNAPSHOT,
            {**UNSEEN, "first_available_us": at_us("2d")},
            "no row has a value, though its first fact was known at 2017-01-03 and label times run from 2017-01-05 to "
            "2017-01-10: are the spine's keys those of this view?",
        ),
        (SNAPSHOT, UNSEEN, "no row has a value: it holds no facts"),
        (
            SNAPSHOT,
            {**UNSEEN, "unseen": 0, "without_key": 10},
            "no row has a value: every row lacks a key or its label time",
        ),
        (STATIC, UNSEEN, "no row has a value: none of the spine's keys is in it"),
        (
            {"available_time": None},
            {},
            "availability is assumed: each fact counts as known at its event time",
        ),
        (
            {"identity": None},
            {},
            "no identity is declared: each row counts as a fact of its own, never corrected",
        ),
        ({"includes_label_instant": True}, {}, "facts at the label time itself count, as declared"),
        ({}, {"ties": 2}, "2 rows have several latest facts, equal in all but their columns"),
    ],
)
def test_what_one_should_know_before_training_is_a_warning(how, found, warning) -> None:
    certified = certificate(how, found)
    assert certified.is_certified
    assert certified.warnings == (f"spend: {warning}",)


def test_s10_static_histories_have_no_clock_to_check_and_their_sources_are_named() -> None:
    found = certificate(STATIC, {**UNSEEN, "matched": 9, "unseen": 0}, static_sources=["raw/demographics"])
    assert found.is_certified
    assert len(found.checks) == 3
    assert found.static_sources == ("raw/demographics",)


def test_a_training_set_without_rows_or_histories_is_certified() -> None:
    assert certify({}, [], rows_in=0, rows_out=0, spine_hash_in="", spine_hash_out="").is_certified
    none = {**UNSEEN, "unseen": 0, "without_key": 0, "rows": 0, "first_label_us": None, "last_label_us": None}
    assert certificate(found=none, rows_in=0, rows_out=0).is_certified


def test_a_certificate_is_plain_values() -> None:
    stored = json.loads(json.dumps(asdict(certificate({"max_age": "7d"}))))
    assert stored["histories"][0]["matched"] == 6
    assert stored["checks"][0] == {"promise": "rows in = rows out", "passed": True, "found": "10 and 10"}
