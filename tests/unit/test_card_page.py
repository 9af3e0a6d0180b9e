"""A card shows the columns of a training set, its label over time, and the verdict of its certificate."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from reports import BalancePoint, CardColumn, CardPage, render_card, write_card
from reports.balance import balance
from reports.errors import ReportNotWritten
from tests.support.pages import Page

EVIL = "<script>alert('x')</script>\"'&"


def spend(**changes: object) -> CardColumn:
    column = CardColumn(
        "household_spend__sales_value_sum_7d",
        view="aggregate/household_spend/v1",
        type="decimal(38,2)",
        unit="USD",
        doc="Paid within a week.",
        null_share=0.032,
        minimum=0.0,
        mean=41.25,
        maximum=1912.5,
        sample=(1.0, None, 2.5),
    )
    return replace(column, **changes)


def week(day: int, positive: int = 100, unknown: int = 0, rows: int = 400) -> BalancePoint:
    return BalancePoint(f"2017-04-{day:02d}T00:00:00Z", rows, positive, unknown)


def weeks(number: int) -> tuple[BalancePoint, ...]:
    return tuple(
        BalancePoint(f"20{10 + n // 300}-{n // 28 % 12 + 1:02d}-{n % 28 + 1:02d}T00:00:00Z", 9, 3, 1)
        for n in range(number)
    )


def card(**changes: object) -> CardPage:
    page = CardPage(
        "churn_2017",
        "churn_v1",
        doc="Whether a household stays away.",
        rows=84_020,
        entities=2_469,
        label="will_churn",
        balance=(week(3), week(10, positive=60), week(17, positive=0, unknown=400)),
        columns=(spend(), spend(name="household_spend__spend_trend", unit="", doc="", null_share=0.0)),
        is_certified=True,
        reasons=(),
        warnings=(),
        content_hash="9f2c41d07b5e8a33",
        made_at="2026-02-01T03:12:09Z",
    )
    return replace(page, **changes)


def seen(**changes: object) -> Page:
    return Page(render_card(card(**changes)))


def after(heading: str, **changes: object) -> str:
    text = seen(**changes).text
    return text[text.index(heading) :]


def test_the_page_is_well_formed_loads_nothing_and_executes_nothing():
    page = seen(warnings=("one",))
    assert page.open == []
    assert page.loads == ["data:,"]
    assert len(page.ids) == len(set(page.ids))
    assert not {"script", "iframe", "img", "object", "embed"} & set(page.tags)
    assert not any(word in page.styles for word in ("url(", "@import", "http"))


def test_the_head_shows_name_service_and_numbers():
    text = seen().text
    assert (
        "churn_2017 Whether a household stays away. Features of churn_v1 · label will_churn · made 2026-02-01" in text
    )
    assert "rows 84,020 entities 2,469 columns 2 view 1 label times 3 positive share 20 %" in text


def test_a_page_says_what_its_points_count_and_how_many_label_times_there_are():
    page = seen(grain="day", label_times=1_440)
    assert "label times 1,440 positive share" in page.text
    assert "rows per day, up to 400" in page.text
    assert "Figures of 3 days" in page.text
    assert "label time" not in page.text.split("rows per day")[1]
    one = seen(grain="month", label_times=60, balance=(week(3),)).text
    assert "Figures of 1 month" in one
    assert "rows per label time, up to 400" in seen().text
    assert "of all rows of the training set: content hash 9f2c41d07b5e8a33" in seen().text


def test_the_verdict_leads_to_the_certificate_in_the_same_folder():
    page = seen()
    assert "✓ Certified No row was given a value from its own future. Read the certificate" in page.text
    assert page.links == ["certificate.html"]


def test_a_refusal_and_its_reasons_and_warnings_are_on_the_card_too():
    page = seen(is_certified=False, reasons=("31 rows saw their future",), warnings=("delay 0 was assumed",))
    assert "✕ Not certified 31 rows saw their future Read the certificate ! 1 warning delay 0 was assumed" in page.text
    assert "✓ Certified" not in page.text
    assert "No row was given" not in page.text


def test_labels_are_counted_in_all_and_by_label_time_and_shares_are_of_the_known():
    text = after("The label over time")
    assert "positive 160 13.3 % negative 640 53.3 % unknown 400 33.3 %" in text
    assert "positive share of the known labels, 15 % to 25 %" in text
    assert "2017-04-10: 400 rows, 60 positive, 340 negative, 0 unknown" in text
    assert "2017-04-17 400 0 0 400 –" in text


def test_label_times_are_drawn_in_order_of_time():
    drawn = balance((week(17), week(3), week(10)))
    assert drawn is not None
    assert [bar.label_time for bar in drawn.bars] == ["2017-04-03", "2017-04-10", "2017-04-17"]


def test_the_tallest_bar_is_as_tall_as_the_picture_and_parts_stand_on_one_another():
    drawn = balance((week(3, positive=100, unknown=100, rows=400), week(10, rows=200, positive=0)))
    assert drawn is not None
    assert drawn.bars[0].paths == (
        ("positive", "M220.00 150.00v-37.50h60.00v37.50z"),
        ("negative", "M220.00 112.50v-75.00h60.00v75.00z"),
        ("unknown", "M220.00 37.50v-37.50h60.00v37.50z"),
    )
    assert drawn.bars[1].paths == (("negative", "M720.00 150.00v-75.00h60.00v75.00z"),)


@pytest.mark.parametrize(
    ("number", "ticks"), [(1, 1), (2, 2), (3, 3), (4, 3), (5, 5), (6, 5), (7, 7), (36, 7), (300, 7)]
)
def test_the_axis_names_the_first_and_the_last_and_a_few_between(number: int, ticks: int):
    drawn = balance(weeks(number))
    assert drawn is not None
    assert len(drawn.bars) == number
    assert len(drawn.ticks) == ticks
    assert drawn.ticks[0].text == drawn.bars[0].label_time
    assert drawn.ticks[-1].text == drawn.bars[-1].label_time
    assert sum(not tick.is_minor for tick in drawn.ticks) == min(ticks, 3)


def test_the_line_of_shares_breaks_where_no_label_is_known():
    assert line([week(3), week(10), week(17)]).count("M") == 1
    assert line([week(3), week(10, unknown=400, positive=0), week(17)]).count("M") == 2
    assert line([week(3, unknown=400, positive=0)]) == ""


def line(points: Sequence[BalancePoint]) -> str:
    drawn = balance(points)
    assert drawn is not None
    return drawn.line


def test_labels_that_are_all_negative_or_all_of_no_row_can_be_drawn():
    assert "positive 0 negative 400 100 % unknown 0" in after("The label over time", balance=(week(3, positive=0),))
    assert "2017-04-03 0 0 0 0 –" in after("The label over time", balance=(week(3, positive=0, rows=0),))


def test_a_set_without_a_label_says_so_and_shows_no_shares():
    page = seen(label=None, balance=())
    assert "no label" in page.text
    assert "This training set has no label." in page.text
    rows_only = seen(label=None, balance=(week(3, positive=0, unknown=400),)).text
    assert "Rows over time" in rows_only
    assert "2017-04-03 400" in rows_only
    assert "positive" not in rows_only


def test_nulls_are_shown_column_by_column_the_emptiest_first():
    columns = (spend(name="a"), spend(name="b", null_share=0.5), spend(name="c", null_share=0.0))
    text = after("Nulls", columns=columns)
    assert "2 columns have nulls, the emptiest first. The other has none. b 50 % a 3.2 %" in text


def test_no_null_and_not_counted_are_two_things():
    assert "Nulls No column has nulls." in seen(columns=(spend(null_share=0.0),)).text
    text = seen(columns=(spend(name="a", null_share=0.0), spend(name="b", null_share=None))).text
    assert "Nulls None in 1 column. Not counted in b." in text


def test_columns_stand_under_their_view_with_type_unit_and_figures():
    text = after("The columns")
    assert "aggregate/household_spend/v1 2 columns column type unit distribution min mean max null" in text
    assert "sales_value_sum_7d Paid within a week. decimal(38,2) USD" in text
    assert "0 41.25 1,912.50 3.2 %" in text


def test_columns_keep_their_order_and_those_without_a_view_are_shown_too():
    columns = (spend(name="household_id", view=""), spend(), spend(name="taste__x", view="cross_entity/taste/v1"))
    text = after("The columns", columns=columns)
    positions = [
        text.index(name) for name in ("The spine", "household_id", "sales_value_sum_7d", "cross_entity/taste/v1")
    ]
    assert positions == sorted(positions)


def test_what_is_not_known_of_a_column_is_a_dash():
    bare = spend(unit="", doc="", minimum=None, mean=None, maximum=None, null_share=None, sample=())
    assert "decimal(38,2) – – – – – –" in after("The columns", columns=(bare,))


def test_texts_and_instants_have_a_smallest_and_a_largest_too():
    columns = (
        spend(type="string", minimum="19-24", maximum="65+", mean=None),
        spend(type="timestamp", minimum="2017-04-03T00:00:00Z", maximum="2017-12-04T12:00:00Z", mean=None),
    )
    text = after("The columns", columns=columns)
    assert "19-24 – 65+" in text
    assert "2017-04-03 – 2017-12-04 12:00" in text


def test_markup_in_any_text_is_shown_as_text():
    page = seen(
        name=EVIL,
        service=EVIL,
        doc=EVIL,
        label=EVIL,
        balance=(BalancePoint(EVIL, 3, 1, 1),),
        columns=(spend(name=EVIL, view=EVIL, type=EVIL, unit=EVIL, doc=EVIL, minimum=EVIL, maximum=EVIL),),
        is_certified=False,
        reasons=(EVIL,),
        warnings=(EVIL,),
        content_hash=EVIL,
        made_at=EVIL,
    )
    assert "script" not in page.tags
    assert page.text.count(EVIL) > 15
    assert page.open == []


def test_a_card_of_nothing_still_has_a_page():
    page = seen(rows=0, entities=0, columns=(), balance=(), doc="")
    assert "No column." in page.text
    assert "No label time was counted." in page.text
    assert page.open == []


def test_the_same_card_gives_the_same_bytes_and_three_hundred_label_times_stay_small():
    columns = tuple(
        spend(name=f"view__feature_with_a_long_name_{n}_90d", sample=[row * 37 % 101 / 7 for row in range(2000)])
        for n in range(40)
    )
    pages = [render_card(card(columns=columns, balance=weeks(300))) for _ in range(2)]
    assert pages[0] == pages[1]
    assert len(pages[0].encode()) < 400_000


def test_it_is_written_whole_or_not_at_all(tmp_path: Path):
    path = write_card(card(), tmp_path / "new folder" / "card.html")
    assert path.read_text(encoding="utf-8") == render_card(card())
    assert [file.name for file in path.parent.iterdir()] == ["card.html"]
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(ReportNotWritten, match=r"The card could not be written.*the training set itself is not"):
        write_card(card(), tmp_path / "taken" / "card.html")
