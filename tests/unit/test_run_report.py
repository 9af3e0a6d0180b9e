"""The page of a run loads nothing, shows every result and no other, and is the same every time."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reports import (
    Check,
    ColumnCard,
    Profile,
    QuarantineLine,
    RunReport,
    Sample,
    StepLine,
    ViewCard,
    write_run_report,
)
from reports.errors import ReportNotWritten
from reports.run_report import render_run_report
from tests.support.pages import Page


def spend(**changes: object) -> ViewCard:
    card = ViewCard(
        "household_spend",
        "aggregate",
        version=1,
        doc="What a household spends.",
        entity="household",
        columns=(
            ColumnCard("sales_value_sum_7d", "decimal(12,2)", unit="USD", doc="Paid within a week."),
            ColumnCard("spend_trend", "double"),
        ),
        upstream=("derived/basket_lines/v1",),
    )
    return replace(card, **changes)


def source(name: str) -> ViewCard:
    columns = (ColumnCard("quantity", "int", unit="pieces"),)
    return ViewCard(name, "raw", version=1, doc="As delivered.", entity=None, columns=columns, upstream=())


def step(name: str, status: str = "published", **changes: object) -> StepLine:
    line = StepLine(
        name, name.split("/")[0], status=status, rows_in=1_469_310, rows_out=1_469_307, seconds=12.4, started=3.0
    )
    return replace(line, **changes)


def run(**changes: object) -> RunReport:
    lines = ViewCard(
        "basket_lines",
        "derived",
        version=1,
        doc="One line of a basket.",
        entity=None,
        columns=(ColumnCard("unit_price", "double", unit="USD"),),
        upstream=("transactions", "raw/products/v1"),
    )
    report = RunReport(
        "run-1",
        "ziggurat build --as-of 2017-11-30",
        as_of=("2017-11-30",),
        started_at=datetime(2026, 2, 1, 3, 12, 9, tzinfo=UTC),
        seconds=212.4,
        status="ended",
        versions={"pyspark": "4.1.4"},
        steps=(step("raw/transactions/v1"), step("aggregate/household_spend/v1", rows_out=2_469)),
        views=(source("transactions"), source("products"), lines, spend()),
    )
    return replace(report, **changes)


def profile(at: str, feature: str = "sales_value_sum_7d", **changes: object) -> Profile:
    line = Profile("household_spend", at, feature=feature, rows=1000, nulls=32, minimum=0.0, maximum=912.5, mean=41.25)
    return replace(line, **changes)


def failed(**changes: object) -> Check:
    check = Check(
        "aggregate/household_spend/v1",
        "2017-11-30",
        feature="sales_value_sum_7d",
        expectation="at least 0",
        bound=0.0,
        found=-3.25,
        passed=False,
    )
    return replace(check, **changes)


def seen(**changes: object) -> Page:
    return Page(render_run_report(run(**changes)))


def everything() -> RunReport:
    return run(
        profiles=tuple(profile(f"2017-11-{day}") for day in (16, 23, 30)),
        samples=(Sample("household_spend", {"sales_value_sum_7d": [1.0, None, 2.5], "spend_trend": [None, None]}),),
        checks=(failed(), failed(passed=True, found=3.0), failed(passed=None, found=None)),
        quarantine=(QuarantineLine("promotions", "duplicate identity", rows=2_785),),
        peak_memory_mb=4312.0,
        release="12",
        example={"raw": (("quantity", 2, "pieces"),), "aggregate": (("sales_value_sum_7d", None, "USD"),)},
        example_entity="Household 1762",
    )


def test_the_page_is_well_formed_and_its_links_lead_somewhere():
    page = Page(render_run_report(everything()))
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)


def test_nothing_is_loaded_and_nothing_is_executed():
    page = Page(render_run_report(everything()))
    assert page.loads == ["data:,"]
    assert not {"script", "iframe", "img", "object", "embed"} & set(page.tags)
    assert "url(" not in page.styles
    assert "@import" not in page.styles
    assert "http" not in page.styles


def test_every_view_and_every_feature_is_on_the_page():
    report = everything()
    text = Page(render_run_report(report)).text
    for view in report.views:
        assert view.address in text
        assert view.doc in text
        assert all(column.name in text and column.unit in text for column in view.columns)


def test_the_head_shows_status_instants_and_totals():
    page = seen()
    assert "As of 2017-11-30" in page.text
    assert "views 4" in page.text
    assert "features 3" in page.text  # two of household_spend, one of basket_lines; raw columns are no features
    assert "rows published 1,471,776" in page.text  # 1,469,307 + 2,469
    assert "wall time 3 min 32 s" in page.text


def test_the_mark_beside_the_status_is_that_of_the_worst_step():
    assert "✓ ended" in seen(checks=(failed(),)).text  # a check that only warns leaves its view published
    assert "⊘ ended" in seen(steps=(step("raw/a/v1"), step("raw/b/v1", "blocked"))).text
    assert "✕ ended" in seen(steps=(step("raw/a/v1", "failed"), step("raw/b/v1", "blocked"))).text


def test_rows_of_unchanged_steps_are_not_called_published():
    page = seen(steps=(step("raw/transactions/v1", "unchanged"), step("raw/products/v1", rows_out=7)))
    assert "rows published 7" in page.text


def test_what_was_not_counted_is_a_dash_and_what_did_not_happen_is_zero():
    assert "rows published –" in seen(steps=(step("raw/transactions/v1", rows_out=None),)).text
    assert "rows published 0" in seen(steps=(step("raw/transactions/v1", "unchanged"),)).text


def test_a_failed_check_stands_above_the_pyramid_with_its_figures():
    page = seen(checks=(failed(),))
    found = "aggregate/household_spend/v1 sales_value_sum_7d 2017-11-30 expected at least 0, found -3.25"
    assert found in page.text
    assert page.text.index(found) < page.text.index("The pyramid")


def test_a_check_that_could_not_be_made_is_neither_passed_nor_failed():
    page = seen(checks=(failed(passed=None, found=None),))
    assert "? could not check" in page.text
    assert "1 check: 1 could not be made" in page.text
    assert "✕ failed aggregate/" not in page.text


def test_what_failed_comes_before_what_could_not_be_checked_and_the_newest_first():
    page = seen(
        checks=(
            failed(passed=None, found=None, feature="unknown"),
            failed(slice="2017-11-23", feature="older"),
            failed(feature="newer"),
        )
    )
    positions = [page.text.index(f"{name} 2017") for name in ("newer", "older", "unknown")]
    assert positions == sorted(positions)


def test_checks_that_held_are_gathered_over_their_slices():
    checks = tuple(failed(slice=f"2017-11-{day}", found=float(day), passed=True) for day in range(10, 30))
    page = seen(checks=checks)
    assert "20 checks: 20 passed" in page.text
    assert "at least 0 10 … 29 20" in page.text
    assert "What did not pass" not in page.text


def test_many_failures_are_cut_and_the_rest_is_counted():
    page = seen(checks=tuple(failed(feature=f"feature_{number}") for number in range(50)))
    assert "And 10 more" in page.text


def test_markup_in_any_text_is_shown_as_text():
    evil = "<script>alert('x')</script>\"'&"
    report = run(
        run_id=evil,
        command=evil,
        status=evil,
        as_of=(evil, evil),
        release=evil,
        versions={evil: evil},
        views=(spend(name=f"evil_{evil}".replace("/", ""), doc=evil, entity=evil, upstream=(evil,)), spend()),
        steps=(step(f"raw/{evil}", message=evil),),
        profiles=(profile("2017-11-30", evil, view="household_spend"),),
        samples=(Sample("household_spend", {evil: [1.0, 2.0]}),),
        checks=(failed(view=evil, feature=evil, expectation=evil, slice=evil),),
        quarantine=(QuarantineLine(evil, evil, rows=1),),
        example={"raw": ((evil, evil, evil),)},
        example_entity=evil,
    )
    html = render_run_report(report)
    page = Page(html)
    assert "script" not in page.tags
    assert "<script" not in html
    assert page.text.count(evil) > 15
    assert page.open == []


def test_an_example_shows_its_features_layer_by_layer_and_null_as_a_dash():
    text = Page(render_run_report(everything())).text
    shown = text[text.index("Household 1762, through all layers") :]
    assert "aggregate sales_value_sum_7d – raw quantity 2 pieces" in shown


def test_figures_come_from_the_newest_slice():
    page = seen(profiles=(profile("2017-11-23", mean=7.0), profile("2017-11-30", nulls=250)))
    assert "1,000 rows in 2017-11-30, the newest of 2 slices" in page.text
    assert "decimal(12,2) USD 0 41.25 912.50 25 %" in page.text


def test_a_profile_of_no_rows_has_no_null_share():
    page = seen(profiles=(profile("2017-11-30", rows=0, nulls=0, minimum=None, maximum=None, mean=None),))
    assert "decimal(12,2) USD – – – –" in page.text


def test_a_feature_of_nulls_only_has_a_note_instead_of_a_picture():
    page = seen(samples=(Sample("household_spend", {"spend_trend": [None, None]}),))
    assert "spend_trend no value in the sample" in page.text


def test_a_feature_that_no_card_declares_is_shown_all_the_same():
    assert "undeclared_feature" in seen(profiles=(profile("2017-11-30", "undeclared_feature"),)).text


def test_a_step_that_did_not_publish_says_why():
    page = seen(steps=(step("aggregate/household_spend/v1", "blocked", message="basket_lines failed"),))
    assert "⊘ blocked basket_lines failed" in page.text


def test_quarantined_rows_are_shown_with_their_reason():
    page = seen(quarantine=(QuarantineLine("promotions", "duplicate identity", rows=2_785),))
    assert "promotions duplicate identity 2,785" in page.text
    assert "2,785 rows in quarantine" in page.text


def test_a_run_that_stopped_before_its_first_step_still_has_a_page():
    page = seen(steps=(), views=(), as_of=(), versions={}, seconds=0.0)
    assert "Run run-1" in page.text
    assert page.open == []


def test_the_same_run_gives_the_same_bytes_in_another_process(tmp_path: Path):
    checkout = Path(__file__).parents[2]
    script = (
        "import importlib.util, sys\n"
        f"spec = importlib.util.spec_from_file_location('t', {str(Path(__file__))!r})\n"
        "t = importlib.util.module_from_spec(spec); spec.loader.exec_module(t)\n"
        "sys.stdout.buffer.write(t.render_run_report(t.everything()).encode())\n"
    )
    pages = [
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=tmp_path,
            env={"PYTHONPATH": str(checkout), "PYTHONHASHSEED": seed, "TZ": zone},
            capture_output=True,
            check=True,
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "America/New_York"))
    ]
    assert pages[0] == pages[1] == render_run_report(everything()).encode()


def test_a_pyramid_of_ninety_features_over_thirty_six_slices_stays_small(tmp_path: Path):
    path = write_run_report(large(), tmp_path / "new folder" / "report.html")
    assert path.stat().st_size < 1_000_000
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]


def test_a_page_that_cannot_be_written_is_one_sentence_with_the_way_out(tmp_path: Path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(ReportNotWritten, match="Choose a folder that is writable") as caught:
        write_run_report(run(), tmp_path / "taken" / "report.html")
    assert caught.value.exit_code == 42


def test_an_unknown_layer_or_status_is_refused():
    with pytest.raises(ValueError, match="status of step raw/x/v1 is 'done'; it must be one of failed"):
        step("raw/x/v1", "done")
    with pytest.raises(ValueError, match="layer of view household_spend is 'middle'"):
        spend(layer="middle")


def large() -> RunReport:
    days = [f"2017-{month:02d}-{day:02d}" for month in range(1, 10) for day in (1, 8, 15, 22)]
    columns = tuple(ColumnCard(f"feature_with_a_long_name_{number}_90d", "double", unit="USD") for number in range(10))
    views = tuple(spend(name=f"view_{number}", columns=columns, upstream=()) for number in range(9))
    return run(
        views=views,
        profiles=tuple(_profiles(views, days)),
        samples=tuple(
            Sample(view.name, {column.name: [(row * 37 % 101) / 7 for row in range(2000)] for column in columns})
            for view in views
        ),
        checks=tuple(
            failed(view=line.view, slice=line.slice, feature=line.feature, expectation=expectation, passed=True)
            for line in _profiles(views, days)
            for expectation in ("at least 0", "null_share_at_most", "no duplicate key")
        ),
    )


def _profiles(views: tuple[ViewCard, ...], days: list[str]) -> Iterator[Profile]:
    for view in views:
        for column in view.columns:
            for number, day in enumerate(days):
                yield profile(day, column.name, view=view.name, mean=40.0 + number)
