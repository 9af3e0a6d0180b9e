"""The picture of the pyramid: wide steps below, every box on its step, no line through a name."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import combinations, pairwise

from reports import RunReport, StepLine, ViewCard
from reports.pyramid import Box, Pyramid, broken, pyramid

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def view(layer: str, name: str, reads: Iterable[str] = ()) -> ViewCard:
    return ViewCard(name, layer, version=1, doc="", entity=None, columns=(), upstream=tuple(reads))


def drawn(*views: ViewCard, steps: tuple[StepLine, ...] = ()) -> Pyramid:
    return pyramid(
        RunReport(
            "run",
            "build",
            as_of=(),
            started_at=datetime(2026, 1, 1, tzinfo=UTC),
            seconds=1,
            status="ended",
            versions={},
            steps=steps,
            views=views,
        )
    )


def shipped() -> tuple[ViewCard, ...]:
    raw = [view("raw", f"source_with_a_name_{n}") for n in range(8)]
    derived = [view("derived", f"lines_{n}", [raw[n].address, raw[(n * 3 + 5) % 8].address]) for n in range(4)]
    aggregate = [
        view("aggregate", f"household_department_mix_{n}", [derived[n % 4].address, raw[7 - n].address])
        for n in range(8)
    ]
    cross = [
        view("cross_entity", f"against_everyone_{n}", [aggregate[n].address, derived[n % 4].address, raw[n].address])
        for n in range(5)
    ]
    return (*raw, *derived, *aggregate, *cross)


def box(picture: Pyramid, name: str) -> Box:
    return next(box for box in picture.boxes if box.node.short_name == name)


def test_each_step_is_wider_than_the_one_above_it():
    steps = drawn(*shipped()).steps
    assert [step.layer for step in steps] == ["cross_entity", "aggregate", "derived", "raw"]
    assert all(above.width < below.width for above, below in pairwise(steps))
    assert all(above.y + above.height < below.y for above, below in pairwise(steps))


def test_every_view_has_a_box_on_its_own_step_and_no_two_overlap():
    picture = drawn(*shipped())
    assert len(picture.boxes) == 25
    ground = {step.layer: step for step in picture.steps}
    for one in picture.boxes:
        step = ground[one.node.layer]
        assert step.x < one.x
        assert one.x + one.width < step.x + step.width
        assert step.y < one.y
        assert one.y + one.height < step.y + step.height
    for one, other in combinations(picture.boxes, 2):
        apart = one.x + one.width <= other.x or other.x + other.width <= one.x
        assert apart or one.y + one.height <= other.y or other.y + other.height <= one.y


def test_every_read_is_a_line_and_none_passes_through_a_box():
    views = shipped()
    picture = drawn(*views)
    assert len(picture.lines) == sum(len(view.upstream) for view in views)
    for line in picture.lines:
        x = y = 0.0
        for command, given in re.findall(r"([MCV])([^MCV]+)", line.path):
            figures = [float(number) for number in NUMBER.findall(given)]
            if command == "V":  # a straight piece, right through a step
                assert not any(one.x < x < one.x + one.width for one in picture.boxes if figures[0] <= one.y < y)
                y = figures[0]
            else:
                x, y = figures[-2:]


def test_names_are_whole_in_a_box_of_the_shipped_size():
    for one in drawn(*shipped()).boxes:
        assert "".join(one.lines) == one.node.short_name


def test_a_name_is_broken_after_underscores_and_cut_where_nothing_helps():
    assert broken("household_department_mix", 14) == ("household_", "department_mix")
    assert broken("a" * 40, 10) == ("a" * 10 + "…",)
    assert broken("one_two_three_four", 5) == ("one_", "two_", "three…")


def test_a_view_that_reads_its_own_layer_stands_above_what_it_reads():
    picture = drawn(view("aggregate", "below"), view("aggregate", "above", ["aggregate/below/v1"]))
    assert box(picture, "above").y < box(picture, "below").y
    assert len(picture.lines) == 1


def test_a_layer_with_many_views_takes_several_rows():
    picture = drawn(*(view("raw", f"source_{number}") for number in range(20)))
    assert len({one.y for one in picture.boxes}) == 3


def test_a_view_that_is_only_read_is_drawn_without_a_status():
    picture = drawn(view("aggregate", "spend", ["derived/lines/v2"]))
    assert box(picture, "lines").node.status is None
    assert len(picture.lines) == 1


def test_of_several_steps_of_a_view_the_worst_counts_and_rows_add_up():
    def step(status: str, rows: int | None) -> StepLine:
        return StepLine("raw/lines/v1", "raw", status=status, rows_in=None, rows_out=rows, seconds=1, started=0)

    picture = drawn(view("raw", "lines"), steps=(step("published", 5), step("failed", None), step("unchanged", 2)))
    assert (box(picture, "lines").node.status, box(picture, "lines").node.rows) == ("failed", 7)


def test_a_cycle_in_the_cards_still_ends_in_a_picture():
    assert len(drawn(view("raw", "a", ["raw/b/v1"]), view("raw", "b", ["raw/a/v1"])).boxes) == 2
