"""A certificate shows its verdict first and every reason against it, and is the same every time."""

from dataclasses import replace
from pathlib import Path

import pytest

from reports import CertificateCheck, CertificatePage, ViewEvidence, render_certificate, write_certificate
from reports.errors import ReportNotWritten
from reports.training_set import LeakTestChange, LeakTestInstant, LeakTestResult
from tests.support.pages import Page

EVIL = "<script>alert('x')</script>\"'&"


def spend(**changes: object) -> ViewEvidence:
    view = ViewEvidence(
        "household_spend",
        "aggregate/household_spend/v1",
        version=12,
        clock="snapshots, facts before T",
        availability="publish delay of 6 h",
        max_age="9d",
        rows=84_020,
        matched=81_578,
        unseen=119,
        expired=2_310,
        ended=10,
        without_key=3,
        ties=4,
        event_at_label=2_204,
        available_at_label=31,
        newest_event="2017-12-03T00:00:00Z",
        newest_available="2017-12-03T06:00:00Z",
        smallest_event_gap=86_400.0,
        smallest_availability_gap=64_800.0,
    )
    return replace(view, **changes)


def certificate(**changes: object) -> CertificatePage:
    page = CertificatePage(
        "churn_2017",
        "churn_v1",
        is_certified=True,
        reasons=(),
        warnings=(),
        checks=(CertificateCheck("rows in = rows out", True, "84,020 = 84,020"),),
        views=(spend(),),
        static_sources=("demographics",),
        spine={"rows": 84_020, "first_label_time": "2017-04-03T00:00:00Z", "label": None},
        options={"knowledge": "as_known", "includes_label_instant": False},
        tables={"aggregate/household_spend/v1": 12},
        versions={"pyspark": "4.1.4"},
        content_hash="9f2c41d07b5e8a33",
        release=36,
        made_at="2026-02-01T03:12:09Z",
    )
    return replace(page, **changes)


def seen(**changes: object) -> Page:
    return Page(render_certificate(certificate(**changes)))


def of_view(**changes: object) -> str:
    text = seen(views=(spend(**changes),)).text
    return text[text.index("Where each value comes from") :]


def test_the_page_is_well_formed_loads_nothing_and_executes_nothing():
    page = seen(warnings=("one",))
    assert page.open == []
    assert page.loads == ["data:,"]
    assert page.links == []
    assert len(page.ids) == len(set(page.ids))
    assert not {"script", "iframe", "img", "object", "embed"} & set(page.tags)
    assert not any(word in page.styles for word in ("url(", "@import", "http"))


def test_the_verdict_comes_right_after_the_name_and_before_everything_else():
    page = seen()
    head = "churn_2017 For the feature service churn_v1 · release 36 · made 2026-02-01 03:12:09 UTC ✓ Certified"
    assert head in page.text
    assert "Not certified" not in page.text


def test_a_refused_certificate_names_every_reason_at_the_top_and_promises_nothing():
    page = seen(is_certified=False, reasons=("31 rows saw their future", 'knowledge="latest"'))
    assert '✕ Not certified 31 rows saw their future knowledge="latest" rows 84,020' in page.text
    assert "✓ Certified" not in page.text
    assert "No row was given a value from its own future" not in page.text


def test_a_refusal_without_a_reason_says_that_too():
    assert "✕ Not certified No reason was given." in seen(is_certified=False).text


def test_warnings_stand_beside_a_good_verdict():
    text = seen(warnings=("4 ties reached the columns", "delay 0 was assumed")).text
    assert "! 2 warnings 4 ties reached the columns delay 0 was assumed" in text
    assert text.index("✓ Certified") < text.index("! 2 warnings") < text.index("What a certificate promises")


def test_every_check_is_shown_with_what_was_found_and_those_that_failed_are_counted():
    failed = CertificateCheck("nothing was known too late", False, "31 rows")
    text = seen(checks=(*certificate().checks, failed)).text
    assert "1 of 2 checks did not hold." in text
    assert "✓ rows in = rows out 84,020 = 84,020 ✕ nothing was known too late 31 rows" in text
    assert "The one check held." in seen().text
    assert "All 2 checks held." in seen(checks=certificate().checks * 2).text
    assert "No check was made." in seen(checks=()).text


