"""A plan as people read it: one line per step, and a sum at the end."""

from jobs.build.plan import Action, Plan, PlannedStep
from ziggurat.cli.plan_format import plan_text

DAYS = ("2024-05-20", "2024-05-21", "2024-05-22")


def step(table: str, action: Action, reason: str, **more: object) -> PlannedStep:
    return PlannedStep(table=table, action=action, reason=reason, **more)  # type: ignore[arg-type]


def text(*steps: PlannedStep, notes: tuple[str, ...] = ()) -> list[str]:
    return plan_text(Plan(command="plan", as_of=DAYS[:1], steps=steps, notes=notes)).splitlines()


def test_each_step_has_a_line_and_the_last_line_sums_up() -> None:
    lines = text(
        step("raw/a/v1", Action.INGEST, "nothing was read of it before", slices=("529d775388bbcb78",), bytes=1_500_000),
        step("derived/b/v1", Action.DERIVE, "raw/a/v1 grew since", slices=DAYS, rows=1200, bytes=300_000),
        step("aggregate/c/v1", Action.UNDECIDED, "after derived/b/v1", slices=DAYS[:2]),
        step("aggregate/d/v1", Action.BLOCKED, "raw/x/v1 is refused"),
        notes=("1 run(s) have not ended",),
    )
    assert [line.split()[0] for line in lines[2:6]] == ["raw/a/v1", "derived/b/v1", "aggregate/c/v1", "aggregate/d/v1"]
    assert "529d" not in lines[2]
    assert "2024-05-20 … 2024-05-22 (3) 1,200 300,000" in " ".join(lines[3].split())
    assert "after derived/b/v1 2024-05-20, 2024-05-21 – –" in " ".join(lines[4].split())
    assert lines[-2:] == [
        "  1 run(s) have not ended",
        "  as of 2024-05-20: 2 of 4 steps to do, 1 not decided yet, 1 refused or blocked; "
        "to read, as far as is known: 1,200 rows, 1.8 MB",
    ]


def test_a_plan_without_work_says_so() -> None:
    assert (
        text(step("raw/a/v1", Action.NOTHING, "nothing new was delivered"))[-1] == "  as of 2024-05-20: nothing to do"
    )


def test_small_sizes_are_bytes_and_a_remark_follows_the_reason() -> None:
    lines = text(step("raw/a/v1", Action.INGEST, "its files were not read before", bytes=12, remark="1 as-ofs blocked"))
    assert "its files were not read before; 1 as-ofs blocked" in lines[2]
    assert lines[-1].endswith("to read, as far as is known: 12 bytes")