def test_a_view_is_shown_with_its_table_and_the_version_that_was_read():
    assert "household_spend aggregate/household_spend/v1 version 12" in of_view()
    assert "aggregate/household_spend/v1 without a version" in of_view(version=None)


def test_the_rows_of_a_view_are_shown_by_outcome_with_their_shares():
    counts = (
        "matched 81,578 97.1 % unseen 119 0.1 % expired 2,310 2.7 % ended 10 < 0.1 % without key 3 < 0.1 % newest event"
    )
    assert counts in of_view()


def test_rows_that_no_outcome_accounts_for_are_shown_as_such():
    assert "not accounted for" not in of_view()
    assert "not accounted for 19 < 0.1 %" in of_view(unseen=100)


def test_a_view_that_no_row_found_anything_in_has_dashes_and_one_bar():
    nothing = dict.fromkeys(("matched", "unseen", "expired", "ended", "without_key"), 0)
    unknown = dict.fromkeys(
        ("newest_event", "newest_available", "smallest_event_gap", "smallest_availability_gap"), None
    )
    text = of_view(**{**nothing, "unseen": 84_020}, **unknown, clock="", availability="", max_age="")
    assert "matched 0 unseen 84,020 100 % expired 0" in text
    assert "newest event seen – newest knowledge used – closest event – closest knowledge –" in text
    assert "age limit – undecided ties 4 clock – availability from –" in text


def test_a_spine_without_rows_has_no_shares():
    none = dict.fromkeys(("rows", "matched", "unseen", "expired", "ended", "without_key"), 0)
    assert "matched 0 unseen 0 expired 0 ended 0 without key 0 newest event" in of_view(**none)


def test_clocks_boundaries_ties_and_newest_instants_are_shown():
    text = of_view()
    assert "newest event seen 2017-12-03 00:00 UTC newest knowledge used 2017-12-03 06:00 UTC" in text
    assert "event at the label time 2,204 rows known at the label time 31 rows" in text
    assert (
        "age limit 9d undecided ties 4 clock snapshots, facts before T availability from publish delay of 6 h" in text
    )


@pytest.mark.parametrize(
    ("gap", "words"),
    [
        (43_200.0, "12 h before its label"),
        (0.000001, "1 µs before its label"),
        (0.0, "at the very label time"),
        (-21_600.0, "6 h after its label"),
        (None, "–"),
    ],
)
def test_the_smallest_gap_is_shown_in_words(gap: float | None, words: str):
    assert f"closest knowledge {words} event at" in of_view(smallest_availability_gap=gap)


def test_a_gap_behind_the_label_is_marked_as_a_failure():
    assert "failed" not in seen().classes
    assert "failed" in seen(views=(spend(smallest_event_gap=-1.0),)).classes


def test_a_static_view_claims_no_clock():
    text = of_view(is_static=True)
    assert "version 12 · static" in text
    assert "Static: it carries no time" in text
    assert "closest event" not in text


def test_static_sources_are_named_or_their_absence_is():
    assert "Static sources: demographics. They carry no time" in seen().text
    assert "Static sources: none." in seen(static_sources=()).text


def test_the_reach_of_the_sources_stands_below_the_views():
    assert "known up to" not in seen().text
    text = seen(reach={"raw/rides/v1": "2024-06-07T17:00:00Z", "raw/status/v1": "2024-06-01T00:00:00Z"}).text
    assert "Facts are known up to: raw/rides/v1 2024-06-07 17:00 UTC, raw/status/v1 2024-06-01 00:00 UTC. A row" in text


def test_each_content_hash_says_of_what_it_is():
    text = seen(spine={"from": "a table", "rows": 5, "content hash": "77aa"}).text
    assert "content hash of the spine's rows 77aa" in text
    assert "of all rows of the training set: content hash 9f2c41d07b5e8a33" in text


def test_all_that_it_takes_to_build_it_again_is_named():
    text = seen().text
    again = text[text.index("How to build it again") :]
    assert "content hash 9f2c41d07b5e8a33" in again
    assert "Tables aggregate/household_spend/v1 version 12" in again
    assert "Options knowledge as_known includes_label_instant no Engines pyspark 4.1.4" in again


def test_the_facts_of_the_spine_are_shown_and_what_is_not_known_is_a_dash():
    page = seen()
    assert "rows 84,020" in page.text
    assert "first label time 2017-04-03" in page.text
    assert "label –" in page.text


def test_markup_in_any_text_is_shown_as_text():
    page = seen(
        name=EVIL,
        service=EVIL,
        is_certified=False,
        reasons=(EVIL,),
        warnings=(EVIL,),
        checks=(CertificateCheck(EVIL, False, EVIL),),
        views=(spend(name=EVIL, table=EVIL, clock=EVIL, availability=EVIL, max_age=EVIL, newest_event=EVIL),),
        static_sources=(EVIL,),
        spine={EVIL: EVIL},
        options={EVIL: EVIL},
        versions={EVIL: EVIL},
        content_hash=EVIL,
        made_at=EVIL,
    )
    assert "script" not in page.tags
    assert page.text.count(EVIL) > 15
    assert page.open == []


def test_a_certificate_of_nothing_still_has_a_page():
    page = seen(views=(), checks=(), spine={}, options={}, tables={}, versions={}, static_sources=())
    assert "No view was joined." in page.text
    assert page.open == []


def test_the_same_certificate_gives_the_same_bytes_and_stays_small():
    views = tuple(spend(name=f"view_{number}") for number in range(12))
    pages = [render_certificate(certificate(views=views)) for _ in range(2)]
    assert pages[0] == pages[1]
    assert len(pages[0].encode()) < 100_000


def test_it_is_written_whole_or_not_at_all(tmp_path: Path):
    path = write_certificate(certificate(), tmp_path / "new folder" / "certificate.html")
    assert path.read_text(encoding="utf-8") == render_certificate(certificate())
    assert [file.name for file in path.parent.iterdir()] == ["certificate.html"]
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(ReportNotWritten, match=r"The certificate could not be written.*the training set itself is not"):
        write_certificate(certificate(), tmp_path / "taken" / "certificate.html")


LEAK_TEST = LeakTestResult(
    verdict="held",
    perturbations=("removed", "replaced"),
    instants=(LeakTestInstant("2017-07-03T12:00:00Z", rows=200, unknowable={"raw/transactions/v1": 731_004}),),
    entities=200,
    rows=200,
    cells=10_400,
    facts={"raw/transactions/v1": 1_469_307, "raw/promotions/v1": 604_119},
    made_at="2026-02-01T04:00:00Z",
    seconds=61.5,
)


def test_a_certificate_without_a_leak_test_says_how_to_run_one():
    text = seen().text
    assert "Not run." in text
    assert "ziggurat training-set prove churn_2017" in text


def test_a_leak_test_that_held_shows_what_was_compared_and_which_facts_were_changed():
    page = seen(leak_test=LEAK_TEST)
    assert page.open == []
    assert "None of 10,400 cells of 200 rows about 200 entities at one label time changed." in page.text
    assert "was removed, then replaced by other values." in page.text
    assert "2017-07-03 12:00 UTC 200 731,004 –" in page.text
    assert "in reach 200 1,469,307 604,119" in page.text


def test_a_cell_that_changed_is_shown_and_never_read_as_markup():
    change = LeakTestChange(
        "spend__sum",
        keys=f"name={EVIL}",
        label_time="2017-07-03T12:00:00Z",
        perturbation="removed",
        stored="31.2",
        rebuilt="null",
    )
    result = replace(LEAK_TEST, verdict="broken", changed_cells=21, changes=(change,))
    page = seen(leak_test=result, is_certified=False, reasons=(f"leak test: {result.summary('churn_2017')}",))
    assert "script" not in page.tags
    size = "21 of 10,400 cells of 200 rows about 200 entities at one label time"
    assert f"{size} changed: these features depend on facts of the future" in page.text
    assert "The first cells that changed, of 21" in page.text
    assert "31.2 null removed" in page.text


def test_a_release_that_raw_no_longer_gives_is_not_called_a_leak():
    change = LeakTestChange(
        "a__b", keys="k=1", label_time="2017-07-03T12:00:00Z", perturbation="removed", stored="1", rebuilt="2"
    )
    text = replace(LEAK_TEST, verdict="broken", changed_cells=1, changes=(change,), is_stale=True).summary("x")
    assert "raw no longer gives what was released, whether its future is changed or not" in text
